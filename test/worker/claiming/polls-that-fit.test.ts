import { describe, expect, it } from 'vitest'
import { VirtualBench } from '../../support/virtual.ts'

const CLINKS = 300

/** A worker under load whose slots are freed a few milliseconds apart. */
async function loaded(
  concurrency: number,
  apart: number,
): Promise<{ bench: VirtualBench; polls: number; took: number }> {
  let runs = 0
  const bench = new VirtualBench({
    settings: { concurrency, poll: { interval: 100, maxInterval: 100 } },
    handle: async (_, { signal }, inner) => {
      runs += 1
      await inner.take(40 + apart * (runs % concurrency), signal)
    },
  })
  for (let count = 0; count < CLINKS; count += 1) bench.send('work')
  while (bench.all('clink.completed').length < CLINKS) await bench.pass(10)
  const took = bench.time.now
  const polls = bench.sent.filter(({ path }) => path.startsWith('/inbox')).length
  await bench.stop()
  return { bench, polls, took }
}

describe('§3: under load', () => {
  it('one poll claims for several slots that are freed one after the other', async () => {
    const { polls } = await loaded(10, 4)
    expect(polls).toBeLessThan(CLINKS / 2)
  })

  it('a poll goes at once where half of the slots are free', async () => {
    const { polls, took } = await loaded(2, 40)
    expect(polls).toBeGreaterThan(CLINKS / 2.5)
    expect(took).toBeLessThan((CLINKS / 2) * 85)
  })
})
