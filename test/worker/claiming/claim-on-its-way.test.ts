import { expect, it } from 'vitest'
import { VirtualBench } from '../../support/virtual.ts'

const SECOND = 1_000

it('P4, §2: no poll claims while a claim by id is on its way, which would be a second claim of the same clink', async () => {
  const bench = new VirtualBench({
    settings: { clink: { timeout: 20 * SECOND }, retry: { cooldown: 5 * SECOND }, claim: { exclusive: true } },
    weather: ({ path }, now) => (path.endsWith('/claim') && now < 5 * SECOND ? 'hang' : undefined),
    handle: async (_, ctx) => await Promise.resolve(ctx.attempt === 1 ? ctx.release('not now') : 'done'),
  })
  const sent = (what: string): number[] => bench.sent.flatMap(({ at, path }) => (path.includes(what) ? at : []))
  bench.send('keeps the worker from claiming by polls for a while')
  await bench.pass(SECOND)
  bench.send('claimed by id')
  await bench.pass(60 * SECOND)

  const [first, ...later] = sent('claim=true')
  const [claim = Infinity] = sent('/claim')
  expect(first).toBeLessThan(claim)
  expect(later[0]).toBeGreaterThanOrEqual(claim + 20 * SECOND)
  await bench.stop()
})
