import { expect, it } from 'vitest'
import { LateResults, type LateResult } from '../../src/ledger/late-results.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { ProcessLedger } from '../../src/ledger/process.ts'
import type { Program } from '../../src/ledger/programs.ts'
import { Progress } from '../../src/ledger/progress.ts'
import { clink } from '../support/sample-records.ts'
import { claim } from '../support/states.ts'

function setUp() {
  const tables = memoryTables()
  return { tables, process: new ProcessLedger(tables, new Progress(tables)) }
}

it('the claims in hand are those that were noted and have not ended', async () => {
  const { process } = setUp()
  const other = { ...claim, clink: { ...clink, clink_id: 'other' } }
  await process.hold(claim)
  await process.hold(other)
  await process.hold({ ...claim, end: 9_000 })
  expect(process.claims()).toEqual([other, { ...claim, end: 9_000 }])
  await process.drop(clink.clink_id)
  expect(process.claims()).toEqual([other])
})

it('code that ends takes with it only the claim that is being released, and no later one', async () => {
  const { process } = setUp()
  await process.hold(claim)
  await process.codeEnded(clink.clink_id)
  await process.codeEnded('unknown')
  expect(process.claims()).toHaveLength(1)
  await process.hold({ ...claim, releasing: true })
  await process.codeEnded(clink.clink_id)
  expect(process.claims()).toEqual([])
})

it('claims on clinks that are not run are noted apart from those in hand, until they end', async () => {
  const { process } = setUp()
  const parked = { ...claim, why: 'no-route' }
  const other = { ...parked, clink: { ...clink, clink_id: 'other' } }
  await process.hold(claim)
  await process.park({ ...parked, why: 'paused' })
  await process.park(other)
  await process.park(parked)
  expect([process.claims(), process.parked()]).toEqual([[claim], [other, parked]])
  await process.unpark('other')
  expect([process.claims(), process.parked()]).toEqual([[claim], [parked]])
})

it('what ran alone and has ended is noted until it is given up, and nothing else is taken for it', async () => {
  const { process, tables } = setUp()
  expect(process.aftermath).toBeUndefined()
  const ended = { clink, route: 'work' }
  await process.noteAftermath(ended)
  expect(process.aftermath).toEqual(ended)
  await process.gaveUp('other')
  expect(process.aftermath).toEqual(ended)
  await process.gaveUp(clink.clink_id)
  expect(process.aftermath).toBeUndefined()
  // By this name earlier versions have it.
  await process.note({ aftermath: JSON.stringify(ended) })
  expect(new ProcessLedger(tables, new Progress(tables)).aftermath).toEqual(ended)
})

it('facts are noted by their names, and those about a service count for its address only', async () => {
  const { process } = setUp()
  await process.note({ one: '1', two: '2' })
  await process.noteServiceFact('https://one', 'siblings', 'none of them')
  expect([process.fact('one'), process.fact('two'), process.fact('three')]).toEqual(['1', '2', undefined])
  expect([
    process.serviceFact('https://one', 'siblings'),
    process.serviceFact('https://two', 'siblings'),
    process.serviceFact('https://one', 'unknown'),
  ]).toEqual(['none of them', undefined, undefined])
})

it('what the service does with siblings’ claims was found out here or by another member, and that it grants them counts (§1)', async () => {
  const { process, tables } = setUp()
  expect(process.siblings('https://one')).toBeUndefined()
  // As earlier versions have noted it.
  await process.note({ siblings: 'https://one refused' })
  expect([process.siblings('https://one'), process.siblings('https://two')]).toEqual(['refused', undefined])
  const ofFleet = (verdict?: string) => new ProcessLedger(tables, new Progress(tables), { siblings: () => verdict })
  expect(ofFleet('granted').siblings('https://one')).toBe('granted')
  expect(ofFleet().siblings('https://one')).toBe('refused')
  expect(ofFleet('something else').siblings('https://two')).toBeUndefined()
})

it('programs are those that were noted, by their runs, until all of one has ended', async () => {
  const { process } = setUp()
  const program = (run: string) => ({ clinkId: 'a', group: { run, pid: 1 } }) as unknown as Program
  await process.programs.note(program('one'))
  await process.programs.note(program('two'))
  expect(process.programs.all()).toEqual([program('one'), program('two')])
  await process.programs.gone(program('one'))
  expect(process.programs.all()).toEqual([program('two')])
})

it('a late result goes when Clink takes it: that of the clink which was refused, and no other', async () => {
  const { tables } = setUp()
  const late = new LateResults(tables.late)
  const result: LateResult = { clink, route: 'work', attempt: 1, why: 'elsewhere', outcome: 'done', at: 1_000 }
  const other = { ...result, clink: { ...clink, clink_id: 'other' }, attempt: 2, response: 'x'.repeat(100_000) }
  const tooLate = { ...result, attempt: 3, why: 'late' as const }
  for (const one of [result, other, tooLate]) await late.keep(one)
  expect([late.size, late.all()[1]?.response?.length]).toEqual([3, 65_536])
  expect(late.all()[0]).toStrictEqual(result)
  await late.taken(clink.clink_id)
  expect(late.all().map(({ attempt }) => attempt)).toEqual([2, 3])
  expect(late.page().rows.map(({ attempt }) => attempt)).toEqual([3, 2])
  expect(late.page({ at: 1_000, id: `${clink.clink_id} 3` }).rows.map(({ attempt }) => attempt)).toEqual([2])
  await late.dropUntil(1_000)
  expect(late.size).toBe(0)
})
