import type { Cancel, Clock } from '../base/clock.ts'
import { EXIT, type ExitCode } from '../base/coded-error.ts'
import type { ClinkApiError } from '../clink/errors.ts'
import { looksForbidden } from '../clink/verdicts.ts'
import type { Taken } from '../worker/claiming/mode.ts'
import type { Snapshot } from '../worker/worker.ts'

/** Failures in a row after which the service counts as away. */
const AWAY = 3
/** How long the journal may fail before the work is given up, in milliseconds: a full disk may have room again in a moment. */
const PATIENCE = 10_000
const LOOK = 1_000
const WITHHELD = 'clinks wait, and the service claims none of them'

export interface OnceOptions {
  readonly clock: Clock
  readonly snapshot: () => Snapshot
  /** Whether the journal can be written: while it cannot, nothing is claimed or started, and no poll tells of an end. */
  readonly isHealthy: () => boolean
  /** @param why for people, where the code alone does not say it. */
  readonly end: (exit: ExitCode, why?: string) => void
}

/**
 * When a worker that is to work the inbox empty is done: a poll that was sent after the last settlement brought nothing that it
 * would run, and nothing is in hand. A page of what it would not run may hide more, until nothing on it is new.
 */
export class UntilEmpty {
  readonly #options: OnceOptions
  #settledAt = -Infinity
  /** Local time since which the journal cannot be written. */
  #unwritableSince: number | undefined
  #cancel: Cancel = () => {}

  constructor(options: OnceOptions) {
    this.#options = options
  }

  start(): void {
    const { clock } = this.#options
    this.#cancel = clock.at(clock.now() + LOOK, () => {
      this.start()
      this.#look()
    })
  }

  stop(): void {
    this.#cancel()
  }

  settled(): void {
    this.#settledAt = this.#options.clock.now()
  }

  polled({ isEmpty, isWithheld, sentAt }: Taken): void {
    if (isWithheld === true && this.#inHand === 0) this.#options.end(EXIT.unavailable, WITHHELD)
    if (isEmpty && sentAt >= this.#settledAt && this.#inHand === 0) this.#options.end(EXIT.ok)
  }

  /** Nothing is claimed any more. */
  refused(): void {
    this.#options.end(EXIT.refused)
  }

  /** Nothing is ever claimed as the configuration wants it. */
  blocked(): void {
    this.#options.end(EXIT.config)
  }

  /** A 403 that is not the service's own is waited out until it is known to stay: with what to exit depends on that. */
  failed(error: ClinkApiError, failures: number, isRefused: boolean): void {
    if (isRefused) this.#options.end(EXIT.refused)
    else if (failures >= AWAY && !looksForbidden(error)) this.#options.end(EXIT.unavailable)
  }

  get #inHand(): number {
    const { running, queued, held, settling, rerunning, maybeClaimed, probing } = this.#options.snapshot()
    return running + queued + held + settling + rerunning + maybeClaimed + probing
  }

  /** What runs or is being settled can come to an end without the journal; what waits to run cannot. */
  #look(): void {
    const { clock, end, isHealthy, snapshot } = this.#options
    const now = clock.now()
    this.#unwritableSince = isHealthy() ? undefined : (this.#unwritableSince ?? now)
    if (now - (this.#unwritableSince ?? now) < PATIENCE) return
    const { running, settling } = snapshot()
    if (running + settling === 0) end(EXIT.busy)
  }
}
