import { after, type Cancel } from '../../base/clock.ts'
import type { KeyRight, LimitStore } from '../../ledger/fleet-limits.ts'
import type { WorkerContext } from '../context.ts'
import { Right } from './fleet-grants.ts'

/** Renewal starts at this part of the time of a right. */
const START = 1 / 4
/** What a right is trusted for less than its store keeps it: its code has to end in that time. */
const MARGIN = 1 / 10
const SMALLEST_MARGIN = 250
/** A try that is not answered for this part of the time of a right does not keep the next one waiting. */
const PATIENCE = 1 / 8
const SHORTEST_PAUSE = 50
const LONGEST_PAUSE = 1_000
/** Milliseconds after which the store is told which clink has a right, where that is another one than it was taken for: many have ended by then. */
const TOLD = 50

/**
 * The rights that this worker has, all of which are renewed in one statement. Who could not be renewed in time is over by the clock; whoever has
 * it is told by `rightsLost`. It is renewed all the same until it is given back: code may go on that ignores its abort.
 */
export class KeyRenewals {
  readonly #context: Pick<WorkerContext, 'clock' | 'settings' | 'signals'>
  readonly #store: LimitStore
  readonly #all = new Set<Right>()
  /** Those whose end was said. */
  readonly #told = new WeakSet<Right>()
  /** Of which the store names another clink. */
  readonly #passedOn = new Set<Right>()
  #cancelRenewal: Cancel = () => {}
  #cancelTelling: Cancel = () => {}
  #cancelEnd: Cancel = () => {}
  #endAt = Infinity
  #isDue = false

  constructor(context: Pick<WorkerContext, 'clock' | 'settings' | 'signals'>, store: LimitStore) {
    this.#context = context
    this.#store = store
  }

  /** Milliseconds that a key is taken for. */
  get length(): number {
    return this.#context.settings.current.claim.timeout
  }

  /** Milliseconds that it is trusted for. */
  get #lasts(): number {
    const { grace } = this.#context.settings.current.handlers
    const margin = Math.max(this.length * MARGIN, SMALLEST_MARGIN, Math.min(grace, this.length / 2))
    return this.length - margin
  }

  /** The store has one right to a key: what it gave before is none any more, though a renewal of that may still be answered. */
  add(given: KeyRight, grantedAt: number): Right {
    for (const one of this.#all) if (one.route === given.route && one.key === given.key) one.isGone = true
    const right = new Right(given, grantedAt, this.#lasts)
    this.#all.add(right)
    this.#renewSoon()
    this.#watchEnds()
    return right
  }

  /** A clink takes it: the next process of this member goes on with that one, and finds it in the store. */
  pass(right: Right, clinkId: string): void {
    if (right.clink === clinkId) return
    right.clink = clinkId
    if (this.#passedOn.size === 0)
      this.#cancelTelling = after(this.#context.clock, TOLD, () => {
        const passedOn = [...this.#passedOn]
        this.#passedOn.clear()
        if (passedOn.length > 0) void this.#ask(passedOn)
      })
    this.#passedOn.add(right)
  }

  delete(right: Right): void {
    this.#all.delete(right)
    this.#passedOn.delete(right)
  }

  close(): void {
    this.#cancelRenewal()
    this.#passedOn.clear()
    this.#cancelTelling()
    this.#cancelEnd()
    // Rights of code that goes on last for as long as they do.
    this.#isDue = true
    this.#endAt = -Infinity
  }

  #renewSoon(wait?: number): void {
    const rights = this.#renewable
    if (this.#isDue || rights.length === 0) return
    this.#isDue = true
    const first = Math.min(...rights.map(({ grantedAt }) => grantedAt)) + this.length * START
    const ms = wait ?? Math.max(SHORTEST_PAUSE, first - this.#context.clock.now())
    this.#cancelRenewal = after(this.#context.clock, ms, () => void this.#renew())
  }

  async #renew(): Promise<void> {
    const rights = this.#renewable
    if (rights.length === 0) return void (this.#isDue = false)
    const late = Promise.withResolvers<undefined>()
    const cancel = after(this.#context.clock, this.length * PATIENCE, () => late.resolve(undefined))
    const isDone = (await Promise.race([this.#ask(rights), late.promise])) === true
    cancel()
    if (this.#endAt === -Infinity) return
    this.#isDue = false
    const pause = Math.max(SHORTEST_PAUSE, Math.min(LONGEST_PAUSE, this.length / 20))
    this.#renewSoon(isDone ? undefined : pause)
  }

  /** @returns whether there was an answer. */
  async #ask(rights: readonly Right[]): Promise<boolean> {
    const sentAt = this.#context.clock.now()
    const lasts = this.#lasts
    const tokens = await this.#store.renew(rights, this.length).catch(() => undefined)
    if (tokens === undefined) return false
    for (const right of rights)
      if (tokens.has(right.token)) right.renewed(sentAt, lasts)
      else if (this.#all.has(right)) right.isGone = true
    this.#watchEnds(0)
    return true
  }

  /** Says it as soon as one is over. */
  #watchEnds(at = Infinity): void {
    if (this.#endAt === -Infinity) return
    const open = [...this.#all].filter((right) => !this.#told.has(right))
    const next = Math.min(at, ...open.map(({ deadline }) => deadline))
    if (next >= this.#endAt && this.#endAt > this.#now) return
    this.#cancelEnd()
    this.#endAt = Math.max(next, this.#now)
    if (next === Infinity) return
    this.#cancelEnd = this.#context.clock.at(this.#endAt, () => this.#tellEnds())
  }

  #tellEnds(): void {
    this.#endAt = Infinity
    const over = [...this.#all].filter((right) => right.deadline <= this.#now && !this.#told.has(right))
    for (const right of over) this.#told.add(right)
    if (over.length > 0) this.#context.signals.rightsLost.say()
    this.#watchEnds()
  }

  get #renewable(): readonly Right[] {
    return [...this.#all].filter(({ isGone }) => !isGone)
  }

  get #now(): number {
    return this.#context.clock.now()
  }
}
