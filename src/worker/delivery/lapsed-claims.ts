import { Recent } from '../../base/recent.ts'

/** More clinks than are ever in hand. */
const REMEMBERED = 10_000
/** One whose handler outlives each of its claims is waited for no more often. */
const OFTEN = 3
/** Milliseconds by which a claim may end later at the service than we know: what it rounds, and what a request takes. */
const LATE = 2_000

/** Claims that ran out here and may still stand at the service: until they end there no poll shows their clinks. */
export class LapsedClaims {
  readonly #clinks = new Recent<{ readonly until: number; readonly times: number }>(REMEMBERED)

  /** @param end local time until which the claim certainly stood. */
  note(clinkId: string, end: number): void {
    const { times = 0 } = this.#clinks.get(clinkId) ?? {}
    this.#clinks.set(clinkId, { until: end + LATE, times: times + 1 })
  }

  forget(clinkId: string): void {
    this.#clinks.delete(clinkId)
  }

  /** How many clinks will show again. */
  count(now: number): number {
    return [...this.#clinks.entries()].filter(([, { times, until }]) => until > now && times <= OFTEN).length
  }
}
