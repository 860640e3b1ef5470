import { equalJitter, type Random } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import type { Settings } from '../../config/settings.ts'

/**
 * Whoever was just answered may well write again: for a while after an answer of ours polls follow each other faster, so that a
 * conversation does not wait for the polls of an empty inbox.
 */
export class Warmth {
  /** Told of each answer; the poller sets it. */
  onAnswer: () => void = () => {}
  readonly #settings: Settings
  readonly #clock: Clock
  readonly #random: Random
  #until = -Infinity

  constructor(settings: Settings, clock: Clock, random: Random) {
    this.#settings = settings
    this.#clock = clock
    this.#random = random
  }

  /** We have sent something to somebody else. */
  answered(): void {
    this.#until = this.#clock.now() + this.#settings.current.poll.warm.for
    this.onAnswer()
  }

  /** The longest that the next poll may wait, in milliseconds; infinite where nobody was answered lately. */
  get longestWait(): number {
    if (this.#clock.now() >= this.#until) return Infinity
    const { interval } = this.#settings.current.poll.warm
    return equalJitter(1, { base: interval, max: interval }, this.#random)
  }
}
