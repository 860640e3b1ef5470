import type { ExecutionParts } from '../execution/context.ts'

/** Where deliveries wait for a slot: `work` runs in it. The highest priority is first. */
export interface Line {
  use(work: () => Promise<void>, priority: number): Promise<void>
}

/** What all deliveries of one worker have in common. */
export interface DeliveryParts extends ExecutionParts {
  readonly slots: Line
  /** Whether one more clink may back off in hand. */
  readonly mayHold: () => boolean
}
