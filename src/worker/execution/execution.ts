import { sleep } from '../../base/clock.ts'
import { errorOf } from '../../base/error-fact.ts'
import type { Clink } from '../../clink/records.ts'
import type { RoutedFacts } from '../../events.ts'
import type { AbortCode } from '../../handlers/handler.ts'
import type { RoutedClink } from '../../handlers/route.ts'
import type { WorkerKey } from '../../keys/keys.ts'
import { AFTERMATH } from './crash-watch.ts'
import { outcomePolicy, makeRun, verdictOnRoute, wasCutShort } from './start-run.ts'
import { isResult, keepLate } from './late-outcome.ts'
import type { Outcome } from '../../runners/outcome.ts'
import { decide, type Decision } from './outcome.ts'
import type { Run } from './run.ts'
import type { ExecutionParts } from './context.ts'

export interface ExecutionOptions {
  readonly clink: Clink
  readonly routed: RoutedClink
  readonly key: WorkerKey
  readonly shared: ExecutionParts
  readonly facts: () => RoutedFacts
  /** Journals that the handler is about to run. */
  readonly note: () => Promise<void>
  /** Whether a start that was journalled may happen. */
  readonly mayStart: () => boolean
  /** Says that the handler starts. */
  readonly announce: () => void
  /** Whether what runs still counts: nothing is sent for a run that does not. */
  readonly counts: () => boolean
  /** Whether the claim stands. */
  readonly stands: () => boolean
  /** Local time after which no reply is sent. */
  readonly replyBy: () => number
}

/** The starts of a handler on one clink: journalled before they happen, told of when they end. */
export class Execution {
  readonly #options: ExecutionOptions
  #run: Run | undefined
  #isRunning = false
  #ranFor: number | undefined
  /** What the end of the last run has left to note is in the journal. */
  #noted: Promise<unknown> = Promise.resolve()
  /** Of a suspect whose last run may have left something behind: local time until which it stays alone. */
  #aloneUntil: number | undefined
  readonly #interrupted = new AbortController()
  #attempt = 0
  /** The last start costs an attempt, as it stands. */
  #isCounted = false
  /** The last failure costs none. */
  #isFree = false
  /** Of the outcome that was decided on last. */
  #error: string | undefined

  constructor(options: ExecutionOptions) {
    this.#options = options
  }

  /** The number of the last start, from 1; 0: none yet. */
  get attempt(): number {
    return this.#attempt
  }

  /** Whether the handler's code runs. */
  get isRunning(): boolean {
    return this.#isRunning
  }

  /** Local time since which the handler is stuck. */
  get stuckSince(): number | undefined {
    return this.#run?.stuckSince
  }

  /** Asks the handler to finish soon. */
  drain(): void {
    this.#interrupted.abort()
    this.#run?.drain()
  }

  abort(code: AbortCode): void {
    this.#interrupted.abort()
    this.#run?.abort(code)
  }

  /** Undefined: the handler was not started after all, and the start does not count. */
  async start(): Promise<Outcome | undefined> {
    const { announce, clink, counts, facts, key, mayStart, replyBy, routed, shared } = this.#options
    const { context, health } = shared
    health.started(routed.route, clink.clink_id)
    await this.#journalStart()
    if (!mayStart()) {
      health.ended(routed.route, clink.clink_id, 'nothing')
      await this.takeBack()
      return undefined
    }
    announce()
    const run = makeRun({
      clink,
      routed,
      attempt: this.#attempt,
      key,
      context,
      facts: facts(),
      isCurrent: (one) => one === this.#run && this.#isRunning && counts(),
      replyBy,
    })
    this.#run = run
    this.#isRunning = true
    const outcome = await shared.runs.track(clink.clink_id, routed.route.file, run.start())
    this.#isRunning = false
    this.#ranFor = run.age
    this.#ended(run, outcome)
    return outcome
  }

  /**
   * In the slot of the last run, when what follows from it is done: a suspect stays alone for a while, so that a crash by what it has left
   * behind is known to be its own.
   */
  async aftermath(): Promise<void> {
    await this.#noted
    if (this.#aloneUntil === undefined) return
    const { clink, shared } = this.#options
    const { clock, crashWatch } = shared.context
    await sleep(clock, this.#aloneUntil - clock.now(), this.#interrupted.signal)
    this.#aloneUntil = undefined
    await crashWatch.survived(clink.clink_id)
  }

  /** Whether a stop broke the last run off, which then came to nothing. */
  wasCutShort(outcome: Outcome): boolean {
    return wasCutShort(this.#run, outcome)
  }

  /** Takes the last start back: it was cut short, or must not count. */
  async takeBack(): Promise<void> {
    if (!this.#isCounted) return
    this.#isCounted = false
    await this.#options.shared.context.ledger.takeBackAttempt(this.#options.clink.clink_id)
  }

  /** What a start costs that another one follows: an attempt or nothing. That it has failed is noted, whatever it costs. */
  async charge({ countsAttempt }: { readonly countsAttempt: boolean }): Promise<void> {
    const { clink, shared } = this.#options
    const error = this.#error
    await Promise.all([
      error === undefined ? undefined : shared.context.ledger.noteError(clink.clink_id, error),
      countsAttempt ? undefined : this.takeBack(),
    ])
  }

  /** @param heldFor milliseconds that the clink was held so far. */
  decide(outcome: Outcome, heldFor: number): Decision {
    const { clink, routed, shared } = this.#options
    const { context } = shared
    const clinkId = clink.clink_id
    this.#error = outcome.outcome === 'failed' ? outcome.error.message : undefined
    const attempt = this.#attempt - context.ledger.excusedOf(clinkId)
    // It may be decided on before its code has ended.
    const isFree = this.#isRunning ? !shared.health.costsAttempt(routed.route) : this.#isFree
    const state = { clinkId, attempt, heldFor, now: context.clock.wall(), isFree }
    return decide(outcome, state, outcomePolicy(routed.route, context), context.random)
  }

  /** Takes up the count of the starts before. */
  recall(): void {
    this.#attempt = this.#options.shared.context.ledger.startsOf(this.#options.clink.clink_id)
  }

  /** What the last run has come to, although its code goes on. */
  get known(): Outcome | undefined {
    return this.#run?.timedOut
  }

  /** Milliseconds that the last run took, once it has ended. */
  get ranFor(): number | undefined {
    return this.#ranFor
  }

  /** Milliseconds that the last run has had; undefined where there is none, or a stop has broken it off. */
  get age(): number | undefined {
    return this.#run?.abortedBy === 'shutdown' ? undefined : this.#run?.age
  }

  async #journalStart(): Promise<void> {
    const { clink, note, shared } = this.#options
    const { crashWatch, ledger } = shared.context
    const id = clink.clink_id
    this.#run = undefined // until the next one begins
    this.#isCounted = true
    const [attempt] = await Promise.all([
      ledger.startAttempt(id),
      note(),
      ledger.isSuspect(id) ? crashWatch.runsAlone(id) : undefined,
    ])
    this.#attempt = attempt
  }

  /** Nothing is awaited here: what follows from the run has to be decided in the turn in which it ended. */
  #ended(run: Run, outcome: Outcome): void {
    const { clink, routed, shared } = this.#options
    const id = clink.clink_id
    this.#noted = this.#watch(outcome)
    // The clock decides here and not the timer: after a blocked event loop this continuation runs before it.
    const stands = this.#options.stands()
    const verdict = stands ? verdictOnRoute(run, outcome) : 'nothing'
    this.#isFree = !shared.health.ended(routed.route, id, verdict)
    this.#report(run, outcome, stands)
    if (!stands && run.abortedBy === 'shutdown') this.#noted = Promise.all([this.#noted, this.takeBack()])
  }

  /** What it left behind may end the process a moment later. A clink that is done does not come again. */
  async #watch({ outcome }: Outcome): Promise<void> {
    const { clink, routed, shared } = this.#options
    const { clock, crashWatch, ledger } = shared.context
    const id = clink.clink_id
    const isSuspect = ledger.isSuspect(id)
    this.#aloneUntil = isSuspect && outcome !== 'done' ? clock.now() + AFTERMATH : undefined
    if (this.#aloneUntil !== undefined) await crashWatch.endedAlone({ clink, route: routed.route.name })
    else if (isSuspect) await crashWatch.survived(id)
    else if (outcome !== 'done') await crashWatch.ended(id)
  }

  #report(run: Run, outcome: Outcome, stands: boolean): void {
    const { facts, shared } = this.#options
    const { context } = shared
    const shown = !stands ? 'lost' : wasCutShort(run, outcome) ? 'cut-short' : outcome.outcome
    context.emit({ event: 'clink.ended', ...facts(), outcome: shown, ...why(outcome), duration: run.age })
    if (stands || !isResult(outcome)) return
    context.emit({ event: 'clink.lateResult', ...facts(), outcome: outcome.outcome })
    keepLate(facts(), outcome, context)
  }
}

function why(outcome: Outcome): { reason?: string; error?: Error } {
  if (outcome.outcome === 'failed') return { reason: outcome.error.message, error: errorOf(outcome.error) }
  return 'reason' in outcome && outcome.reason !== undefined ? { reason: outcome.reason } : {}
}
