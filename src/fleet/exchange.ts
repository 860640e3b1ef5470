import type { Cancel, Timeline } from '../base/clock.ts'
import { asError } from '../base/coded-error.ts'
import { Recent } from '../base/recent.ts'
import { DONE, together } from '../ledger/table.ts'
import { asOne, hasFailed, keyOf, type Change, type Wanted } from './changes.ts'
import { NotPrepared, type Batch, type Note, type SharedStore } from './store.ts'

export interface ExchangeOptions {
  readonly store: SharedStore
  readonly time: Timeline
  /** How what has changed is now. */
  readonly compile: (changes: readonly Change[], now: number) => Batch
  /** The fleet knows of these, asked at that moment. @param notes how those letters are now that are not gone. */
  readonly told: (changes: readonly Change[], notes: readonly Note[], asked: number) => void
  /** What is to be known of the store before it is used was read since it failed. */
  readonly isRead: () => boolean
  /** What keeps the store from being used, and `undefined` when it can be used again. */
  readonly onHealth: (problem: string | undefined) => void
}

/** Milliseconds that a change waits which the next one mostly makes needless: a result of which Clink is just being told. */
const SOON = 50
const RETRY = 1_000
/** So many changes are written at once. */
const MOST = 500
/** Of so many rows it is known when they changed here last. */
const TOUCHED = 20_000

interface Written {
  readonly written: readonly Change[]
  readonly notes: readonly Note[]
}

/**
 * Tells the fleet what has changed here. There is one write at a time: what changes meanwhile is gathered for the next, so that under load many
 * clinks share one. While the store is away whoever tells goes on at once, and what is to be told is kept and tried again.
 */
export class Exchange {
  readonly #options: ExchangeOptions
  #wanted = new Map<string, Wanted>()
  #flight = new Map<string, Wanted>()
  /** Changes that are being written here: resolves when they are. */
  readonly #changing = new Map<string, Promise<void>>()
  #next: PromiseWithResolvers<void> | undefined
  #isFlying = false
  #cancel: Cancel = () => {}
  #dueAt = Infinity
  #problem: string | undefined = 'it was not reached yet'
  #hasFailed = false
  #isClosed = false
  /** Counts changes and what was told, so that an answer of the store is not believed about what changed after it was asked. */
  #count = 0
  readonly #touched = new Recent<number>(TOUCHED)
  /** The same of parts that count no more. */
  readonly #over = new Recent<number>(TOUCHED)

  constructor(options: ExchangeOptions) {
    this.#options = options
  }

  get problem(): string | undefined {
    return this.#problem
  }

  get moment(): number {
    return this.#count
  }

  /** It changes here, and is told when that is written. Until then nothing that is read counts. @param soon as in `tell`. */
  async tellAfter(change: Change, written: Promise<void>, soon = false): Promise<void> {
    const [key, changedAt] = [keyOf(change), this.#options.time.now()]
    this.#touch(key, change.isOver)
    const changing = together(this.#changing.get(key), written)
    this.#changing.set(key, changing)
    try {
      await changing
    } finally {
      if (this.#changing.get(key) === changing) this.#changing.delete(key)
    }
    await this.tell({ ...change, changedAt }, soon)
  }

  /** Whether what the store says of it, asked at that moment, is older than what is known here. */
  hasChanged(change: Pick<Change, 'id' | 'kind'>, since: number): boolean {
    return this.isOpen(change) || (this.#touched.get(keyOf(change)) ?? 0) > since
  }

  /** Whether a part that was read, asked for at that moment, counts no more. */
  wasOver(id: string, since: number): boolean {
    const key = keyOf({ kind: 'part', id })
    const isOver = this.#wanted.get(key)?.isOver === true || this.#flight.get(key)?.isOver === true
    return isOver || (this.#over.get(key) ?? 0) > since
  }

  /** It is changing here, or the fleet does not know yet how it is now. */
  isOpen(change: Pick<Change, 'id' | 'kind'>): boolean {
    const key = keyOf(change)
    return this.#changing.has(key) || this.#wanted.has(key) || this.#flight.has(key)
  }

  /** @param soon it may wait a moment. @returns resolves when the fleet knows, or cannot be told. */
  tell(change: Change, soon = false): Promise<void> {
    // No database has a text with a zero in it.
    if (change.id.includes('\0')) return DONE
    const now = this.#options.time.now()
    this.#touch(keyOf(change))
    this.#want({ ...change, dueAt: soon ? now + SOON : now })
    if (this.#problem !== undefined || this.#isClosed) return DONE
    if (!soon) this.#next ??= Promise.withResolvers()
    this.#schedule(soon ? now + SOON : now)
    return soon || this.#next === undefined ? DONE : this.#next.promise
  }

  /** Resolves when nothing is left to be told of it that is due, or it cannot be told. */
  async untilTold(change: Pick<Change, 'id' | 'kind'>): Promise<void> {
    while (this.isOpen(change) && this.#problem === undefined && !this.#isClosed)
      await (this.#changing.get(keyOf(change)) ?? this.#sent())
  }

  /** The store has failed, for whoever asked it something else. */
  failed(error: unknown): void {
    this.#health(asError(error).message)
    this.#retry()
  }

  /** The store was read: what is left to be told is told now. @returns resolves when that was tried. */
  works(): Promise<void> {
    if (this.#problem === undefined || this.#isClosed || !this.#options.isRead()) return DONE
    // What is being written may fail, and nobody waits for it who was told meanwhile that the store is away.
    if (this.#wanted.size === 0 && this.#flight.size === 0) this.#health(undefined)
    else this.#next ??= Promise.withResolvers()
    if (this.#next !== undefined && !this.#isFlying) this.#schedule(this.#options.time.now())
    return this.#next?.promise ?? DONE
  }

  /** This version may not work with the store. */
  refused(why: string): void {
    this.#health(why)
  }

  /** It holds nothing of what it was told, and is told all of it before it counts as well: this is said, whatever was said before. */
  isAnew(why: string): void {
    this.#hasFailed = false
    this.#health(why)
  }

  /** Tells what is left, as far as that goes at once. */
  async close(): Promise<void> {
    for (let tries = 0; this.#wanted.size > 0 && this.#problem === undefined && tries < 20; tries += 1) {
      for (const [key, change] of this.#wanted) this.#wanted.set(key, { ...change, dueAt: -Infinity })
      await this.#sent()
    }
    this.#isClosed = true
    this.#cancel()
  }

  #landing: Promise<void> = DONE

  /** Resolves when what is under way was tried, or else what is due. */
  #sent(): Promise<void> {
    return this.#isFlying ? this.#landing : this.#send()
  }

  #touch(key: string, isOver = false): void {
    this.#count += 1
    this.#touched.set(key, this.#count)
    if (isOver) this.#over.set(key, this.#count)
  }

  #want(change: Wanted): void {
    const key = keyOf(change)
    const before = this.#wanted.get(key)
    this.#wanted.set(key, before === undefined ? change : asOne(before, change))
  }

  #schedule(at: number): void {
    if (this.#isFlying || this.#isClosed || at >= this.#dueAt) return
    this.#cancel()
    this.#dueAt = at
    this.#cancel = this.#options.time.at(at, () => {
      this.#dueAt = Infinity
      if (!this.#isFlying) void this.#send()
    })
  }

  #retry(): void {
    this.#schedule(this.#options.time.now() + RETRY)
  }

  /** What is due now. What is over costs nothing beside something else. */
  #take(): Map<string, Wanted> {
    const now = this.#options.time.now()
    const taken = new Map<string, Wanted>()
    for (const [key, change] of this.#wanted) {
      if (change.dueAt > now && change.isOver !== true) continue
      taken.set(key, change)
      if (taken.size === MOST) break
    }
    for (const key of taken.keys()) this.#wanted.delete(key)
    return taken
  }

  async #send(): Promise<void> {
    const waiting = this.#next
    this.#next = undefined
    this.#isFlying = true
    const landing = Promise.withResolvers<void>()
    this.#landing = landing.promise
    this.#flight = this.#take()
    const changes = [...this.#flight.values()]
    const sentAt = this.#options.time.now()
    let works = false
    try {
      const asked = this.#count
      const { notes, written } = await this.#write(changes)
      const told = this.#flight
      this.#flight = new Map()
      this.#options.told(written, notes, asked)
      for (const [key, { isOver }] of told) this.#touch(key, isOver)
      // To write nothing shows nothing.
      works = changes.length > 0 && this.#options.isRead()
      if (works && this.#firstDue > this.#options.time.now()) this.#health(undefined)
    } catch (error) {
      const left = this.#flight
      this.#flight = new Map()
      for (const [key, change] of left) {
        const failed = error instanceof NotPrepared ? change : hasFailed(change, sentAt)
        const since = this.#wanted.get(key)
        this.#wanted.set(key, since === undefined ? failed : asOne(failed, since))
      }
      const why = error instanceof NotPrepared ? this.#problem : undefined
      this.#health(why ?? asError(error).message)
    }
    this.#isFlying = false
    this.#goOn(waiting, works || this.#problem === undefined)
    landing.resolve()
  }

  /** When the first of what is left to be told is due: until that is told, the store counts as away where it has failed. */
  get #firstDue(): number {
    let first = Infinity
    for (const { dueAt } of this.#wanted.values()) first = Math.min(first, dueAt)
    return first
  }

  /** More than fits one write was waited for: those wait on. */
  #goOn(waiting: PromiseWithResolvers<void> | undefined, works: boolean): void {
    const [now, due] = [this.#options.time.now(), this.#firstDue]
    if (works && waiting !== undefined && due <= now && this.#next === undefined) this.#next = waiting
    else waiting?.resolve()
    if (!works) {
      this.#next?.resolve()
      this.#next = undefined
      this.#retry()
    } else if (this.#next !== undefined) this.#schedule(now)
    else if (due < Infinity) this.#schedule(Math.max(now, due))
  }

  /** What the store refuses because of itself stays here, and keeps no other from being told. @returns what is written. */
  async #write(changes: readonly Change[]): Promise<Written> {
    if (changes.length === 0) return { written: [], notes: [] }
    const { compile, store, time } = this.#options
    try {
      return { notes: await store.write(compile(changes, time.now())), written: changes }
    } catch (error) {
      if (!store.isOfTheData(error)) throw error
      if (changes.length === 1) return { written: changes.filter(({ kind }) => kind === 'step'), notes: [] }
      const half = Math.ceil(changes.length / 2)
      const [one, other] = [await this.#write(changes.slice(0, half)), await this.#write(changes.slice(half))]
      return { written: [...one.written, ...other.written], notes: [...one.notes, ...other.notes] }
    }
  }

  #health(problem: string | undefined): void {
    this.#problem = problem
    // Said once, whatever else is wrong with it meanwhile. That it was reached at once is nothing to tell.
    if ((problem !== undefined) === this.#hasFailed) return
    this.#hasFailed = problem !== undefined
    this.#options.onHealth(problem)
  }
}
