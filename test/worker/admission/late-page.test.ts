import { expect, it } from 'vitest'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

it('a page that was on its way while the machine slept, and whose claims nobody owns, ends no worker (P12, §2)', async () => {
  let hasSlept = false
  const bench: VirtualBench = new VirtualBench({
    handle: async () => await Promise.resolve('done'),
    switches: { pollRecords: 'snapshot' },
    weather: ({ path }) => {
      if (!hasSlept && path.includes('claim=true') && bench.emulator.clinks().length > 0) {
        hasSlept = true
        bench.slept += 10 * MINUTE
      }
      return undefined
    },
    settings: { clink: { identity: 'ap_worker' } },
  })
  await bench.pass(5_000)
  const id = bench.send('work')
  await bench.pass(MINUTE)
  expect(bench.all('worker.failed')).toEqual([])
  expect(bench.all('clink.leftToExpire')).toHaveLength(1)

  await bench.pass(10 * MINUTE)
  expect(bench.emulator.clink(id)?.status).toBe('completed')
  await bench.stop()
})
