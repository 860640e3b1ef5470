import { expect, it } from 'vitest'
import { restart } from '../../support/paused.ts'
import { HOUR, MINUTE, VirtualBench } from '../../support/virtual.ts'

it('P10, §4: what a handler wants to wait for in a rerun holds over a restart, for longer than a claim may be held', async () => {
  const runs: number[] = []
  const bench: VirtualBench = new VirtualBench({
    boot: (of) => ({ id: 'virtual', uptime: () => of.clock.now() }),
    settings: { claim: { timeout: MINUTE, maxHold: 10 * MINUTE }, retry: { attempts: 1, onExhausted: 'complete' } },
    handle: async (_, ctx) => {
      runs.push(bench.time.now)
      if (runs.length === 1) throw new Error('the first error')
      return await Promise.resolve(runs.length === 2 ? ctx.retryAfter('2h', 'not yet') : 'it worked')
    },
  })
  const id = bench.send('work')
  await bench.pass(MINUTE)
  await bench.ledger.retry(id)
  bench.daemon.retried(id)
  await bench.pass(MINUTE)
  expect(runs).toHaveLength(2)
  await restart(bench, HOUR)
  await bench.pass(30 * MINUTE)
  expect(runs).toHaveLength(2)
  await bench.pass(HOUR)
  expect(runs).toHaveLength(3)
  expect(bench.all('clink.rerunDone')).toHaveLength(1)
  await bench.stop()
})
