import { expect, it, vi } from 'vitest'
import { Ledger } from '../../src/ledger/ledger.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { recalled } from '../support/states.ts'

const clocks = vi.hoisted(() => ({ wall: 1_800_000_000_000, steady: 0 }))

vi.mock('../../src/base/host-time.ts', async (original) => ({
  ...(await original<object>()),
  wallNow: () => clocks.wall,
  monotonicNow: () => clocks.steady,
}))

it('the ledger of a worker, which is told of no clocks, goes by two: whoever sets the machine’s makes no wait longer (§2)', async () => {
  const ledger = new Ledger(memoryTables())
  await ledger.cooling.set('one', 60_000)
  clocks.wall -= 86_400_000
  clocks.steady += 60_000
  expect((await recalled(ledger, 'one')).isCooling).toBe(false)
})
