import { expect, it } from 'vitest'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { writing } from '../../simulation/altered.ts'
import { VirtualBench } from '../../support/virtual.ts'

it('P1: a clink whose completion is confirmed is not lost while that is being written', async () => {
  const { own, ...tables } = memoryTables()
  const slow = writing(own, async (_id, _row, write) => {
    await new Promise<void>((resolve) => bench.time.at(bench.time.now + 1_000, resolve))
    await write()
  })
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

it('P6: what backs off has given its slot back, however long it takes to write that', async () => {
  const { claims, ...tables } = memoryTables()
  let slowly = ''
  const slow = writing(claims, async (id, row, write) => {
    const isSlow = id === slowly && (row.attempts?.errors.length ?? 0) > 0
    if (isSlow) await new Promise<void>((resolve) => bench.time.at(bench.time.now + 5_000, resolve))
    await write()
  })
  const bench: VirtualBench = new VirtualBench({
    tables: { ...tables, claims: slow },
    settings: { concurrency: 1, poll: { interval: 100 }, retry: { backoff: 3_000 } },
    handle: async ({ content }) => {
      if (content === 'bad') throw new Error('it fails')
      return 'done'
    },
  })
  const held = async (id: string): Promise<void> => {
    while (!bench.all('clink.held').some(({ clink }) => clink.clink_id === id)) await bench.pass(50)
  }
  const due = bench.send('bad')
  await held(due)
  slowly = bench.send('bad')
  await held(slowly)
  const good = bench.send('good')
  await bench.pass(10_000)

  const started = bench.all('clink.started').map(({ clink }) => clink.clink_id)
  expect(started.slice(0, 4)).toEqual([due, slowly, good, due])
  await bench.stop()
})

it('P5: a result is written before Clink is told, however long that takes', async () => {
  const { claims, ...tables } = memoryTables()
  let writtenAt: number | undefined
  const slow = writing(claims, async (_, row, write) => {
    if (row.result !== undefined) await new Promise<void>((resolve) => bench.time.at(bench.time.now + 5_000, resolve))
    await write()
    if (row.result !== undefined) writtenAt ??= bench.time.now
  })
  const bench: VirtualBench = new VirtualBench({ tables: { ...tables, claims: slow }, handle: async () => 'done' })
  const id = bench.send('work')
  await bench.pass(15_000)

  const told = bench.sent.find(({ path }) => path.endsWith('/complete'))
  expect(told?.at).toBeGreaterThanOrEqual(writtenAt ?? Infinity)
  expect(bench.emulator.clink(id)?.status).toBe('completed')
  await bench.stop()
})
