import type { Clock } from '../../base/clock.ts'
import type { Lease } from '../claim/lease.ts'

/** How long the service has failed to take a result without a break, in lengths of its claim. */
export class FailingSpell {
  readonly #clock: Clock
  /** Milliseconds: the longest that the claim has had since. */
  #length: number
  #since: number | undefined

  constructor(clock: Clock, length: number) {
    this.#clock = clock
    this.#length = length
  }

  /** @returns true each time that it has failed for as long as the claim lasts. */
  note(isFailing: boolean, { end, grantedAt }: Lease): boolean {
    this.#length = Math.max(this.#length, end - grantedAt)
    this.#since = isFailing ? (this.#since ?? this.#clock.now()) : undefined
    if (this.#clock.now() - (this.#since ?? Infinity) < this.#length) return false
    this.#since = undefined
    return true
  }
}
