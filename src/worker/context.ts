import type { Random } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { Settings } from '../config/settings.ts'
import type { Emit } from '../events.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Pulses } from './liveness/pulses.ts'
import type { WorkerSignals } from './signals.ts'

/** What every room of the heart needs. What one room needs beside it stands in the `context.ts` of that room. */
export interface WorkerContext {
  readonly settings: Settings
  readonly clock: Clock
  readonly random: Random
  readonly emit: Emit
  readonly signals: WorkerSignals
  readonly ledger: Ledger
  readonly pulses: Pulses
  /** Aborts when the worker begins to stop: nobody waits for a better moment any more. */
  readonly stopping: AbortSignal
  /** Aborts when the time for stopping is over: nothing is tried any more. */
  readonly closing: AbortSignal
}
