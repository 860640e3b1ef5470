import { expect, it } from 'vitest'
import { Ledger } from '../../src/ledger/ledger.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { BareFleet } from '../support/bare-fleet.ts'
import { open } from '../support/states.ts'
import { TempDir } from '../support/temp-dir.ts'

it('what operators did is kept over restarts, the last thousand acts of it, in the order in which it was done', async () => {
  using directory = new TempDir()
  const before = open(directory.path)
  await before.ledger.audit.note({ act: 'pause', by: 'alice', about: 'the route r', note: 'x'.repeat(5_000) })
  for (let n = 0; n < 999; n += 1) await before.ledger.audit.note({ act: 'reload', by: `bob ${n}` })
  before.close()
  const after = open(directory.path)
  const kept = after.ledger.audit.all()
  expect(kept).toHaveLength(1_000)
  expect(kept[0]).toMatchObject({ act: 'pause', by: 'alice', about: 'the route r', at: expect.any(Number) })
  expect(kept[0]?.note?.length).toBe(1_000)
  await after.ledger.audit.note({ act: 'stop', by: 'carol' })
  const now = after.ledger.audit.all()
  expect([now.length, now[0]?.by, now.at(-1)?.by]).toEqual([1_000, 'bob 0', 'carol'])
  after.close()
})

it('acts of one moment are all kept, in memory as well', async () => {
  const ledger = new Ledger(memoryTables(), undefined, () => 7)
  await Promise.all([1, 2, 3].map(async (n) => await ledger.audit.note({ act: 'resume', by: `alice ${n}` })))
  expect(ledger.audit.all().map(({ by }) => by)).toEqual(['alice 1', 'alice 2', 'alice 3'])
})

it('each act of a member of a fleet says whose it was', async () => {
  const alone = new Ledger(memoryTables(), undefined, () => 7)
  await alone.audit.note({ act: 'resume', by: 'alice' })
  expect(alone.audit.all()).toStrictEqual([{ act: 'resume', by: 'alice', at: 7 }])
  const fleet = new BareFleet()
  const ledger = new Ledger(fleet.tables, undefined, () => 7, undefined, fleet)
  await ledger.audit.note({ act: 'resume', by: 'alice' })
  expect(ledger.audit.all()).toStrictEqual([{ act: 'resume', by: 'alice', member: 'one', machine: 'here', at: 7 }])
})

it('what is told of later is shown where it belongs by its time', async () => {
  let now = 100
  const ledger = new Ledger(memoryTables(), undefined, () => now)
  await ledger.audit.note({ act: 'pause', by: 'here' })
  now = 50
  await ledger.audit.note({ act: 'resume', by: 'elsewhere, before' })
  expect(ledger.audit.all().map(({ by }) => by)).toEqual(['elsewhere, before', 'here'])
})
