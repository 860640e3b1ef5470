import { expect, it } from 'vitest'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

it('a poll after a sleep, before the timer of the claim that ran out meanwhile, brings a claim that is worked (P1, §2)', async () => {
  const bench: VirtualBench = new VirtualBench({
    handle: async (_, ctx) => (ctx.attempt > 1 ? 'second' : await bench.take(30 * MINUTE, ctx.signal)),
  })
  const id = bench.send('work')
  await bench.pass(1_000)
  bench.slept += 6 * MINUTE
  bench.emulator.moveClock(6 * MINUTE)
  await bench.pass(20_000)

  expect(bench.all('clink.lost')).toMatchObject([{ cause: 'expired' }])
  expect(bench.all('clink.claimed')).toHaveLength(2)
  expect(bench.emulator.clink(id)?.status).toBe('completed')
  await bench.stop()
})
