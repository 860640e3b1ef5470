import { expect, it } from 'vitest'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

it('P8, §5: a release waits for a renewal on its way, which would claim the clink anew', async () => {
  const renewing = Promise.withResolvers<void>()
  let claims = 0
  const bench = new VirtualBench({
    settings: { inbox: { claim: 'select' }, claim: { exclusive: true } },
    spoil: (inner) => ({
      send: async (request) => {
        if (request.path.endsWith('/claim')) claims += 1
        if (request.path.endsWith('/claim') && claims === 2) {
          renewing.resolve()
          await new Promise<void>((resolve) => bench.time.at(bench.time.now + 10_000, resolve))
        }
        return await inner.send(request)
      },
    }),
    handle: async (_, ctx) => {
      await renewing.promise
      return ctx.release()
    },
  })
  const id = bench.send('work')
  await bench.pass(3 * MINUTE)

  const told = bench.sent
    .map(({ path }) => path.split('/').at(-1))
    .filter((call) => /^(claim|release)$/.test(call ?? ''))
  expect(told).toEqual(['claim', 'claim', 'release'])
  expect(bench.emulator.clink(id)?.status).toBe('pending')
  await bench.stop()
})
