import { expect, it } from 'vitest'
import { runSeed } from '../simulation/run-seed.ts'

/** Some seeds of the simulation, each a test: what they judge is covered by whole workers. */
const FIRST = 2_200_001
const SEEDS = 20

it.for(Array.from({ length: SEEDS }, (_, index) => FIRST + index))('seed %i keeps the promises', async (seed) => {
  const { breaches } = await runSeed(seed)
  expect(breaches).toEqual([])
})
