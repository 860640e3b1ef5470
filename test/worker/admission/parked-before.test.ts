import { expect, it } from 'vitest'
import { TransportError } from '../../../src/clink/transport.ts'
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

it('P2, P8: a release that does not get through is not sent once the clink is claimed anew', async () => {
  const isRelease = ({ path }: { readonly path: string }): boolean => path.endsWith('/release')
  let isAway = false
  const bench = new VirtualBench({
    switches: { claimTimes: 'absent', defaultTimeout: 30, maxTimeout: 'cap:30' },
    settings: { retry: { cooldown: 10 * MINUTE }, inbox: { claim: 'batch' } },
    spoil: (inner) => ({
      send: async (request) => {
        if (isAway && isRelease(request)) throw new TransportError('refused', 'no', 'nobody listens')
        return await inner.send(request)
      },
    }),
    handle: async (_, ctx) => await Promise.resolve(ctx.release('not yet')),
  })
  const id = bench.send('work')
  while (bench.all('clink.parked').length === 0) await bench.pass(100)
  isAway = true
  bench.daemon.retried(id)
  while (bench.all('clink.parked').length < 2) await bench.pass(100)
  expect(bench.all('clink.settlementFailed').length).toBeGreaterThan(1)
  isAway = false
  const before = bench.sent.filter(isRelease).length
  await bench.pass(20_000)

  expect(bench.sent.filter(isRelease)).toHaveLength(before)
  expect(bench.all('clink.leftToExpire')).toEqual([])
  await bench.stop()
})
