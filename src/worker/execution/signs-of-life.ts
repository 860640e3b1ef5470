import { steadyOf, type Clock } from '../../base/clock.ts'

/** When a run has last shown that it goes on. */
export class SignsOfLife {
  readonly #clock: Clock
  #last: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#last = steadyOf(clock).now()
  }

  show(): void {
    this.#last = steadyOf(this.#clock).now()
  }

  /** Milliseconds since then. */
  get silence(): number {
    return steadyOf(this.#clock).now() - this.#last
  }
}
