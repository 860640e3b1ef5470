import type { WorkerContext } from './context.ts'
import type { CircuitBreaker } from './capacity/circuit-breaker.ts'
import type { RunRegister } from './execution/run-register.ts'
import type { Slots } from './capacity/slots.ts'

/** What deliveries of one worker share beyond the worker's context. */
export interface DeliveryShared {
  readonly context: WorkerContext
  readonly slots: Slots
  readonly runs: RunRegister
  readonly health: CircuitBreaker
  /** Whether one more clink may be held. */
  readonly mayHold: () => boolean
  /** A part of the heart broke: the worker ends. */
  readonly crashed: (part: string, error: Error) => void
}
