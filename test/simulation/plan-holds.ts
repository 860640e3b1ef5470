import type { Chance } from './chance.ts'
import type { WorkerPlan } from './plan.ts'

/** An operator pauses a worker, or drains it, and has it go on after so many milliseconds. */
export interface HoldPlan {
  readonly at: number
  readonly worker: string
  readonly what: 'pause' | 'drain'
  readonly ms: number
}

/** All of them are over before the calm. */
export function makeHolds(chance: Chance, workers: readonly WorkerPlan[], horizon: number): readonly HoldPlan[] {
  return Array.from({ length: chance.integer(1, 4) }, (): HoldPlan => {
    const at = chance.between(0.02 * horizon, 0.8 * horizon)
    const ms = chance.logarithmic(500, 0.9 * horizon - at)
    return { at, worker: chance.pick(workers).name, what: chance.is(0.6) ? 'pause' : 'drain', ms }
  })
}
