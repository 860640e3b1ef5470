/** One call of a member to the shared store. Times are virtual milliseconds. */
export interface StoreCall {
  readonly life: string
  readonly what: 'prepare' | 'beat' | 'recall' | 'write' | 'changes' | 'steps' | 'siblings' | 'prune' | 'limits'
  readonly sentAt: number
  /** Of limits: the clinks whose keys it takes or renews. */
  readonly keysOf?: readonly string[]
  /** When it was carried out; absent: never. */
  doneAt?: number
  /** When the member was told something, and whether that was that it has failed. */
  endedAt?: number
  hasFailed?: boolean
}

/** Milliseconds after which a call is given up. */
const GIVEN_UP = 6_000
/** What shows to a process that its store works again. */
const SHOWS: ReadonlySet<StoreCall['what']> = new Set(['write', 'changes'])
/** Milliseconds after an answer in which what has waited for it is sent. */
const SOON = 10
/** The same after which a member reads anew what others have done before it starts something. */
const OLD = 250
/** Milliseconds that are long for a call. */
const LONG = 500

/** What the shared store has held of a clink since a time. */
export interface SharedFact {
  readonly at: number
  readonly isGivenUp: boolean
  /** Which letter of its clink it is: when it was given up, by the clock of who has. */
  readonly letter?: number
  /** How far the rerun of its letter is. */
  readonly step?: string | undefined
  readonly isDiscarded?: boolean
  /** The member that runs it again. */
  readonly by?: string | undefined
  /** The texts of results that Clink has not confirmed. */
  readonly results: readonly string[]
}

/** Steps of a rerun that is under way: to ask for it again changes nothing. */
export const UNDER_WAY: ReadonlySet<string | undefined> = new Set(['due', 'running', 'ready', 'sending'])

const isAtRest = ({ isGivenUp, step }: SharedFact): boolean => isGivenUp && !UNDER_WAY.has(step)

/** Its clink was given up once more in between: its member has told both in one write. */
const isAnother = (before: SharedFact, { isGivenUp, letter }: SharedFact): boolean =>
  before.isGivenUp && isGivenUp && before.letter !== letter

/** A run, as far as it matters whether there was one. */
interface Begun {
  readonly life: string
  readonly startedAt: number
}

/** Somebody had the whole fleet paused in a time. */
export interface FleetPauseRecord {
  readonly from: number
  to: number
  /** When a process was told of it first. */
  readonly seen: Map<string, number>
}

/** What happened to the shared store of a seed. */
export class FleetRecord {
  readonly pauses: FleetPauseRecord[] = []
  readonly calls = new Map<string, StoreCall[]>()
  /** Members, by a process of each. */
  readonly members = new Map<string, string>()
  readonly #facts = new Map<string, SharedFact[]>()
  readonly #writes = new Map<string, { readonly life: string; readonly at: number }[]>()

  addCall(call: StoreCall): void {
    const calls = this.calls.get(call.life) ?? []
    calls.push(call)
    this.calls.set(call.life, calls)
  }

  addFact(clinkId: string, fact: SharedFact): void {
    this.#facts.set(clinkId, [...(this.#facts.get(clinkId) ?? []), fact])
  }

  /** A process has written something of a clink. */
  addWrite(clinkId: string, life: string, at: number): void {
    this.#writes.set(clinkId, [...(this.#writes.get(clinkId) ?? []), { life, at }])
  }

  /** Everything that was held of a clink at some moment of a time. */
  factsOf(clinkId: string, from: number, to = from): readonly SharedFact[] {
    const facts = this.#facts.get(clinkId) ?? []
    return facts.filter(({ at }, index) => at <= to && (facts[index + 1]?.at ?? Infinity) > from)
  }

  /** When the letter of a clink began to be run again, or went for that, for the last time in a time. */
  retriedAt(clinkId: string, from: number, to: number): number | undefined {
    const facts = this.#facts.get(clinkId) ?? []
    return facts.findLast((fact, index) => {
      const before = facts[index - 1]
      const isRetried = before !== undefined && !isAtRest(fact) && (isAtRest(before) || isAnother(before, fact))
      return isRetried && fact.at >= from && fact.at <= to
    })?.at
  }

  /** Whether the letter of a clink was at rest all through a time. */
  hasRested(clinkId: string, from: number, to: number): boolean {
    const facts = this.factsOf(clinkId, from, to)
    return facts.length > 0 && facts.every(isAtRest)
  }

  /**
   * Whether another member has given a clink up while a process waited to hear that its start was counted, or had heard that this had failed, or took its
   * store for one that is away: the start counts until it is taken back, and its claim may have ended by then.
   */
  wasGivenUpUnheard(clinkId: string, life: string, runs: readonly Begun[]): boolean {
    const givenUp = this.#givenUpLast(clinkId)
    const counted = this.writesOf(clinkId, life).findLast((at) => at < (givenUp?.at ?? -Infinity))
    if (givenUp === undefined || counted === undefined) return false
    const write = this.calls.get(life)?.find(({ doneAt, what }) => what === 'write' && doneAt === counted)
    const heardAt = write?.hasFailed === true ? Infinity : this.worksFrom(life, write?.endedAt ?? Infinity)
    const isHeard = heardAt <= givenUp.at
    const hasBegun = runs.some((run) => run.life === life && run.startedAt >= counted && run.startedAt <= givenUp.at)
    return !isHeard && !hasBegun
  }

  /**
   * Whether another member has given a clink up while a process still waited for its store, so that nothing which it has to tell of the clink since a time
   * was written: a start counts until it is taken back.
   */
  wasGivenUpUntold(clinkId: string, life: string, since: number): boolean {
    const { at: givenUp = -Infinity } = this.#givenUpLast(clinkId) ?? {}
    const isTold = this.writesOf(clinkId, life).some((at) => at >= since && at <= givenUp)
    const isWaiting = this.#callsOf(life, 'write').some(
      ({ endedAt = Infinity, sentAt }) => sentAt <= givenUp && endedAt > givenUp,
    )
    return givenUp >= since && !isTold && isWaiting
  }

  #givenUpLast(clinkId: string): SharedFact | undefined {
    const facts = this.#facts.get(clinkId) ?? []
    return facts.findLast((fact, index) => {
      const before = facts[index - 1]
      return fact.isGivenUp && (before?.isGivenUp !== true || isAnother(before, fact))
    })
  }

  /** When a process has written something of a clink, in order. */
  writesOf(clinkId: string, life: string): readonly number[] {
    return (this.#writes.get(clinkId) ?? []).flatMap(({ at, life: by }) => (by === life ? [at] : []))
  }

  /** Whether a process had to wait for its store in a time: a call has failed, or took long. */
  isSlow(life: string, from: number, to: number): boolean {
    return (this.calls.get(life) ?? []).some(({ endedAt = Infinity, hasFailed, sentAt }) => {
      return sentAt <= to && endedAt >= from && (hasFailed === true || endedAt - sentAt > LONG)
    })
  }

  /**
   * From when on a process takes its store for one that works, at a time or after it. What has failed counts until it was written or looked at, and not
   * before it was asked which store it is: behind its address there may be another one by then.
   */
  worksFrom(life: string, at: number): number {
    const calls = (this.calls.get(life) ?? []).toSorted((a, b) => (a.endedAt ?? Infinity) - (b.endedAt ?? Infinity))
    let [hasFailed, isPrepared] = [false, true]
    for (const { endedAt = Infinity, hasFailed: isFailure, what } of calls) {
      if (endedAt > at && (!hasFailed || endedAt === Infinity)) break
      if (isFailure === true) [hasFailed, isPrepared] = [true, isPrepared && hasFailed]
      else if (what === 'prepare') isPrepared = true
      else if (isPrepared && SHOWS.has(what)) hasFailed = false
      if (endedAt > at && !hasFailed) return endedAt
    }
    return hasFailed ? Infinity : at
  }

  /**
   * When a process has surely had the answers that it waited for at a time, to start something: to what was under way then, to what had to wait for
   * that, and to a look at what others have written meanwhile.
   *
   * @param inARow so many, of which each waits for the one before.
   */
  answeredBy(life: string, at: number, inARow = 3): number {
    const calls = (this.calls.get(life) ?? []).filter(({ endedAt = Infinity }) => endedAt > at)
    let by = at
    for (let n = 0; n < inARow; n += 1) {
      const ends = calls.flatMap(({ sentAt, endedAt = sentAt + GIVEN_UP }) => (sentAt <= by ? [endedAt] : []))
      by = Math.max(by, ...ends)
    }
    return by
  }

  /** Whether a write that a process had sent at a time was answered, or failed, by another. */
  isWriting(life: string, at: number, by: number): boolean {
    return this.#callsOf(life, 'write').some(({ endedAt = Infinity, sentAt }) => {
      return sentAt <= at && endedAt > at && endedAt <= by
    })
  }

  /**
   * Since when what a process was told of as written at a time may have been on its way: the write that ended then, and those of which each waited for the
   * one before.
   *
   * @param inARow so many.
   */
  writtenSince(life: string, at: number, inARow = 2): number {
    const writes = this.#callsOf(life, 'write')
    const last = writes.findLast(({ endedAt = Infinity }) => endedAt <= at)
    if (last?.endedAt === undefined || last.endedAt < at - LONG) return at
    let { sentAt } = last
    for (let n = 1; n < inARow; n += 1) sentAt = waitedSince(writes, sentAt)
    return sentAt
  }

  /** Since when what a process was told of as begun at a time may have had its slot: it was recalled, and written. */
  begunSince(life: string, at: number): number {
    return waitedSince(this.#callsOf(life, 'recall'), this.writtenSince(life, at, 3))
  }

  /**
   * From when on a process may not know what others have told, though it was told at a time that it may begin something: what it has read is not old when
   * it asks for that.
   *
   * @param slowest milliseconds that its own journal takes at most: that is written before.
   */
  unheardFrom(life: string, at: number, slowest = 0): number {
    const read = this.#callsOf(life, 'recall').filter(({ hasFailed }) => hasFailed !== true)
    return waitedSince(read, this.writtenSince(life, at, 3) - slowest, OLD)
  }

  #callsOf(life: string, what: StoreCall['what']): readonly StoreCall[] {
    return (this.calls.get(life) ?? []).filter((call) => call.what === what)
  }

  /** The last call whose end a process was told of by then. Of one moment it is one that did not fail. */
  lastOf(life: string, at: number): StoreCall | undefined {
    const ended = (this.calls.get(life) ?? []).filter(({ endedAt = Infinity }) => endedAt <= at)
    const lastAt = ended.reduce((last, { endedAt = last }) => Math.max(last, endedAt), -Infinity)
    const last = ended.filter(({ endedAt }) => endedAt === lastAt)
    return last.find(({ hasFailed }) => hasFailed !== true) ?? last[0]
  }
}

/** Since when what was sent at a time may have waited for one of these to be answered. */
function waitedSince(calls: readonly StoreCall[], at: number, soon = SOON): number {
  return Math.min(
    at,
    ...calls.flatMap(({ endedAt = Infinity, sentAt }) => (sentAt < at && endedAt >= at - soon ? [sentAt] : [])),
  )
}
