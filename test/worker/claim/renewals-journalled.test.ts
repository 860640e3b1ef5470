import { expect, it } from 'vitest'
import type { Row } from '../../../src/ledger/rows.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { writing } from '../../simulation/altered.ts'
import { VirtualBench } from '../../support/virtual.ts'

const SECOND = 1_000
const LEASE = 60 * SECOND

it('P9: a renewal is journalled when less than half a lease is left of the journalled end, and a start finds a part of it always', async () => {
  const { claims, ...tables } = memoryTables()
  const written: Row<'claims'>[] = []
  const bench: VirtualBench = new VirtualBench({
    tables: {
      ...tables,
      claims: writing(claims, async (_, row, write) => {
        written.push(row)
        await write()
      }),
    },
    switches: { defaultTimeout: LEASE / SECOND },
    settings: { claim: { timeout: LEASE }, handlers: { timeout: 900 * SECOND } },
    handle: async (_, ctx) => {
      await bench.take(600 * SECOND, ctx.signal)
      return 'done'
    },
  })
  bench.send('work')
  await bench.watch(590 * SECOND, () => {
    const [held] = bench.ledger.process.claims()
    if (held !== undefined) expect((held.wall ?? 0) - bench.clock.wall()).toBeGreaterThan(LEASE / 4)
  })
  const renewals = bench.all('clink.renewed').length
  expect(renewals).toBeGreaterThan(20)
  // Its start is one write more.
  expect(written.length - 1).toBeLessThan(renewals * 0.7)
  await bench.stop()
})
