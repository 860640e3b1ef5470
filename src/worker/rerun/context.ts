import type { Router } from '../../handlers/route.ts'
import type { Keys } from '../../keys/keys.ts'
import type { RateLimit } from '../capacity/rate-limit.ts'
import type { Capacity } from '../capacity/capacity.ts'
import type { Pauses } from '../capacity/pauses.ts'
import type { Deliveries } from '../delivery/deliveries.ts'
import type { ExecutionContext, ExecutionParts } from '../execution/context.ts'

/** What running a clink again takes beside starting its handler. */
export interface RerunContext extends ExecutionContext {
  readonly keys: Keys
  readonly rateLimit: RateLimit
  readonly router: Router
}

export interface RerunParts extends ExecutionParts {
  readonly context: RerunContext
  readonly capacity: Capacity
  readonly deliveries: Deliveries
  readonly pauses: Pauses
}
