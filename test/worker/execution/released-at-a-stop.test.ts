import { expect, it } from 'vitest'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

it('P8: a handler that gives its clink back because the worker stops costs it no attempt', async () => {
  const attempts: number[] = []
  const bench = new VirtualBench({
    settings: { retry: { attempts: 2, cooldown: 1_000 }, shutdown: { timeout: 5_000, drain: 1_000 } },
    handle: async (_, ctx, self) => {
      attempts.push(ctx.attempt)
      if (attempts.length === 3) return 'done'
      await self.take(MINUTE, ctx.signal).catch(() => {})
      return ctx.release('the worker stops')
    },
  })
  const id = bench.send('work')
  for (const starts of [1, 2]) {
    while (attempts.length < starts) await bench.pass(100)
    void bench.daemon.stop('the test is over')
    await bench.pass(MINUTE / 4)
    bench.begin()
  }
  await bench.pass(MINUTE / 4)

  expect(bench.all('clink.released')).toMatchObject([{ why: 'handler' }, { why: 'handler' }])
  expect(attempts).toEqual([1, 1, 1])
  expect(bench.emulator.clink(id)?.status).toBe('completed')
  await bench.stop()
})
