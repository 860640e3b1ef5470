import { expect, it } from 'vitest'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { misread } from '../../simulation/misread.ts'
import { VirtualBench } from '../../support/virtual.ts'

it('P1: a clink whose completion is confirmed is not lost while that is being written', async () => {
  const { own, ...tables } = memoryTables()
  const slow: typeof own = {
    ...misread(own, (row) => row),
    set: async (id, row) => {
      await new Promise<void>((resolve) => bench.time.at(bench.time.now + 1_000, resolve))
      await own.set(id, row)
    },
  }
  const bench: VirtualBench = new VirtualBench({
    tables: { ...tables, own: slow },
    switches: { reclaim: 'refuse', responseId: 'present', defaultTimeout: 60 },
    settings: { inbox: { for: 'anyone' } },
    handle: async (_, ctx, self) => {
      await self.take((bench.all('clink.claimed')[0]?.lease ?? 0) - 100, ctx.signal)
      return 'done'
    },
  })
  bench.send('work')
  while (bench.all('clink.completed').length === 0) await bench.pass(500)

  expect(bench.all('clink.lost')).toEqual([])
  expect(bench.ledger.process.claims()).toEqual([])
  await bench.stop()
})
