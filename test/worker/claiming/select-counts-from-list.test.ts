import { expect, it } from 'vitest'
import { answer, MINUTE, VirtualBench } from '../../support/virtual.ts'

it('P2, §2: a claim by id counts from the list, since an earlier request that was not answered may have made it', async () => {
  let claims = 0
  const bench = new VirtualBench({
    settings: { inbox: { claim: 'select' }, claim: { exclusive: true }, poll: { interval: 2_000 } },
    // Claims last for a minute, and claiming anew extends nothing.
    switches: { maxTimeout: 'cap:60', reclaim: 'ignore' },
    spoil: (inner) => ({
      send: async (request) => {
        if (request.path.endsWith('/claim')) claims += 1
        const isFirst = request.path.endsWith('/claim') && claims === 1
        const received = await inner.send(request)
        return isFirst ? answer(503) : received
      },
    }),
    handle: async (_, ctx) => await bench.take(2 * MINUTE, ctx.signal),
  })
  const id = bench.send('work')
  while (bench.all('clink.started').length === 0) await bench.pass(100)
  const expires = (bench.emulator.clink(id)?.claim?.expires ?? 0) - bench.clock.wall() + bench.time.now
  while (bench.all('clink.lost').length === 0) await bench.pass(100)

  expect(bench.all('clink.claimFailed')).toHaveLength(1)
  expect(bench.time.now).toBeLessThanOrEqual(expires - 0.1 * MINUTE)
  await bench.stop()
})
