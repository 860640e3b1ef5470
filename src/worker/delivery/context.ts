import type { Slots } from '../capacity/slots.ts'
import type { ExecutionContext, ExecutionParts } from '../execution/context.ts'
import type { SettlementContext } from '../settlement/context.ts'

export interface DeliveryContext extends ExecutionContext, SettlementContext {}

/** What all deliveries of one worker have in common. */
export interface DeliveryParts extends ExecutionParts {
  readonly context: DeliveryContext
  readonly slots: Slots
  /** Whether one more clink may be held. */
  readonly mayHold: () => boolean
}
