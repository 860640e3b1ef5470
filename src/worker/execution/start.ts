import { AbortSource } from '../../base/abort-source.ts'
import { sleep } from '../../base/clock.ts'
import type { DeliveryFacts } from '../../events.ts'
import type { AbortCode } from '../../handlers/handler.ts'
import type { PlannedClink } from '../../handlers/policy.ts'
import { toldOf, type Outcome } from '../../runners/outcome.ts'
import type { ExecutionParts } from './context.ts'
import { AFTERMATH } from './crash-watch.ts'
import { isNoEnding, isNothing, resultOf, verdictOnRoute } from './ends-of-runs.ts'
import { decide, type Decision } from './outcome.ts'
import { Run } from './run.ts'
import { RunAlone } from './run-alone.ts'
import { SignsOfLife } from './signs-of-life.ts'
import { taskOf, type ClinkInHand } from './task.ts'

/** One start of a handler on a clink in hand: journalled before it happens, and charged when it is known what came of it. */
export class Start {
  /** Which start of the clink's it is, from 1, once that is journalled. */
  attempt = 0
  /** It is being journalled: whatever becomes of the claim meanwhile, the next process has to know that it may have run. */
  isBeginning = false
  /** Whether the handler's code runs. */
  isRunning = false
  /** Milliseconds that its code took, once that has ended. */
  ranFor: number | undefined
  readonly signs: SignsOfLife
  readonly #inHand: ClinkInHand
  readonly #planned: PlannedClink
  readonly #parts: ExecutionParts
  readonly #interrupted = new AbortSource()
  #run: Run | undefined
  #isAbandoned = false
  #outcome: Outcome | undefined
  /** It costs an attempt, as it stands. */
  #isCounted = true
  /** Its failure costs none. */
  #isFree = false
  /** What its end has left to note is in the journal. */
  #noted: Promise<unknown> = Promise.resolve()
  /** Of a suspect that may have left something behind: local time until which it stays alone. */
  #aloneUntil: number | undefined
  #alone: RunAlone | undefined
  /** An operator has cancelled it: what follows. */
  #cancelled: Decision | undefined

  constructor(inHand: ClinkInHand, planned: PlannedClink, parts: ExecutionParts) {
    this.#inHand = inHand
    this.#planned = planned
    this.#parts = parts
    this.signs = new SignsOfLife(parts.context.clock)
  }

  /** Local time since which the handler is stuck. */
  get stuckSince(): number | undefined {
    return this.#run?.stuckSince
  }

  /** Milliseconds that it has had; undefined where it has not begun, or a stop has broken it off. */
  get age(): number | undefined {
    return this.#run?.abortedBy === 'shutdown' ? undefined : this.#run?.age
  }

  /** In one commit: an attempt, the clink as one that runs, and that a suspect runs alone. Whoever starts asks then whether it still may. */
  async journal(): Promise<void> {
    const { memory } = this.#inHand
    this.#parts.health.started(this.#planned.route, memory)
    this.isBeginning = true
    this.attempt = await this.#parts.context.crashWatch.start(this.#inHand)
    this.isBeginning = false
  }

  /** It was journalled, and may not happen after all: a crash from now on is not its own. */
  async callOff(): Promise<void> {
    this.#parts.health.ended(this.#planned.route, this.#inHand.clink.clink_id, 'nothing')
    await Promise.all([this.takeBack(), this.#parts.context.crashWatch.notBegun(this.#inHand.clink.clink_id)])
  }

  /**
   * Resolves when the handler's code has ended; what follows has to be decided in that turn.
   *
   * @param outlast called when a suspect has run alone for long enough: others go on beside it.
   */
  async run(outlast: () => void): Promise<void> {
    const { context, runs } = this.#parts
    const { clock, emit, runner } = context
    const { policy, route } = this.#planned
    const facts = this.#facts
    this.signs.show()
    const task = taskOf(this.#inHand, this.#planned, facts, context, this)
    const run = new Run({ task, signs: this.signs, runner, clock, emit, facts, policy })
    this.#run = run
    this.isRunning = true
    const { clink, memory } = this.#inHand
    if (memory.tried.isSuspect) (this.#alone = new RunAlone(clink.clink_id, context)).begin(outlast)
    const file = route.target.is === 'module' ? route.file : undefined
    const outcome = task.services.conclude(await runs.track(clink.clink_id, file, run.start()))
    this.isRunning = false
    this.#outcome = outcome
    this.ranFor = run.age
    this.#ended(run, outcome)
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

  /** @param decision what follows, unless the handler comes to an end all the same. */
  cancel(decision: Decision): void {
    this.#cancelled = decision
    this.abort('cancelled')
  }

  /** Its claim is gone. What has not begun, or a stop has aborted, costs no attempt, also where the process ends before that is over. */
  lost(): void {
    if (this.isBeginning || this.#run?.abortedBy === 'shutdown') void this.takeBack()
    else this.abort('lease-lost')
  }

  /** Ends its code. @returns whether anybody can. */
  kill(): boolean {
    return this.#run?.kill() ?? false
  }

  /** The process ends though its code runs, unless that can be killed. It has come to something if it has run longer than it may. */
  abandon(): void {
    this.#isAbandoned = true
    this.#outcome = this.#run?.timedOut
    this.#run?.kill()
  }

  /**
   * What follows from it; undefined: nothing, since a stop has cut it short, or it was called off.
   *
   * @param heldFor milliseconds that the clink was held so far.
   */
  decide(heldFor: number): Decision | undefined {
    const outcome = this.#outcome
    if (outcome === undefined || this.#wasCutShort(outcome)) return undefined
    if (this.#cancelled !== undefined && isNoEnding(outcome)) return this.#cancelled
    const { context, health } = this.#parts
    const { clock, random } = context
    const { policy, route } = this.#planned
    const clinkId = this.#inHand.clink.clink_id
    const attempt = this.attempt - this.#inHand.memory.tried.excused
    // It may be decided on before its code has ended.
    const isFree = this.isRunning ? !health.costsAttempt(route) : this.#isFree
    const state = { clinkId, attempt, heldFor, now: clock.wall(), isFree }
    return decide(outcome, state, policy, random)
  }

  /**
   * What it costs when another one follows: an attempt or nothing, as where a handler gives its clink back once a stop has aborted it. That
   * it has failed is noted, whatever it costs.
   */
  async charge({ countsAttempt }: { readonly countsAttempt: boolean }): Promise<void> {
    const outcome = this.#outcome
    const isFree = !countsAttempt || this.#run?.abortedBy === 'shutdown'
    const { ledger } = this.#parts.context
    const { clink_id: id } = this.#inHand.clink
    if (outcome?.outcome !== 'failed')
      return isFree ? await this.takeBack() : await ledger.outcome(id, { is: 'given-back-by-handler' })
    const { message } = outcome.error
    const note = { is: 'error', message, countsAttempt: countsAttempt || !this.#isCounted } as const
    this.#isCounted &&= countsAttempt
    await ledger.outcome(id, note)
  }

  /** It was cut short, or must not count. */
  async takeBack(): Promise<void> {
    if (!this.#isCounted) return
    this.#isCounted = false
    await this.#parts.context.ledger.outcome(this.#inHand.clink.clink_id, { is: 'not-counted' })
  }

  /**
   * In its slot, when what follows from it is done: a suspect stays alone for a while, so that a crash by what it has left behind is
   * known to be its own.
   */
  async aftermath(): Promise<void> {
    await this.#noted
    if (this.#aloneUntil === undefined) return
    const { clock, crashWatch } = this.#parts.context
    await sleep(clock, this.#aloneUntil - clock.now(), this.#interrupted.signal)
    await crashWatch.survived(this.#inHand.clink.clink_id)
  }

  get #facts(): Required<DeliveryFacts> {
    return { clink: this.#inHand.clink, route: this.#planned.route.name, attempt: this.attempt }
  }

  /** Something may be sent for it. */
  get counts(): boolean {
    return this.isRunning && !this.#isAbandoned && this.#inHand.valid()
  }

  /** Aborts with the run. */
  get aborted(): AbortSignal {
    return this.#run?.signals.abort ?? this.#interrupted.signal
  }

  #wasCutShort(outcome: Outcome): boolean {
    return this.#run?.abortedBy === 'shutdown' && isNothing(outcome)
  }

  /** Nothing is awaited here: what follows from the run has to be decided in the turn in which it ended. */
  #ended(run: Run, outcome: Outcome): void {
    const { context, health } = this.#parts
    const facts = this.#facts
    this.#alone?.end()
    this.#noted = this.#watch(outcome)
    // The clock decides here and not the timer: after a blocked event loop this continuation runs before it.
    const stands = this.#inHand.check()
    const verdict = stands ? verdictOnRoute(run, outcome) : 'nothing'
    this.#isFree = !health.ended(this.#planned.route, facts.clink.clink_id, verdict)
    // A stop that has not waited for its end has given the clink back by now.
    const isCut = (stands || this.#isAbandoned) && this.#wasCutShort(outcome)
    const shown = isCut ? 'cut-short' : stands ? outcome.outcome : 'lost'
    context.emit({ event: 'clink.ended', ...facts, outcome: shown, ...toldOf(outcome), duration: run.age })
    if (stands) return
    const late = resultOf(outcome)
    if (late !== undefined) {
      context.emit({ event: 'clink.lateResult', ...facts, outcome: late.outcome })
      void context.ledger.late.keep({ ...facts, why: 'late', at: context.clock.wall(), ...late })
    }
    if (run.abortedBy === 'shutdown') this.#noted = Promise.all([this.#noted, this.takeBack()])
  }

  /** What it left behind may end the process a moment later. A clink that is done does not come again. */
  async #watch({ outcome }: Outcome): Promise<void> {
    const { clock, crashWatch } = this.#parts.context
    const { clink, route } = this.#facts
    const id = clink.clink_id
    if (outcome === 'unavailable') return await crashWatch.notBegun(id)
    const isAlone = this.#alone?.isOutlasting === false
    this.#aloneUntil = isAlone && outcome !== 'done' ? clock.now() + AFTERMATH : undefined
    if (this.#aloneUntil !== undefined) await crashWatch.endedAlone({ clink, route })
    else if (outcome !== 'done') await crashWatch.ended(id)
    else if (this.#alone !== undefined) await crashWatch.survived(id)
  }
}
