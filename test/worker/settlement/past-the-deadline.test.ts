import { expect, it } from 'vitest'
import { when } from '../../support/record.ts'
import { answer, MINUTE, VirtualBench } from '../../support/virtual.ts'

it.for(['complete', 'release'])('P2: no %s is tried past the deadline of its claim', async (call) => {
  const bench = new VirtualBench({
    switches: { defaultTimeout: 60, reclaim: 'refuse' },
    settings: { poll: { interval: 10_000, maxInterval: 10_000 } },
    // The service was never asked: it may be tried again.
    weather: ({ path }) => (path.endsWith(`/${call}`) ? answer(429) : undefined),
    handle: async (_, ctx) => await Promise.resolve(call === 'complete' ? 'done' : ctx.release()),
  })
  const id = bench.send('work')
  await bench.pass(2 * MINUTE)
  const start = bench.clock.wall() - bench.time.now
  const [first, again] = [1, 2].map((nth) => when(bench.emulator, id, 'claimed', nth) - start)
  const deadline = (first ?? 0) + 0.9 * MINUTE
  const tries = bench.sent.filter(({ path, at }) => path.endsWith(`/${call}`) && at < (again ?? 0))

  expect(tries.length).toBeGreaterThan(3)
  expect(tries.filter(({ at }) => at > deadline)).toEqual([])
  await bench.stop()
})
