import type { WorkerContext } from './context.ts'
import type { RouteHealth } from './route-health.ts'
import type { RunRegister } from './run-register.ts'
import type { Slots } from './slots.ts'

/** What deliveries of one worker share beyond the worker's context. */
export interface DeliveryShared {
  readonly context: WorkerContext
  readonly slots: Slots
  readonly runs: RunRegister
  readonly health: RouteHealth
  /** Whether one more clink may be held. */
  readonly mayHold: () => boolean
  /** A part of the heart broke: the worker ends. */
  readonly crashed: (part: string, error: Error) => void
}
