import { Recent } from '../../base/recent.ts'
import type { Memory } from '../../ledger/memory.ts'

/** How many clinks that failed are remembered. */
const REMEMBERED = 10_000

/** What is remembered of the runs of a clink. */
export type Tried = Pick<Memory, 'clinkId' | 'isGivenUp' | 'tried'>

/** Which clinks have failed on a route, and of which of them that is their own fault. */
export class Blame {
  /** Since a run was last done. */
  readonly #failed = new Recent<true>(REMEMBERED)
  /** They had failed when another was done: the fault is theirs, and they count towards no pause. */
  readonly #atFault = new Recent<true>(REMEMBERED)

  has(clinkId: string): boolean {
    return this.#failed.has(clinkId) || this.#atFault.has(clinkId)
  }

  /** None of its runs has failed as far as is known, be it in an earlier process. */
  isFresh({ clinkId, isGivenUp, tried }: Tried): boolean {
    return !this.has(clinkId) && tried.errors.length === 0 && !isGivenUp
  }

  /** It has failed. Returns whether that may be the route's fault. */
  note(clinkId: string): boolean {
    const mayBeRoute = !this.#atFault.has(clinkId)
    if (mayBeRoute) this.#failed.set(clinkId, true)
    return mayBeRoute
  }

  /** The route works: whatever has failed on it until now is at fault itself. */
  done(clinkId: string): void {
    this.#failed.delete(clinkId)
    for (const [id] of this.#failed.entries()) this.#atFault.set(id, true)
    this.#failed.clear()
  }
}
