import { describe, expect, it } from 'vitest'
import type { LedgerTables } from '../../src/ledger/ledger.ts'
import type { Table } from '../../src/ledger/table.ts'
import { crashing, findBreach } from './broken-rules.ts'
import type { Breach } from './judge.ts'
import { writing } from './altered.ts'
import type { SeedOptions } from './run-seed.ts'

/** A table that says of each row at once that it is written. */
function hasty<Row, Key extends string>(table: Table<Row, Key>): Table<Row, Key> {
  return writing(table, async (_id, _row, write) => {
    void write()
    await Promise.resolve()
  })
}

const over = (name: keyof LedgerTables, planned = crashing): SeedOptions => ({
  vocabulary: ['slow-store'],
  planned,
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  breakage: { tables: (real) => ({ ...real, [name]: hasty(real[name] as Table<unknown, string>) }) },
})

describe('the judge notices a worker that acts before it is written', { timeout: 60_000 }, () => {
  it('that a result was computed (P5)', async () => {
    const text = /runs again though #\d+ completed it/
    const isIt = (breach: Breach): boolean => breach.rule === 'P5' && text.test(breach.text)
    expect(await findBreach(over('claims'), isIt)).toBeDefined()
  })
})
