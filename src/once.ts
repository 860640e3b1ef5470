import { EXIT, type ExitCode } from './base/coded-error.ts'
import type { ClinkApiError } from './clink/errors.ts'
import { looksForbidden } from './clink/verdicts.ts'
import type { Taken } from './worker/claiming.ts'

/** Failures in a row after which the service counts as away. */
const AWAY = 3

/**
 * When a worker that is to work the inbox empty is done: a poll that was sent after the last settlement brought nothing that it
 * would run, and nothing is in hand. A page of what it would not run may hide more, until nothing on it is new.
 */
export class Once {
  readonly #end: (exit: ExitCode) => void
  readonly #now: () => number
  readonly #inHand: () => number
  #settledAt = -Infinity

  constructor(options: { now(): number; inHand(): number; end(exit: ExitCode): void }) {
    this.#now = () => options.now()
    this.#inHand = () => options.inHand()
    this.#end = (exit) => options.end(exit)
  }

  settled(): void {
    this.#settledAt = this.#now()
  }

  polled({ isEmpty, sentAt }: Taken): void {
    if (isEmpty && sentAt >= this.#settledAt && this.#inHand() === 0) this.#end(EXIT.ok)
  }

  /** Nothing is claimed any more. */
  refused(): void {
    this.#end(EXIT.refused)
  }

  /** Nothing is ever claimed as the configuration wants it. */
  blocked(): void {
    this.#end(EXIT.config)
  }

  /** A 403 that is not the service's own is waited out until it is known to stay: with what to exit depends on that. */
  failed(error: ClinkApiError, failures: number, isRefused: boolean): void {
    if (isRefused) this.#end(EXIT.refused)
    else if (failures >= AWAY && !looksForbidden(error)) this.#end(EXIT.unavailable)
  }
}
