import { expect, it } from 'vitest'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

it('P2, P8: a stop does not release what runs under a later claim than the one that was parked', async () => {
  let isReleased = false
  const bench = new VirtualBench({
    // The service gives half a minute and does not say so: the parked claim is believed to last for five.
    switches: { claimTimes: 'absent', defaultTimeout: 30, maxTimeout: 'cap:30' },
    settings: { retry: { cooldown: 10_000 }, shutdown: { timeout: 30_000, drain: 20_000 }, inbox: { claim: 'batch' } },
    handle: async (_, ctx, self) => {
      if (!isReleased) {
        isReleased = true
        return ctx.release('not yet')
      }
      await self.take(12_000, ctx.signal)
      return 'done'
    },
  })
  const id = bench.send('work')
  while (bench.all('clink.started').length < 2) await bench.pass(100)
  expect(bench.all('clink.parked')).toMatchObject([{ why: 'cooling' }])
  void bench.daemon.stop('the test is over')
  await bench.pass(MINUTE)

  expect(bench.sent.filter(({ path }) => path.endsWith('/release'))).toHaveLength(1)
  expect(bench.emulator.clink(id)?.status).toBe('completed')
  expect(bench.all('clink.completed')).toHaveLength(1)
})
