import type { Line } from '../capacity/capacity.ts'
import type { ExecutionParts } from '../execution/context.ts'

/** What all deliveries of one worker have in common. */
export interface DeliveryParts extends ExecutionParts {
  readonly capacity: Line
}
