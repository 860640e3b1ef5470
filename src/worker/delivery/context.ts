import type { Router } from '../../handlers/route.ts'
import type { Line } from '../capacity/capacity.ts'
import type { ExecutionContext, ExecutionParts } from '../execution/context.ts'

/** What working a clink takes. */
export interface DeliveryContext extends ExecutionContext {
  readonly router: Pick<Router, 'find' | 'generation'>
}

/** What all deliveries of one worker have in common. */
export interface DeliveryParts extends ExecutionParts {
  readonly context: DeliveryContext
  readonly capacity: Line
}
