import { AbortSource } from '../../base/abort-source.ts'
import { after, type Cancel, type Clock } from '../../base/clock.ts'
import { cutText, LONGEST } from '../../base/cut-text.ts'
import { errorFact, type ErrorFact } from '../../base/error-fact.ts'
import { formatDuration } from '../../base/duration.ts'
import type { DeliveryFacts, Emit } from '../../events.ts'
import { HandlerAborted, type AbortCode } from '../../handlers/handler.ts'
import type { Outcome } from '../../runners/outcome.ts'
import type { Runner, Running, Task } from '../../runners/runner.ts'

export interface RunOptions {
  readonly task: Omit<Task, 'signals'>
  readonly runner: Runner
  readonly clock: Clock
  readonly emit: Emit
  readonly facts: DeliveryFacts
  /** Milliseconds. */
  readonly timeout: number
  /** Milliseconds after an abort until the handler counts as stuck. */
  readonly grace: number
}

const ABORT_TEXT: Readonly<Record<AbortCode, string>> = {
  'lease-lost': 'the claim on this clink is lost: nothing done from now on is reported',
  timeout: 'the handler ran longer than its timeout',
  shutdown: 'the worker is stopping',
  cancelled: 'an operator cancelled this run',
}

const STUCK_ADVICE =
  'the handler ignores ctx.signal and keeps its slot: pass the signal to what it waits for, or end its loops when it aborts'

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
  #stuckAt: number | undefined
  #isOver = false

  constructor(options: RunOptions) {
    this.#options = options
    this.#startedAt = options.clock.now()
  }

  /** Resolves when the handler's code has really ended; never rejects. Once. */
  async start(): Promise<Outcome> {
    const { clock, emit, facts, runner, task, timeout } = this.#options
    this.#cancelTimer = after(clock, timeout, () => this.abort('timeout'))
    this.#running = runner.start({ ...task, signals: this.signals })
    const outcome = shortened(await this.#running.ended)
    this.#isOver = true
    this.#cancelTimer()
    if (this.#stuckAt !== undefined) emit({ event: 'clink.unstuck', ...facts, after: clock.now() - this.#stuckAt })
    this.#stuckAt = undefined
    if (this.#abortedBy !== 'timeout') return outcome
    return this.#timeout(outcome.outcome === 'failed' ? { cause: outcome.error } : undefined)
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
    const { clock, grace } = this.#options
    this.#abortedBy = code
    this.#cancelTimer()
    const abortedAt = clock.now()
    this.#cancelTimer = after(clock, grace, () => this.#outlastedGrace(abortedAt))
    this.#abort.abort(new HandlerAborted(code, ABORT_TEXT[code]))
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
    emit({ event: 'clink.stuck', ...facts, since: this.#stuckAt - abortedAt, advice: STUCK_ADVICE })
    this.kill()
  }

  #timeout(options: { readonly cause?: ErrorFact } = {}): Outcome {
    const limit = formatDuration(this.#options.timeout)
    return {
      outcome: 'failed',
      error: { ...errorFact(new Error(`timeout: the handler ran longer than ${limit}`)), ...options },
    }
  }
}

/** Both signals are made when they are asked for. */
class RunSignals {
  readonly #abort: AbortSource
  readonly #draining: AbortSource

  constructor(abort: AbortSource, draining: AbortSource) {
    this.#abort = abort
    this.#draining = draining
  }

  get abort(): AbortSignal {
    return this.#abort.signal
  }

  get draining(): AbortSignal {
    return this.#draining.signal
  }
}

/** With texts that are no longer than what is kept of them. An `ErrorFact` is short from the beginning. */
function shortened(outcome: Outcome): Outcome {
  if ('response' in outcome) return { ...outcome, response: cutText(outcome.response, LONGEST.response) }
  return 'reason' in outcome ? { ...outcome, reason: cutText(outcome.reason, LONGEST.error) } : outcome
}
