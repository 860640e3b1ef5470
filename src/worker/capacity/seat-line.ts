import { after, type Clock } from '../../base/clock.ts'
import { Weights } from './weights.ts'

/** What takes several seats is passed over for so many milliseconds; then the next free seats are its. */
export const PASSED_OVER = 30_000

export interface Wish {
  readonly weight: number
  readonly priority: number
  /** Resolves when it wants none any more. */
  readonly interrupted: Promise<unknown>
}

interface Waiting extends Wish {
  readonly start: () => void
  /** It was passed over for long: nothing starts before it. */
  isNext: boolean
}

/** The seats, and what waits for them: the highest priority first; what takes fewer passes what takes more than are free. */
export class SeatLine {
  readonly #clock: Clock
  readonly #waiting: Waiting[] = []
  #seats = 1
  readonly #held = new Weights()
  #holders = 0
  #suspects = 0
  #outlasting = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many have seats. */
  get holders(): number {
    return this.#holders
  }

  /** Nothing can start before one of them gives its seats back. */
  get isFull(): boolean {
    const saved = this.#saved
    return this.#free < (saved === undefined ? 1 : this.#seatsOf(saved))
  }

  /** How many suspects wait or run. */
  get suspects(): number {
    return this.#suspects
  }

  get isNarrow(): boolean {
    return this.#suspects > 0
  }

  /** What has a seat keeps it, also where there are fewer now. */
  fit(seats: number): void {
    this.#seats = seats
    this.#startNext()
  }

  /** Suspects wait or run: one clink runs at a time, and they go first. */
  narrow(change: number): void {
    this.#suspects += change
    this.#startNext()
  }

  /** A suspect that has run alone for long enough keeps its seat, and others run beside it; or it has ended. */
  outlast(change: number): void {
    this.#outlasting += change
    this.#startNext()
  }

  /** Runs the work in so many seats, or in all where there are fewer. A rejection is the caller's. */
  run(work: () => Promise<void>, wish: Wish): Promise<void> {
    const { interrupted, priority, weight } = wish
    return new Promise<void>((resolve, reject) => {
      const start = (): void => {
        cancel()
        this.#hold(work, weight).then(resolve, reject)
      }
      const one: Waiting = { ...wish, start, isNext: false }
      const isPassedOver = (): void => {
        one.isNext = true
        this.#startNext()
      }
      const cancel = weight > 1 ? after(this.#clock, PASSED_OVER, isPassedOver) : () => {}
      // Seats are kept for nobody who has left.
      const leave = (): void => {
        const at = this.#waiting.indexOf(one)
        if (at === -1) return
        cancel()
        this.#waiting.splice(at, 1)
        resolve()
        this.#startNext()
      }
      if (weight > 1) void interrupted.then(leave)
      const behind = this.#waiting.findIndex((other) => other.priority < priority)
      this.#waiting.splice(behind === -1 ? this.#waiting.length : behind, 0, one)
      this.#startNext()
    })
  }

  async #hold(work: () => Promise<void>, weight: number): Promise<void> {
    this.#held.add(weight)
    this.#holders += 1
    try {
      await work()
    } finally {
      this.#held.remove(weight)
      this.#holders -= 1
      this.#startNext()
    }
  }

  #startNext(): void {
    for (let one = this.#next; one !== undefined; one = this.#next) {
      this.#waiting.splice(this.#waiting.indexOf(one), 1)
      one.start()
    }
  }

  get #next(): Waiting | undefined {
    if (this.isFull) return undefined
    // Nobody passes a suspect.
    const first = this.isNarrow ? this.#waiting.slice(0, 1) : this.#waiting
    return this.#saved ?? first.find((one) => this.#seatsOf(one) <= this.#free)
  }

  /** The one for which free seats are kept. Suspects go before it. */
  get #saved(): Waiting | undefined {
    return this.isNarrow ? undefined : this.#waiting.find(({ isNext }) => isNext)
  }

  get #free(): number {
    const isAlone = this.#holders <= this.#outlasting
    return this.isNarrow && !isAlone ? 0 : this.#seats - this.#held.of(this.#seats)
  }

  #seatsOf({ weight }: Waiting): number {
    return Math.min(weight, this.#seats)
  }
}
