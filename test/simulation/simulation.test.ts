import { describe, expect, it } from 'vitest'
import { runSeed } from './run-seed.ts'

const CHUNK = 25
const CHUNKS = 8

describe('whole workers on virtual time', () => {
  it.each(Array.from({ length: CHUNKS }, (_, index) => 1 + index * CHUNK))(
    'keep their promises, seeds %i and the next 24',
    { timeout: 120_000 },
    async (from) => {
      const totals = { requests: 0, runs: 0 }
      for (let seed = from; seed < from + CHUNK; seed += 1) {
        const { breaches, requests, runs } = await runSeed(seed)
        expect(breaches, `npm run simulate -- --from ${seed} --seeds 1 --trace`).toEqual([])
        totals.requests += requests
        totals.runs += runs
      }
      // A simulation in which nothing happens would pass.
      expect(totals.requests).toBeGreaterThan(CHUNK * 50)
      expect(totals.runs).toBeGreaterThan(CHUNK * 5)
    },
  )
})
