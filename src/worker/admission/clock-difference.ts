import { humanDuration } from '../../base/duration.ts'
import type { Emit } from '../../events.ts'

/** An answer may take half of this, and its header says whole seconds. */
const WORTH_SAYING = 60_000

/**
 * `inbox.maxAge` compares the service's times with our clock, and nothing else shows that one of them is wrong: too many clinks are left
 * alone then, or too few. It is said once, and again after the clocks have agreed in between.
 */
export class ClockDifference {
  readonly #emit: Emit
  #isSaid = false

  constructor(emit: Emit) {
    this.#emit = emit
  }

  /** @param ahead milliseconds by which the service's clock is ahead of ours. */
  note(ahead: number): void {
    const differs = Math.abs(ahead) >= WORTH_SAYING
    if (differs && !this.#isSaid)
      this.#emit({ event: 'worker.clockDiffers', ahead: Math.round(ahead), advice: advice(ahead) })
    this.#isSaid = differs
  }
}

function advice(ahead: number): string {
  const apart = humanDuration(Math.abs(ahead))
  const effect =
    ahead > 0
      ? 'older ones than inbox.maxAge says are worked'
      : 'clinks are left alone that are younger than inbox.maxAge says'
  return `this machine's clock is ${apart} ${ahead > 0 ? 'behind' : 'ahead of'} the service's, so ${effect}: set the clock`
}
