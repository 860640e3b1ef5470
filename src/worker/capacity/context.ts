import type { Clink } from '../../clink/records.ts'
import type { Route } from '../../handlers/route.ts'
import type { Work } from './alone-turn.ts'
import type { Place, RouteLimits } from './route-limits.ts'

/** Who wants a seat. */
export interface Seeker {
  readonly route: Route
  readonly place: Place | undefined
  /** Resolves when it wants none any more. */
  readonly interrupted: Promise<unknown>
}

/** Where deliveries wait for a seat, and for a thread where their route needs one: `work` runs in it. The highest priority is first. */
export interface Line {
  use(seeker: Seeker, work: Work, priority: number): Promise<void>
  readonly limits: RouteLimits
  /** One more clink may back off in hand, or sleep. */
  mayHold(isSleep?: boolean): boolean
}

/** The clinks in hand. */
export interface InHand {
  /** How many have a seat or wait for one. */
  readonly busy: number
  /** Those that have not ended. `isComing`: it is about to start, unless it may not; `dueAt`: local time, of one that backs off. */
  readonly live: readonly {
    readonly clink: Clink
    readonly route: Route
    readonly isComing: boolean
    readonly dueAt: number | undefined
    readonly handle: { readonly isAsleep: boolean }
    readonly place: Place | undefined
  }[]
}

/** Clinks that are run again without a claim. */
export interface RerunsToCome {
  /** The service has answered: until then the last free seat is left to the claim that its answer may need. */
  readonly isOpen: boolean
  /** How many will want a seat before the next poll. */
  readonly coming: number
}
