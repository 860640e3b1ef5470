import { expect, it } from 'vitest'
import { VirtualBench } from '../../support/virtual.ts'

it('P10: a clink that waits while the journal cannot be written is said to wait once, and not each second', async () => {
  let isHealthy = true
  const bench = new VirtualBench({
    isHealthy: () => isHealthy,
    handle: async () => {
      if (isHealthy && bench.all('clink.ended').length === 0) throw new Error('the first time')
      return 'done'
    },
    settings: { retry: { backoff: 1_000 } },
  })
  const id = bench.send('work')
  while (bench.all('clink.held').length === 0) await bench.pass(100)
  isHealthy = false
  await bench.pass(30_000)
  const waits = bench.all('clink.held').map(({ why }) => why)
  isHealthy = true
  await bench.pass(30_000)

  expect(waits).toEqual(['the first time', 'the journal cannot be written'])
  expect(bench.emulator.clink(id)?.status).toBe('completed')
  await bench.stop()
})
