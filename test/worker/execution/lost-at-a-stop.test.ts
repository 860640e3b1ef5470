import { expect, it } from 'vitest'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

it('P8: a run that a stop has aborted costs no attempt, though its claim runs out and the process ends before its code', async () => {
  const attempts: number[] = []
  const bench = new VirtualBench({
    switches: { defaultTimeout: 20, maxTimeout: 'cap:20', reclaim: 'refuse' },
    settings: { claim: { timeout: 20_000 }, retry: { attempts: 2 }, shutdown: { timeout: 15_000, drain: 1_000 } },
    handle: async (_, ctx) => {
      attempts.push(ctx.attempt)
      return attempts.length < 3 ? await new Promise(() => {}) : 'done'
    },
  })
  const id = bench.send('work')
  for (const starts of [1, 2]) {
    while (attempts.length < starts) await bench.pass(100)
    await bench.pass(10_000)
    void bench.daemon.stop('the test is over')
    await bench.pass(MINUTE)
    bench.begin()
  }
  await bench.pass(MINUTE)

  expect(bench.all('clink.lost')).toHaveLength(2)
  expect(attempts).toEqual([1, 1, 1])
  expect(bench.emulator.clink(id)?.status).toBe('completed')
  await bench.stop()
})
