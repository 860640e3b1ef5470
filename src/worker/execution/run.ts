import { AbortSource } from '../../base/abort-source.ts'
import { after, type Cancel, type Clock } from '../../base/clock.ts'
import { cutText, LONGEST } from '../../base/cut-text.ts'
import { errorFact } from '../../base/error-fact.ts'
import type { DeliveryFacts, Emit } from '../../events.ts'
import { HandlerAborted, type AbortCode } from '../../handlers/handler.ts'
import type { Policy } from '../../handlers/policy.ts'
import { saidIn, type Outcome } from '../../runners/outcome.ts'
import type { Runner, Running, Task } from '../../runners/runner.ts'
import { RunSignals } from './run-signals.ts'
import type { SignsOfLife } from './signs-of-life.ts'
import { TimeLimits } from './time-limits.ts'

export interface RunOptions {
  readonly task: Omit<Task, 'signals'>
  readonly runner: Runner
  readonly clock: Clock
  readonly emit: Emit
  readonly facts: DeliveryFacts
  readonly signs: SignsOfLife
  /** Milliseconds: how long it may take, and show no sign of life, and how long after its abort it counts as stuck. */
  readonly policy: Pick<Policy, 'timeout' | 'idle' | 'grace'>
}

const ABORT_TEXT: Readonly<Record<Exclude<AbortCode, 'timeout'>, string>> = {
  'lease-lost': 'the claim on this clink is lost: nothing done from now on is reported',
  shutdown: 'the worker is stopping',
  cancelled: 'an operator cancelled this run',
}

const STUCK_ADVICE =
  'the handler ignores ctx.signal and keeps its slot: pass the signal to what it waits for, or end its loops when it aborts'
const KILLED_ADVICE = 'the handler ignored ctx.signal and is ended now: pass the signal to what it waits for'

/** One execution of a handler: its signals, its timeout, and whether it heeds them. */
export class Run {
  readonly #options: RunOptions
  readonly #startedAt: number
  readonly #abort = new AbortSource()
  readonly #draining = new AbortSource()
  readonly signals = new RunSignals(this.#abort, this.#draining)
  #running: Running | undefined
  #abortedBy: AbortCode | undefined
  #cancelTimer: Cancel = () => {}
  readonly #limits: TimeLimits
  #stuckAt: number | undefined
  #isOver = false

  constructor(options: RunOptions) {
    this.#options = options
    this.#startedAt = options.clock.now()
    this.#limits = new TimeLimits(options)
  }

  /** Resolves when the handler's code has really ended; never rejects. Once. */
  async start(): Promise<Outcome> {
    const { clock, emit, facts, runner, task } = this.#options
    this.#running = runner.start({ ...task, signals: this.signals })
    this.#limits.begin(this.#running.begun, () => this.abort('timeout'))
    const outcome = shortened(await this.#running.ended)
    this.#isOver = true
    this.#cancelTimer()
    this.#limits.end()
    if (this.#stuckAt !== undefined) emit({ event: 'clink.unstuck', ...facts, after: clock.now() - this.#stuckAt })
    this.#stuckAt = undefined
    if (this.#abortedBy === 'timeout') return this.#timeout(outcome)
    if (this.#abortedBy === undefined || outcome.outcome !== 'failed') return outcome
    return { ...outcome, own: this.#abortedBy, ...saidIn(outcome) }
  }

  get abortedBy(): AbortCode | undefined {
    return this.#abortedBy
  }

  /** What it has come to, although its code may go on: it has run longer than its timeout. */
  get timedOut(): Outcome | undefined {
    return this.#abortedBy === 'timeout' ? this.#timeout() : undefined
  }

  /** Local time since which the handler has ignored its abort for longer than its grace. */
  get stuckSince(): number | undefined {
    return this.#stuckAt
  }

  /** Milliseconds since the handler was started. */
  get age(): number {
    return this.#options.clock.now() - this.#startedAt
  }

  /** Asks the handler to finish soon. */
  drain(): void {
    this.#draining.abort()
  }

  /** The first abort counts; later ones, and any after the end, change nothing. */
  abort(code: AbortCode): void {
    if (this.#abortedBy !== undefined || this.#isOver) return
    const { clock, policy } = this.#options
    this.#abortedBy = code
    this.#cancelTimer()
    this.#limits.end()
    const abortedAt = clock.now()
    this.#cancelTimer = after(clock, policy.grace, () => this.#outlastedGrace(abortedAt))
    this.#abort.abort(new HandlerAborted(code, code === 'timeout' ? this.#limits.text : ABORT_TEXT[code]))
  }

  /** Ends its code, where the runner can. @returns whether it can. */
  kill(): boolean {
    this.#running?.kill?.()
    return this.#running?.kill !== undefined
  }

  /** The handler ignores its abort. */
  #outlastedGrace(abortedAt: number): void {
    const { clock, emit, facts } = this.#options
    this.#stuckAt = clock.now()
    const advice = this.#running?.kill === undefined ? STUCK_ADVICE : KILLED_ADVICE
    emit({ event: 'clink.stuck', ...facts, since: this.#stuckAt - abortedAt, advice })
    this.kill()
  }

  /** @param by what its code has come to after its abort, once that is known. */
  #timeout(by?: Outcome): Outcome {
    const own = `timeout: ${this.#limits.text}`
    const error = errorFact(new Error(own))
    if (by?.outcome !== 'failed') return { outcome: 'failed', error, own }
    return { outcome: 'failed', error: { ...error, cause: by.error }, own, ...saidIn(by) }
  }
}

/** With texts that are no longer than what is kept of them. An `ErrorFact` is short from the beginning. */
function shortened(outcome: Outcome): Outcome {
  if ('response' in outcome) return { ...outcome, response: cutText(outcome.response, LONGEST.response) }
  return 'reason' in outcome ? { ...outcome, reason: cutText(outcome.reason, LONGEST.error) } : outcome
}
