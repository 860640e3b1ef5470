import { equalJitter, waitAsAsked } from '../../base/backoff.ts'
import type { ClinkApiError } from '../../clink/errors.ts'
import { isConflict } from '../../clink/verdicts.ts'
import type { Candidate } from './candidate.ts'
import type { AdmissionParts } from '../admission/context.ts'
import type { Seats } from '../capacity/capacity.ts'

interface Failure {
  readonly candidate: Candidate
  readonly failures: number
  /** Local time until which the clink is left alone. */
  readonly dueAt: number
  /** There was no verdict, so the claim is tried again. Otherwise the next sweep that shows the clink brings it back. */
  readonly isPutBack: boolean
  /**
   * Of a claim that may have been made: a seat, until the next try and not again after it, since a clink that always fails must not cost the
   * others theirs.
   */
  readonly seat: Seats | undefined
}

/** Failures of more clinks than this are forgotten, the oldest first: the next sweep brings those clinks back. */
const KEPT = 1_000
const LONGEST = 300_000
/** Claims of so many clinks in a row, all failing, are the service's fault. */
const AWAY = 3
/** After so many failures in a row nobody waits for the clink any more, though it is still tried from time to time. */
const PATIENCE = 5

/**
 * Claims by id that failed. Each clink backs off by itself and is put back when its wait is over: what keeps one clink from being
 * claimed must not cost the others a sweep, nor make the whole service look away. Only when the claims of several clinks fail in a
 * row, and none is granted or refused in between, the service is to blame. Then every clink that failed because of it is tried again
 * as soon as a claim is answered, and is at fault itself if it fails then.
 */
export class FailedClaims {
  readonly #shared: Pick<AdmissionParts, 'capacity' | 'context'>
  readonly #failures = new Map<string, Failure>()
  /** Clinks whose claims failed before the service answered those of others. */
  readonly #atFault = new Set<string>()
  /** The others of those that failed since a claim was answered. */
  readonly #inARow = new Map<string, ClinkApiError>()

  constructor(shared: Pick<AdmissionParts, 'capacity' | 'context'>) {
    this.#shared = shared
  }

  /** Why the service counts as away; undefined: it does not. */
  get outage(): ClinkApiError | undefined {
    return this.#inARow.size < AWAY ? undefined : [...this.#inARow.values()].at(-1)
  }

  /** Whether a clink waits for another try whose claim has not failed so often that nobody waits for it. */
  get isWaiting(): boolean {
    return [...this.#failures.values()].some(({ failures, isPutBack }) => isPutBack && failures < PATIENCE)
  }

  /** Local time at which the next clink is to be tried again; `Infinity`: there is none. */
  get retryAt(): number {
    return Math.min(...this.#putBack.map(({ dueAt }) => dueAt))
  }

  /** The clinks that are to be tried again now; while the service counts as away, one of them at least. */
  due(): readonly Candidate[] {
    const now = this.#shared.context.clock.now()
    const all = this.#putBack.toSorted((a, b) => a.dueAt - b.dueAt)
    const due = all.filter(({ dueAt }) => dueAt <= now)
    const tried = due.length === 0 && this.outage !== undefined ? all.slice(0, 1) : due
    return tried.map(({ candidate }) => candidate)
  }

  /** Whether a list that shows the clink is no reason to claim it. */
  holdsBack(clinkId: string): boolean {
    return this.#shared.context.clock.now() < (this.#failures.get(clinkId)?.dueAt ?? -Infinity)
  }

  /** The claim failed: nobody knows why, and it may have been made. */
  failed(candidate: Candidate, error: ClinkApiError): void {
    const { clock, emit } = this.#shared.context
    const { clink } = candidate
    const { dueAt, failures } = this.#note(candidate, true, error)
    if (!this.#atFault.has(clink.clink_id)) this.#inARow.set(clink.clink_id, error)
    emit({ event: 'clink.claimFailed', clink, error, wait: dueAt - clock.now(), failures })
  }

  /** The claim was refused. Another's claim ends in its own time; any other reason will be the same in a moment. */
  refused(candidate: Candidate, error: ClinkApiError | undefined): void {
    this.#answered()
    if (error === undefined || isConflict(error)) this.forget(candidate.clink.clink_id)
    else this.#note(candidate, false)
  }

  /** It could not be found out whether the clink is still pending. */
  postpone(candidate: Candidate): void {
    this.#note(candidate, true)
  }

  granted(clinkId: string): void {
    this.#answered()
    this.forget(clinkId)
  }

  /** The clink is not pending any more, or not ours to claim. */
  forget(clinkId: string): void {
    this.#failures.get(clinkId)?.seat?.free()
    this.#failures.delete(clinkId)
    this.#atFault.delete(clinkId)
    this.#inARow.delete(clinkId)
  }

  get #putBack(): readonly Failure[] {
    return [...this.#failures.values()].filter(({ isPutBack }) => isPutBack)
  }

  #answered(): void {
    const wasAway = this.outage !== undefined
    for (const id of this.#inARow.keys()) {
      this.#atFault.add(id)
      if (wasAway) this.#clear(id)
    }
    this.#inARow.clear()
  }

  /** The outage was to blame: the clink is tried at once. */
  #clear(clinkId: string): void {
    const failure = this.#failures.get(clinkId)
    if (failure === undefined) return
    failure.seat?.free()
    this.#failures.set(clinkId, { ...failure, failures: 0, dueAt: -Infinity, seat: undefined })
  }

  #note(candidate: Candidate, isPutBack: boolean, error?: ClinkApiError): Failure {
    const { clock, random, settings } = this.#shared.context
    const id = candidate.clink.clink_id
    const before = this.#failures.get(id)
    const failures = (before?.failures ?? 0) + 1
    const wait = equalJitter(failures, { base: settings.current.poll.interval, max: LONGEST }, random)
    const dueAt = clock.now() + waitAsAsked(wait, error?.retryAfter)
    const mayBeOurs = isPutBack && failures === 1 && error?.mayHaveHappened === true
    const seat = mayBeOurs ? this.#shared.capacity.reserve(1) : undefined
    seat?.keep(1, dueAt)
    before?.seat?.free()
    const failure = { candidate, failures, isPutBack, dueAt, seat }
    this.#failures.delete(id)
    this.#failures.set(id, failure)
    const [oldest] = this.#failures.keys()
    if (this.#failures.size > KEPT && oldest !== undefined) this.forget(oldest)
    return failure
  }
}
