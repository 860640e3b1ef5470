import type { Clock } from './clock.ts'

/** Milliseconds after which a failure is not of the same outage as the one before it. */
const APART = 600_000

/** Failures of one kind in a row, whatever they befall: people are told of an outage when it begins and when it is over. */
export class Streak {
  readonly #clock: Pick<Clock, 'now'>
  #count = 0
  #first = 0
  #last = -Infinity

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  /** @returns how many there are in a row, this one included. */
  failed(): number {
    const now = this.#clock.now()
    if (now - this.#last >= APART) this.#count = 0
    if (this.#count === 0) this.#first = now
    this.#last = now
    this.#count += 1
    return this.#count
  }

  /** One has not failed. @returns what is over; undefined: there was no more than one failure. */
  ended(): { readonly failures: number; readonly duration: number } | undefined {
    const failures = this.#count
    this.#count = 0
    return failures < 2 ? undefined : { failures, duration: this.#clock.now() - this.#first }
  }
}
