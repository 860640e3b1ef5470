import { expect, it } from 'vitest'
import { Ledger } from '../../src/ledger/ledger.ts'
import type { LateResult } from '../../src/ledger/late-results.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { clink } from '../support/sample-records.ts'
import { TempDir } from '../support/temp-dir.ts'
import { open, recalled } from '../support/states.ts'

const late: LateResult = {
  clink,
  route: 'work',
  attempt: 2,
  why: 'late',
  outcome: 'done',
  response: 'the answer',
  at: 1_000,
}

it('late results are kept over a close, several of one clink, oldest first (P5, §5)', async () => {
  using directory = new TempDir()
  const results: LateResult[] = [
    late,
    { ...late, attempt: 3, at: 2_000 },
    { clink, route: 'work', attempt: 4, why: 'elsewhere', outcome: 'reject', reason: 'no', at: 2_000 },
  ]
  const first = open(directory.path)
  for (const result of results) await first.ledger.late.keep(result)
  first.close()
  const second = open(directory.path)
  expect(second.ledger.late.all()).toEqual(results)
  second.close()
})

it('no more than a thousand late results are kept, the latest of them (§5)', async () => {
  using directory = new TempDir()
  const first = open(directory.path)
  await Promise.all(Array.from({ length: 1_003 }, async (_, n) => await first.ledger.late.keep({ ...late, at: n })))
  first.close()
  const second = open(directory.path)
  expect(second.ledger.late.all().map(({ at }) => at)).toEqual(Array.from({ length: 1_000 }, (_, n) => n + 3))
  second.close()
})

it('late results are forgotten after state.keep (§5)', async () => {
  const ledger = new Ledger(memoryTables(), undefined, () => 10_000)
  await ledger.late.keep({ ...late, at: 4_999 })
  await ledger.late.keep({ ...late, at: 5_001 })
  await ledger.prune(5_000)
  expect(ledger.late.all().map(({ at }) => at)).toEqual([5_001])
})

it('a late result counts for nothing in a later run (P2, §5)', async () => {
  const ledger = new Ledger(memoryTables())
  await ledger.late.keep({ ...late, at: Date.now() })
  expect([ledger.keptResult(clink), (await recalled(ledger, clink.clink_id)).isGivenUp]).toEqual([undefined, false])
})
