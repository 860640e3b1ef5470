import type { Clock } from '../../base/clock.ts'

/** Milliseconds that polls stay behind the next try. */
const AHEAD = 250

/**
 * Who goes first where the service limits the rate of requests: settlements and renewals keep what is already ours, so while
 * one of them waits for its next try after a 429, polls wait too.
 */
export class RateLimit {
  readonly #clock: Clock
  #until = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A settlement or renewal was refused for its rate and tries again after `wait` milliseconds. */
  refused(wait: number): void {
    this.#until = Math.max(this.#until, this.#clock.now() + wait + AHEAD)
  }

  /** Milliseconds until a poll may be sent; nothing or less: now. */
  get pollWait(): number {
    return this.#until - this.#clock.now()
  }
}
