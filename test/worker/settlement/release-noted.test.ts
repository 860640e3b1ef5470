import { expect, it } from 'vitest'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import type { Row } from '../../../src/ledger/rows.ts'
import { writing } from '../../simulation/altered.ts'
import { VirtualBench } from '../../support/virtual.ts'

const SECOND = 1_000

it('P2, §7: that a claim is being given back stays journalled, though a renewal that may shorten it is noted meanwhile', async () => {
  const { claims, ...tables } = memoryTables()
  const written: Row<'claims'>[] = []
  const bench: VirtualBench = new VirtualBench({
    tables: {
      ...tables,
      claims: writing(claims, async (_, row, write) => {
        const isFirst = row.claim.releasing && written.every(({ claim }) => !claim.releasing)
        written.push(row)
        if (isFirst) await new Promise<void>((resolve) => bench.time.at(bench.time.now + 40 * SECOND, resolve))
        await write()
      }),
    },
    switches: { defaultTimeout: 300 },
    settings: {
      inbox: { claim: 'batch' },
      claim: { timeout: 30 * SECOND },
      handlers: { timeout: 600 * SECOND },
    },
    handle: async (_, ctx) => {
      await bench.take(60 * SECOND, ctx.signal)
      return ctx.release()
    },
  })
  bench.send('work')
  await bench.pass(120 * SECOND)
  const first = written.findIndex(({ claim }) => claim.releasing)
  const since = written.slice(first).map(({ claim }) => claim.releasing)
  expect(since.length).toBeGreaterThan(1)
  expect(since).not.toContain(false)
  expect(bench.all('clink.released')).toHaveLength(1)
  await bench.stop()
})
