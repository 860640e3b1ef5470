import { expect, it } from 'vitest'
import { answer, MINUTE, VirtualBench } from '../../support/virtual.ts'

it.each([401, 500, 503])(
  'P4, §2: renewals that are answered with %i at once are not sent again and again where claims are short',
  async (status) => {
    const bench = new VirtualBench({
      handle: async (_, ctx, self) => await self.take(MINUTE, ctx.signal),
      weather: ({ path }) => (path.endsWith('/claim') ? answer(status) : undefined),
      settings: { claim: { timeout: 5_000 } },
      switches: { defaultTimeout: 5 },
    })
    bench.send('work')
    while (bench.all('clink.lost').length === 0) await bench.pass(100)

    const tries = bench.sent.filter(({ path }) => path.endsWith('/claim')).length
    expect(tries).toBeGreaterThanOrEqual(4)
    expect(tries).toBeLessThanOrEqual(15)
    await bench.stop()
  },
)
