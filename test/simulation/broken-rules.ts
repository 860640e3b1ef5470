import type { Config } from '../../src/config/config.ts'
import type { Breach } from './judge.ts'
import type { Breakage } from './life.ts'
import type { Plan } from './plan.ts'
import { runSeed, type SeedOptions } from './run-seed.ts'
import { slowestOf } from './words.ts'

/** A broken rule shows in so many seeds at the latest. */
const SEEDS = 80

/**
 * Plays seeds with a worker that is broken on purpose, until a breach is found; undefined: none is.
 *
 * @param first where earlier seeds take long with this breakage.
 */
export async function findBreach(
  options: SeedOptions,
  isIt: (breach: Breach) => boolean,
  first = 1,
): Promise<Breach | undefined> {
  for (let seed = first; seed < first + SEEDS; seed += 1) {
    const { breaches } = await runSeed(seed, { calm: 600_000, ...options })
    const found = breaches.find(isIt)
    if (found !== undefined) return found
  }
  return undefined
}

/** Processes crash now and then over a slow store, and nobody loses a disk. */
export function crashing(plan: Plan): Plan {
  const workers = plan.workers.map((worker) => {
    const turns = Array.from({ length: 30 }, (_, n) => ({
      at: (plan.calmAt * (n + 1)) / 31,
      what: 'crash' as const,
      ms: 500,
    }))
    return { ...worker, turns }
  })
  const store = { slowest: slowestOf(plan), prompt: 0, failing: [] }
  return { ...plan, workers, restarts: { newBoot: 0, newState: 0 }, world: { ...plan.world, store } }
}

/** Each worker of a plan with another configuration. */
export function configured(change: (config: Config) => Config): (plan: Plan) => Plan {
  return (plan) => ({
    ...plan,
    workers: plan.workers.map((worker) => ({ ...worker, config: change(worker.config) })),
  })
}

/** Tells nobody that clinks may be out of its reach. */
export const silentOfReach: NonNullable<Breakage['parts']> = (real) => ({
  ...real,
  emit: (event) => {
    if (event.event !== 'inbox.starved') real.emit(event)
  },
})
