import type { Exchange } from './exchange.ts'
import type { Recalled, SharedStore } from './store.ts'

/** So many queries are under way at once; who comes later is gathered for the next. */
const AT_ONCE = 2
/** So many clinks are asked about in one. */
const MOST = 500

/** Reads of what a fleet remembers: all that is asked for in a turn is one query, and so is what comes while others are under way. */
export class Recalls {
  readonly #store: SharedStore
  readonly #exchange: Exchange
  readonly #read: (ids: readonly string[], recalled: Recalled, asked: number) => void
  #wanted = new Set<string>()
  #next: PromiseWithResolvers<void> | undefined
  #underWay = 0

  /** @param read called with the answer, and the moment of the exchange at which it was asked for. */
  constructor(
    store: SharedStore,
    exchange: Exchange,
    read: (ids: readonly string[], recalled: Recalled, asked: number) => void,
  ) {
    this.#store = store
    this.#exchange = exchange
    this.#read = read
  }

  /** Resolves when they were read, or the store has failed. */
  async of(ids: readonly string[]): Promise<void> {
    if (ids.length === 0 || this.#exchange.problem !== undefined) return
    for (const id of ids) this.#wanted.add(id)
    this.#next ??= Promise.withResolvers()
    const { promise } = this.#next
    // The others of this turn come along.
    await Promise.resolve()
    if (this.#underWay < AT_ONCE) void this.#ask()
    await promise
  }

  async #ask(): Promise<void> {
    const next = this.#next
    if (next === undefined) return
    const ids = [...this.#wanted]
    this.#wanted = new Set()
    this.#next = undefined
    this.#underWay += 1
    for (let from = 0; from < ids.length; from += MOST) await this.#askFor(ids.slice(from, from + MOST))
    this.#underWay -= 1
    next.resolve()
    void this.#ask()
  }

  async #askFor(ids: readonly string[]): Promise<void> {
    const asked = this.#exchange.moment
    try {
      this.#read(ids, await this.#store.recall(ids), asked)
    } catch (error) {
      this.#exchange.failed(error)
    }
  }
}
