import { monotonicNow, wallNow } from '../base/host-time.ts'
import type { Clink } from '../clink/records.ts'
import { changeBy, type AttemptNote } from './attempt-notes.ts'
import { Audit } from './audit.ts'
import { Cooling } from './cooling.ts'
import type { Fleet, SeenPauses } from './fleet.ts'
import { DeadLetters, openRerun, type DeadLetter, type LetterChange } from './dead-letters.ts'
import { LetterActs } from './letter-acts.ts'
import { LateResults, type LateResult } from './late-results.ts'
import { KeptPauses, PAUSES } from './pauses.ts'
import { ProcessLedger, type HeldClaim } from './process.ts'
import { Progress } from './progress.ts'
import { Memory, triedBy, withStart, type Memories } from './memory.ts'
import { sentResult, type Attempts, type FailedLeases, type KeptResult, type Tried } from './remembered.ts'
import { Sightings } from './sightings.ts'
import { Steps } from './steps.ts'
import { together } from './table.ts'
import type { LedgerTables } from './tables.ts'

export type { LedgerTables } from './tables.ts'

/** What the worker remembers about clinks beyond one delivery. The heart acts on a fact only when its write has resolved. */
export class Ledger {
  readonly process: ProcessLedger
  readonly letters: DeadLetters
  readonly late: LateResults
  readonly sightings: Sightings
  readonly steps: Steps
  readonly pauses: KeptPauses
  readonly fleetPauses: { readonly seen: SeenPauses; readonly kept: KeptPauses } | undefined
  readonly fleetLimits: Fleet['limits'] | undefined
  readonly audit: Audit
  readonly #tables: LedgerTables
  readonly #progress: Progress
  readonly #fleet: Fleet | undefined
  readonly isKept: () => boolean
  readonly isTold: Fleet['isTold']
  readonly cooling: Cooling
  readonly #acts: LetterActs
  readonly #wall: () => number

  /**
   * @param isHealthy whether writes are kept; while they are not, nothing new may start.
   * @param fleet what is shared with other workers, over these same tables.
   */
  constructor(
    tables: LedgerTables,
    isHealthy = (): boolean => true,
    wall = wallNow,
    steady = wall === wallNow ? monotonicNow : wall,
    fleet?: Fleet,
  ) {
    this.#tables = tables
    this.#fleet = fleet
    this.#progress = new Progress(tables, fleet)
    this.process = new ProcessLedger(tables, this.#progress, fleet)
    this.pauses = new KeptPauses(this.process, PAUSES.own)
    this.fleetPauses = fleet && { seen: fleet.pauses, kept: new KeptPauses(this.process, PAUSES.fleet) }
    this.fleetLimits = fleet?.limits
    this.audit = new Audit(tables.audit, wall, fleet)
    this.letters = new DeadLetters(tables, wall, (id, letter) => this.#progress.changed(id, { letter }), fleet?.member)
    this.#acts = new LetterActs(this.letters, this.#progress, (id) => this.#load(id), wall, fleet)
    this.late = new LateResults(tables.late)
    this.sightings = new Sightings(tables, wall, fleet)
    this.steps = new Steps(tables.steps, this.#progress, wall)
    this.isKept = isHealthy
    this.isTold = (clinkId) => fleet?.isTold(clinkId) !== false
    this.#wall = wall
    this.cooling = new Cooling(tables.cooling, wall, steady)
  }

  get isHealthy(): boolean {
    return this.isKept() && this.#fleet?.isHealthy !== false
  }

  /** Whether the handler of a clink in hand may be started: what is remembered of it is known, and what comes of it will be remembered. */
  mayStart(memory: Memory): boolean {
    return memory.isCurrent && this.isHealthy && !this.letters.isElsewhere(memory)
  }

  /** What is known of earlier starts of the clink's handler. */
  attemptsOf(clinkId: string): Tried {
    return triedBy(this.#progress.attemptsOf(clinkId))
  }

  /** What is remembered of clinks that a page shows, in one go. Of a clink that is worked it is the memory that its work has. */
  async recall(clinkIds: readonly string[]): Promise<Memories> {
    await this.#fleet?.recall(clinkIds)
    const memories = new Map(clinkIds.map((id) => [id, this.#load(id)]))
    return await Promise.resolve((clinkId) => {
      const memory = memories.get(clinkId)
      if (memory === undefined) throw new Error(`nothing was recalled of ${clinkId}`)
      return memory
    })
  }

  /** A start may go by what is known of a clink in hand: what a fleet remembers of it was read a moment ago. */
  isCurrent({ clinkId, isCurrent }: Memory): boolean {
    return isCurrent && this.#fleet?.isOld(clinkId) !== true
  }

  /** Reads again what a fleet remembers of a clink in hand, where that was not read a moment ago. @param isOpen no claim keeps other members from it. */
  async refresh(memory: Memory, isOpen = false): Promise<void> {
    if (this.#fleet === undefined || (!isOpen && this.isCurrent(memory))) return
    const { clinkId, wasRead } = memory
    memory.isCurrent = false
    if (isOpen) this.outdated(clinkId)
    await this.#fleet.recall([clinkId])
    this.#load(clinkId, wasRead && !isOpen)
  }

  /** Another member of a fleet may have had the clink since it was recalled: it has to be read again before its handler starts. */
  outdated(clinkId: string): void {
    this.#fleet?.outdated(clinkId)
  }

  /** What is known of one clink, without a look at what a fleet remembers. */
  recallOne(clinkId: string): Promise<Memory> {
    return Promise.resolve(this.#load(clinkId))
  }

  /** The clink is worked from now on: its memory is kept up to date until `leave`. @returns the one that all who work it share. */
  work(memory: Memory): Memory {
    return this.#progress.work(memory)
  }

  leave(memory: Memory): void {
    this.#progress.leave(memory)
  }

  /** @param isInHand it was read under this claim before: what it has come to since counts, whoever else has settled it. */
  #load(clinkId: string, isInHand = false): Memory {
    if (!isInHand && this.#fleet?.isOver(clinkId) === true) this.#progress.forget(clinkId)
    const facts = { isOwn: this.#tables.own.get(clinkId) !== undefined, coolsFor: this.cooling.of(clinkId) }
    const worked = this.#progress.memoryOf(clinkId)
    const memory = worked === undefined ? this.#loadKept(clinkId, facts) : Object.assign(worked, facts)
    if (this.#fleet !== undefined) memory.takeOthers(this.#fleet.of(clinkId), isInHand)
    return memory
  }

  #loadKept(clinkId: string, facts: Pick<Memory, 'coolsFor' | 'isOwn'>): Memory {
    const [attempts, result] = [this.#progress.attemptsOf(clinkId), this.#progress.resultOf(clinkId)]
    return new Memory(clinkId, { attempts, result, letter: this.#tables.letters.get(clinkId) }, facts)
  }

  /**
   * A handler is about to start, over a claim or over a dead letter. In one commit here; over two stores what this process has in hand comes
   * first, so that no start is counted of which nobody knows that it may be under way.
   * @param isAlone nothing runs beside it.
   * @returns the number of the start, from 1.
   */
  async begin(over: { readonly claim: HeldClaim } | { readonly letter: string }, isAlone = false): Promise<number> {
    const clinkId = 'claim' in over ? over.claim.clink.clink_id : over.letter
    const letter = 'letter' in over ? this.letters.get(clinkId) : undefined
    const attempts = withStart(letter, this.#progress.attemptsOf(clinkId), this.#wall())
    const isOverLetter = 'letter' in over
    await together(
      isOverLetter ? this.letters.noteRerun(clinkId, { step: 'running' }) : this.#progress.hold(over.claim, attempts),
      isAlone ? this.process.note({ alone: clinkId }) : undefined,
      isOverLetter ? this.#progress.setAttempts(clinkId, attempts, true) : undefined,
    )
    return attempts.count + (this.#progress.memoryOf(clinkId)?.startsOfOthers ?? 0)
  }

  /** What a start has come to. The fleet's alone: the claim stays what it is. */
  async outcome(clinkId: string, note: AttemptNote): Promise<void> {
    if (note.is === 'given-back-by-handler' && this.#fleet === undefined) return
    const change = changeBy(note, this.#progress.attemptsOf(clinkId))
    if (change?.count === 0) this.letters.takenBack(clinkId)
    if (change !== undefined) await this.#change(clinkId, change)
  }

  /**
   * A result computed while its lease stood. It is final: sent under a later claim, never computed again. Over two stores this one keeps it
   * first: whoever has computed a result sends it, whatever becomes of the other store.
   */
  keepResult(clink: Clink, response: string | undefined): Promise<void> {
    const { leases = 0, failedAt } = this.keptResult(clink) ?? {}
    const kept = { content: clink.content, leases, failedAt, at: this.#wall() }
    return this.#progress.setResult(clink.clink_id, response === undefined ? kept : { ...kept, response })
  }

  /** The kept result of this clink, unless the clink has become another one (other content) since. */
  keptResult(clink: Clink): KeptResult | undefined {
    const result = this.#progress.resultOf(clink.clink_id)
    return result?.content === clink.content ? result : undefined
  }

  /** Notes that another lease ended in which the service failed for so long to take the kept result, or a notice. Undefined: there is none. */
  async failedLease(clinkId: string, ms: number): Promise<FailedLeases | undefined> {
    const letter = this.letters.get(clinkId)
    if (letter?.notice !== undefined) return await this.letters.failedLease(letter, ms)
    const result = this.#progress.resultOf(clinkId)
    if (result === undefined) return undefined
    const [leases, failedAt] = [result.leases + 1, result.failedAt ?? this.#wall() - ms]
    await this.#progress.setResult(clinkId, { ...result, leases, failedAt })
    return { leases, over: this.#wall() - failedAt }
  }

  /**
   * Clink has the result, or, as `sent`, the sender of a clink that was run again has it. Attempts, kept result and claim are no longer
   * needed, and go in one commit, since a claim without its result would be taken up and its clink run again: over two stores the claim goes
   * first and the result last.
   *
   * Clink may hold a clink for open whose result was `sent`, where it never took the notice that the clink had failed: then the clink comes
   * back, and is completed without a response rather than run once more.
   */
  settled(clink: Clink, how: 'confirmed' | 'sent' = 'confirmed'): Promise<void> {
    const id = clink.clink_id
    // A letter may be run again, though its sender was told that it failed.
    const isLate = how === 'confirmed' && this.#progress.resultOf(id)?.isLate === true
    const keepsSteps = how === 'confirmed' && this.letters.has(id)
    const goesOn = how === 'confirmed' && openRerun(this.letters.get(id)) !== undefined
    const left = how === 'sent' ? sentResult(clink, this.#wall()) : undefined
    return together(
      keepsSteps || !this.#progress.mayHaveSteps(id) ? undefined : this.#tables.steps.drop(id),
      goesOn ? this.#progress.release(id) : this.#progress.end(id, left),
      how === 'sent' ? this.letters.remove(id) : this.letters.noticed(id),
      this.#tables.own.delete(id),
      isLate ? this.late.taken(id) : undefined,
    )
  }

  /**
   * Clink refuses what was to be sent: somebody else has settled the clink, or we may not any more. It is kept for the operator until Clink takes
   * it after all, and costs no attempt. In one commit; over two stores the late result comes first.
   */
  async settledElsewhere(facts: Pick<LateResult, 'clink' | 'route'> & { readonly attempt?: number }): Promise<void> {
    const id = facts.clink.clink_id
    const kept = this.keptResult(facts.clink)
    // The operator has the letter.
    const writes = [this.letters.noticed(id)]
    if (kept !== undefined) {
      const late = {
        attempt: this.#progress.attemptsOf(id).count,
        ...facts,
        why: 'elsewhere',
        outcome: 'done',
      } as const
      const result = kept.response === undefined ? late : { ...late, response: kept.response }
      writes.push(
        this.late.keep({ ...result, at: this.#wall() }),
        this.#progress.setResult(id, { ...kept, isLate: true }),
        this.outcome(id, { is: 'not-counted' }),
      )
    }
    await Promise.all(writes)
  }

  /**
   * The clink is given up. In one commit; over two stores the letter comes first: a clink of which nothing is known would be run.
   *
   * @param keepsResult there is a result, perhaps another member's, which Clink did not take: a later claim on the clink sends it.
   */
  async deadLetter(letter: DeadLetter, keepsResult = false): Promise<void> {
    const id = letter.clink.clink_id
    if (keepsResult) await this.#fleet?.recall([id])
    const result = keepsResult ? (this.#progress.resultOf(id) ?? this.#load(id).others?.result) : undefined
    await Promise.all([
      this.letters.add(letter),
      this.#progress.reset(id, result && { ...result, leases: 0, failedAt: undefined }),
      this.process.gaveUp(id),
    ])
  }

  async retry(clinkId: string): Promise<LetterChange> {
    return await this.#acts.retry(clinkId)
  }

  async discard(clinkId: string): Promise<LetterChange> {
    return await this.#acts.discard(clinkId)
  }

  /** Whether there are clinks that wait in the inbox and are not to be run: released a while ago, or given up. */
  hasLeftAlone(now: number): boolean {
    return this.cooling.hasBetween(now, Infinity) || this.letters.mayBePending
  }

  /** A clink that this worker sent. */
  async addOwn(clinkId: string, now: number): Promise<void> {
    await this.#tables.own.set(clinkId, now)
  }

  /**
   * Forgets what nobody will ask for any more: cooling that is over, late results of more than `keep` milliseconds ago, and what is
   * remembered of clinks that the inbox shows no more. Dead letters stay until somebody acts.
   */
  async prune(keep: number): Promise<void> {
    await Promise.all([
      this.cooling.prune(),
      this.late.dropUntil(this.#wall() - keep),
      this.sightings.prune(keep),
      this.#fleet?.prune(keep),
    ])
  }

  async #change(clinkId: string, change: Partial<Attempts>): Promise<void> {
    await this.#progress.setAttempts(clinkId, { ...this.#progress.attemptsOf(clinkId), ...change, at: this.#wall() })
  }
}
