import { expect, it } from 'vitest'
import { VirtualBench } from '../support/virtual.ts'

it('nobody hears that a worker is ready, or is not, once it has begun to stop', async () => {
  const bench = new VirtualBench({ handle: async () => await Promise.resolve('done') })
  bench.send('work')
  // Its first poll is on its way.
  while (!bench.sent.some(({ path }) => path.includes('claim=true'))) await bench.pass(1)
  void bench.daemon.stop('the test is over')
  await bench.pass(60_000)

  const said = bench.events.map(({ event }) => event)
  expect(said).toContain('poll.succeeded')
  expect(said.filter((event) => /^worker\.(ready|notReady)$/.test(event))).toEqual([])
  expect(said.at(-1)).toBe('worker.stopped')
})
