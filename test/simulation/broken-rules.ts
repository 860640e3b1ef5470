import type { Breach } from './judge.ts'
import { runSeed, type SeedOptions } from './run-seed.ts'

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
