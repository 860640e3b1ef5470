import { expect, it } from 'vitest'
import { stillClaimed } from '../support/record.ts'
import { MINUTE, VirtualBench } from '../support/virtual.ts'

it('P8: a stop names the clinks that it leaves to expire, since nothing can be noted of them, and ends with 70', async () => {
  let isHealthy = true
  const bench = new VirtualBench({
    isHealthy: () => isHealthy,
    handle: async () => await Promise.reject(new Error('not now')),
    settings: { retry: { backoff: 10_000 } },
  })
  const id = bench.send('work')
  while (bench.all('clink.held').length === 0) await bench.pass(100)
  isHealthy = false
  const stopped = bench.daemon.stop('the test is over')
  await bench.pass(MINUTE / 2)

  expect(bench.all('clink.leftToExpire')).toHaveLength(1)
  expect(stillClaimed(bench.emulator)).toEqual([id])
  expect(bench.all('worker.stopped')).toMatchObject([{ leftBehind: [id] }])
  await stopped
  expect(await bench.daemon.ended).toBe(70)
})
