import type { Slots } from '../capacity/slots.ts'
import type { ExecutionParts } from '../execution/context.ts'

/** What all deliveries of one worker have in common. */
export interface DeliveryParts extends ExecutionParts {
  readonly slots: Pick<Slots, 'use'>
  /** Whether one more clink may back off in hand. */
  readonly mayHold: () => boolean
}
