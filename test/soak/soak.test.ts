import { expect, it } from 'vitest'
import { soak } from './soak.ts'

const CLINKS = 1_500

it('a handler that keeps something of each clink is found, and all clinks end', async () => {
  const { acts, exitCode, growth, service } = await soak({ clinks: CLINKS, rounds: 5, leaked: 1_500 })
  expect(exitCode).toBe(0)
  expect(service['completed']).toBe(CLINKS)
  // Answers of letters that were run again among them.
  expect(service['sent']).toBeGreaterThan(CLINKS / 50)
  expect(acts.retried).toBeGreaterThan(0)
  expect(acts.reloads).toBe(5)
  // So short a run is all warming up: other series may grow too.
  const found = growth.find(({ series }) => series === 'heap')
  expect(found?.grows, JSON.stringify(growth)).toBe(true)
}, 240_000)
