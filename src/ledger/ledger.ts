import { cutText, LONGEST } from '../base/cut-text.ts'
import { Recent } from '../base/recent.ts'
import { monotonicNow, wallNow } from '../base/host-time.ts'
import type { Clink } from '../clink/records.ts'
import { DeadLetters, type DeadLetter, type LetterChange } from './dead-letters.ts'
import { LateResults, type LateResult } from './late-results.ts'
import { Programs, type Program } from './programs.ts'
import type { Attempts, Cooling, FailedLeases, KeptResult } from './remembered.ts'
import { Sightings } from './sightings.ts'
import { dropUntil, hasBetween, type Table } from './table.ts'
import type { KeyOf } from './table-keys.ts'

/** A claim in hand, so that the next start can hold on to it. */
export interface HeldClaim {
  readonly clink: Clink
  readonly route: string
  /** True while code runs for it, be it that of an earlier claim: code may end the process. */
  readonly running: boolean
  /** True once a release was to be sent, or the claim was lost: it may be another's by now. */
  readonly releasing: boolean
  /** Which key made it, by its print. */
  readonly key?: string
  /** The boot whose uptime `sent` and `end` are told in: when the request that first granted the claim was sent, and the end of its lease. */
  readonly boot: string
  readonly sent: number
  readonly end: number
  /** Milliseconds by which the claim itself ends later than its lease. A renewal moves the end of the claim. */
  readonly margin?: number
  /** The wall time of that end, in milliseconds. */
  readonly wall?: number
  /** The service's own end of the claim, in milliseconds of its clock. */
  readonly serverEnd?: number
  /** The length of the claim was not known yet: `end` is a guess, and until then the worker may ask about the claim. */
  readonly isUnknown?: true
  /** Of a clink that is held: the boot's uptime, and the wall time, at which it is to run. */
  readonly due?: { readonly uptime: number; readonly wall: number }
}

export interface LedgerTables {
  readonly attempts: Table<Attempts, KeyOf<'attempts'>>
  readonly results: Table<KeptResult, KeyOf<'results'>>
  readonly letters: Table<DeadLetter, KeyOf<'letters'>>
  readonly cooling: Table<Cooling, KeyOf<'cooling'>>
  /** When (wall milliseconds) we sent a clink, or the inbox showed it. */
  readonly own: Table<number, KeyOf<'own'>>
  readonly claims: Table<HeldClaim>
  readonly late: Table<LateResult, KeyOf<'late'>>
  readonly programs: Table<Program>
  /** Facts about the worker itself. */
  readonly facts: Table<string>
}

const ERRORS_KEPT = 10
/** How many cooling clinks this process times by a clock that nobody sets. */
const COOLING = 10_000

/**
 * What the worker remembers about clinks beyond one delivery. The heart acts on a fact only after the write that notes it has
 * resolved.
 */
export class Ledger {
  readonly letters: DeadLetters
  readonly late: LateResults
  readonly programs: Programs
  readonly sightings: Sightings
  readonly #tables: LedgerTables
  readonly #isHealthy: () => boolean
  /** When clinks that this process leaves alone have cooled down, by a clock that nobody sets. */
  readonly #coolsUntil = new Recent<number>(COOLING)
  readonly #steady: () => number
  readonly #wall: () => number

  /** @param isHealthy whether writes are kept; while they are not, nothing new may start. */
  constructor(
    tables: LedgerTables,
    isHealthy = (): boolean => true,
    wall = wallNow,
    steady = wall === wallNow ? monotonicNow : wall,
  ) {
    this.#tables = tables
    this.letters = new DeadLetters(tables, wall)
    this.late = new LateResults(tables.late)
    this.programs = new Programs(tables.programs)
    this.sightings = new Sightings(tables, wall)
    this.#isHealthy = isHealthy
    this.#wall = wall
    this.#steady = steady
  }

  get isHealthy(): boolean {
    return this.#isHealthy()
  }

  /** Counts a start of a handler and returns its number, from 1. */
  async startAttempt(clinkId: string): Promise<number> {
    const count = this.#attemptsOf(clinkId).count + 1
    await this.#changeAttempts(clinkId, { count })
    return count
  }

  /** Starts of a handler, as far as they count. */
  startsOf(clinkId: string): number {
    return this.#attemptsOf(clinkId).count
  }

  /** Takes the last start back: it was cut short, or must not count. */
  async takeBackAttempt(clinkId: string): Promise<void> {
    await this.#changeAttempts(clinkId, { count: Math.max(0, this.#attemptsOf(clinkId).count - 1) })
  }

  /**
   * The process ended while the clink's handler ran: that start does not count against it. Where no start counts, as of a clink that was
   * buried just before, there is none to excuse: a later retry would get it as one attempt more.
   */
  async excuse(clinkId: string): Promise<void> {
    const { count, excused = 0 } = this.#attemptsOf(clinkId)
    if (excused < count) await this.#changeAttempts(clinkId, { excused: excused + 1 })
  }

  excusedOf(clinkId: string): number {
    return this.#attemptsOf(clinkId).excused ?? 0
  }

  /** The handler went on until the claim ran out, and the service does not renew it. */
  async countOutlived(clinkId: string): Promise<void> {
    await this.#changeAttempts(clinkId, { outlived: this.outlivedOf(clinkId) + 1 })
  }

  outlivedOf(clinkId: string): number {
    return this.#attemptsOf(clinkId).outlived ?? 0
  }

  async noteError(clinkId: string, message: string): Promise<void> {
    const error = cutText(message, LONGEST.error)
    const errors = [...this.#attemptsOf(clinkId).errors, error].slice(-ERRORS_KEPT)
    await this.#changeAttempts(clinkId, { errors })
  }

  errorsOf(clinkId: string): readonly string[] {
    return this.#attemptsOf(clinkId).errors
  }

  isSuspect(clinkId: string): boolean {
    return this.#attemptsOf(clinkId).suspect === true
  }

  async suspect(clinkId: string): Promise<void> {
    await this.#changeAttempts(clinkId, { suspect: true })
  }

  /** The clink ended once without taking the process with it. */
  async clear(clinkId: string): Promise<void> {
    if (this.isSuspect(clinkId)) await this.#changeAttempts(clinkId, { suspect: false, crashes: 0 })
  }

  /** Notes that the process crashed while the clink ran alone. */
  async countCrash(clinkId: string): Promise<void> {
    await this.#changeAttempts(clinkId, { crashes: this.crashesOf(clinkId) + 1 })
  }

  crashesOf(clinkId: string): number {
    return this.#attemptsOf(clinkId).crashes
  }

  /** A result computed while its lease stood. It is final: sent under a later claim, never computed again. */
  async keepResult(clink: Clink, response: string | undefined): Promise<void> {
    const { leases = 0, failedAt } = this.keptResult(clink) ?? {}
    const kept = { content: clink.content, leases, failedAt, at: this.#wall() }
    await this.#tables.results.set(clink.clink_id, response === undefined ? kept : { ...kept, response })
  }

  /** The kept result of this clink, unless the clink has become another one (other content) since. */
  keptResult(clink: Clink): KeptResult | undefined {
    const result = this.#tables.results.get(clink.clink_id)
    return result?.content === clink.content ? result : undefined
  }

  /** The answer that may have been sent and is not confirmed: the kept result, or the notice of a dead letter. */
  unconfirmed(clink: Clink): { readonly response?: string } | undefined {
    const notice = this.letters.noticeFor(clink)
    return notice === undefined ? this.keptResult(clink) : { response: notice }
  }

  /** Notes that another lease ended in which the service failed for so long to take the kept result. Undefined: there is none. */
  async countFailedLease(clinkId: string, ms: number): Promise<FailedLeases | undefined> {
    const result = this.#tables.results.get(clinkId)
    if (result === undefined) return undefined
    const { failedAt = this.#wall() - ms } = result
    const leases = result.leases + 1
    await this.#tables.results.set(clinkId, { ...result, leases, failedAt })
    return { leases, over: this.#wall() - failedAt }
  }

  /**
   * The clink is settled: attempts, kept result and claim are no longer needed. They go in one turn, since a claim without its
   * result would be taken up and its clink run again.
   */
  async settled(clinkId: string): Promise<void> {
    const { claims, own } = this.#tables
    const isOwn = own.size > 0 && this.isOwn(clinkId)
    await Promise.all([
      this.#forget(clinkId),
      this.letters.noticed(clinkId),
      claims.delete(clinkId),
      isOwn ? own.delete(clinkId) : undefined,
    ])
  }

  /**
   * The sender has what a rerun of the clink has come to. Clink may hold it for open all the same, where it never took the notice that it
   * had failed: then it comes back, and is completed without a response rather than run once more.
   */
  async rerunDone(clink: Clink): Promise<void> {
    const id = clink.clink_id
    await Promise.all([this.letters.remove(id), this.settled(id), this.keepResult(clink, undefined)])
  }

  /** @param keepsResult there is a result, which Clink did not take: a later claim on the clink sends it. */
  async bury(letter: DeadLetter, keepsResult = false): Promise<void> {
    const { attempts, results } = this.#tables
    const id = letter.clink.clink_id
    const result = results.get(id)
    const kept = keepsResult && result !== undefined
    await Promise.all([
      this.letters.add(letter),
      attempts.delete(id),
      kept ? results.set(id, { ...result, leases: 0, failedAt: undefined }) : results.delete(id),
    ])
  }

  /** As `DeadLetters.retry`; asked once more before the clink is settled, it changes nothing. */
  async retry(clinkId: string): Promise<LetterChange> {
    const isLetter = this.letters.get(clinkId) !== undefined
    if (!isLetter && this.#attemptsOf(clinkId).retried === true) return 'done'
    const change = this.letters.retry(clinkId)
    // In the same commit: without the letter, this alone tells that it was asked for.
    if (isLetter && !this.isGivenUp(clinkId)) await this.#changeAttempts(clinkId, { retried: true })
    return await change
  }

  isGivenUp(clinkId: string): boolean {
    return this.letters.has(clinkId)
  }

  /** Leave the clink alone for so many milliseconds. */
  async coolFor(clinkId: string, ms: number): Promise<void> {
    this.#coolsUntil.set(clinkId, this.#steady() + ms)
    await this.#tables.cooling.set(clinkId, { at: this.#wall() + ms, for: ms })
  }

  /**
   * Whether the worker still leaves the clink alone. Setting the wall clock does not make that longer: this process
   * starts a clock that nobody sets when it notes or first sees the cooling, and waits no longer than the time that
   * was noted.
   */
  isCooling(clinkId: string): boolean {
    const cooling = this.#tables.cooling.get(clinkId)
    const left = cooling === undefined ? 0 : Math.min(cooling.at - this.#wall(), cooling.for)
    if (left <= 0) return false
    const ends = this.#coolsUntil.get(clinkId) ?? this.#steady() + left
    this.#coolsUntil.set(clinkId, ends)
    return this.#steady() < ends
  }

  /** Whether clinks have cooled down after one wall time and by another. */
  hasCooled(after: number, by: number): boolean {
    return hasBetween(this.#tables.cooling, 'at', after, by)
  }

  /** Whether there are clinks that wait in the inbox and are not to be run: released a while ago, or given up. */
  hasLeftAlone(now: number): boolean {
    return hasBetween(this.#tables.cooling, 'at', now, Infinity) || this.letters.mayBePending
  }

  /** A clink that this worker sent. */
  async addOwn(clinkId: string, now: number): Promise<void> {
    await this.#tables.own.set(clinkId, now)
  }

  isOwn(clinkId: string): boolean {
    return this.#tables.own.get(clinkId) !== undefined
  }

  async holdClaim(claim: HeldClaim): Promise<void> {
    await this.#tables.claims.set(claim.clink.clink_id, claim)
  }

  async dropClaim(clinkId: string): Promise<void> {
    await this.#tables.claims.delete(clinkId)
  }

  /** Code that has outlived its claim has ended. A later claim on the same clink stays. */
  async dropLost(clinkId: string): Promise<void> {
    if (this.#tables.claims.get(clinkId)?.releasing === true) await this.dropClaim(clinkId)
  }

  /**
   * Forgets what nobody will ask for any more: cooling that is over, late results of more than `keep` milliseconds ago, and what is
   * remembered of clinks that the inbox shows no more. Dead letters stay until somebody acts.
   */
  async prune(keep: number): Promise<void> {
    const now = this.#wall()
    await Promise.all([
      dropUntil(this.#tables.cooling, 'at', now),
      this.late.dropUntil(now - keep),
      this.sightings.prune(keep),
    ])
  }

  fact(name: string): string | undefined {
    return this.#tables.facts.get(name)
  }

  async noteFact(name: string, value: string): Promise<void> {
    await this.#tables.facts.set(name, value)
  }

  /** A fact about the service at this address; what is kept of another one is none. */
  serviceFact(url: string, name: string): string | undefined {
    const fact = this.fact(name)
    return fact?.startsWith(`${url} `) === true ? fact.slice(url.length + 1) : undefined
  }

  async noteServiceFact(url: string, name: string, value: string): Promise<void> {
    await this.noteFact(name, `${url} ${value}`)
  }

  heldClaims(): readonly HeldClaim[] {
    return [...this.#tables.claims.entries()].map(([, claim]) => claim)
  }

  async #forget(clinkId: string): Promise<void> {
    await Promise.all([this.#tables.attempts.delete(clinkId), this.#tables.results.delete(clinkId)])
  }

  #attemptsOf(clinkId: string): Attempts {
    return this.#tables.attempts.get(clinkId) ?? { count: 0, errors: [], crashes: 0, at: 0 }
  }

  async #changeAttempts(clinkId: string, change: Partial<Attempts>): Promise<void> {
    await this.#tables.attempts.set(clinkId, { ...this.#attemptsOf(clinkId), ...change, at: this.#wall() })
  }
}
