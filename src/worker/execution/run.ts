import { after, type Cancel, type Clock } from '../../base/clock.ts'
import { errorFact } from '../../base/error-fact.ts'
import { formatDuration } from '../../base/duration.ts'
import { makeContext, type ContextParts } from '../../handlers/context.ts'
import { HandlerAborted, type AbortCode } from '../../handlers/handler.ts'
import type { RoutedClink } from '../../handlers/route.ts'
import type { Runner } from '../../runners/runner.ts'
import { readOutcome, type HandlerOutcome } from './outcome.ts'

export interface RunOptions {
  readonly routed: RoutedClink
  readonly parts: Omit<ContextParts, 'signal' | 'draining' | 'deadline' | 'match' | 'with'>
  readonly runner: Runner
  readonly clock: Clock
  /** Milliseconds after an abort until the handler counts as stuck. */
  readonly grace: number
  readonly onStuck: (since: number) => void
  readonly onUnstuck: (after: number) => void
}

const ABORT_TEXT: Readonly<Record<AbortCode, string>> = {
  'lease-lost': 'the claim on this clink is lost: nothing done from now on is reported',
  timeout: 'the handler ran longer than its timeout',
  shutdown: 'the worker is stopping',
  cancelled: 'an operator cancelled this run',
}

/** One execution of a handler: its signals, its timeout, and whether it heeds them. */
export class Run {
  /** Resolves when the handler's code has really ended; never rejects. */
  readonly ended: Promise<HandlerOutcome>
  readonly #clock: Clock
  readonly #startedAt: number
  readonly #abort = new AbortController()
  readonly #draining = new AbortController()
  readonly #options: RunOptions
  #abortedBy: AbortCode | undefined
  #cancelTimer: Cancel
  #stuckAt: number | undefined
  #isOver = false

  constructor(options: RunOptions) {
    const { clock, routed } = options
    this.#options = options
    this.#clock = clock
    this.#startedAt = clock.now()
    this.#cancelTimer = after(clock, routed.route.timeout, () => this.abort('timeout'))
    this.ended = this.#execute()
  }

  get abortedBy(): AbortCode | undefined {
    return this.#abortedBy
  }

  /** What it has come to, although its code may go on: it has run longer than its timeout. */
  get timedOut(): HandlerOutcome | undefined {
    return this.#abortedBy === 'timeout' ? this.#timeout() : undefined
  }

  /** Local time since which the handler has ignored its abort for longer than its grace. */
  get stuckSince(): number | undefined {
    return this.#stuckAt
  }

  /** Milliseconds since the handler was started. */
  get age(): number {
    return this.#clock.now() - this.#startedAt
  }

  /** Asks the handler to finish soon. */
  drain(): void {
    this.#draining.abort()
  }

  /** The first abort counts; later ones, and any after the end, change nothing. */
  abort(code: AbortCode): void {
    if (this.#abortedBy !== undefined || this.#isOver) return
    this.#abortedBy = code
    this.#cancelTimer()
    const abortedAt = this.#clock.now()
    this.#cancelTimer = after(this.#clock, this.#options.grace, () => {
      this.#stuckAt = this.#clock.now()
      this.#options.onStuck(this.#stuckAt - abortedAt)
    })
    this.#abort.abort(new HandlerAborted(code, ABORT_TEXT[code]))
  }

  async #execute(): Promise<HandlerOutcome> {
    const { parts, routed, runner, onUnstuck } = this.#options
    const { route, match } = routed
    const { context, made } = makeContext({
      ...parts,
      signal: this.#abort.signal,
      draining: this.#draining.signal,
      deadline: this.#clock.wall() + route.timeout,
      match,
      with: route.with,
    })
    // Not in the turn of the constructor: the handler's first words may need what its maker keeps of this run.
    await Promise.resolve()
    const end = await runner.run(route, parts.clink, context)
    this.#isOver = true
    this.#cancelTimer()
    if (this.#stuckAt !== undefined) onUnstuck(this.#clock.now() - this.#stuckAt)
    this.#stuckAt = undefined
    if (this.#abortedBy !== 'timeout') return readOutcome(end, made)
    return this.#timeout(end.ended === 'threw' ? { cause: errorFact(end.error) } : undefined)
  }

  #timeout(options?: ErrorOptions): HandlerOutcome {
    const limit = formatDuration(this.#options.routed.route.timeout)
    return { outcome: 'failed', error: new Error(`timeout: the handler ran longer than ${limit}`, options) }
  }
}
