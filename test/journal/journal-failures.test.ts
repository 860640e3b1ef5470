import { DatabaseSync, StatementSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { asText, JournalBench } from './journal-bench.ts'

let bench: JournalBench

beforeEach(() => {
  bench = new JournalBench()
})

afterEach(() => bench[Symbol.dispose]())

const takeAway = (name: string): void => bench.change(`ALTER TABLE ${name} RENAME TO away`)
const bringBack = (name: string): void => bench.change(`ALTER TABLE away RENAME TO ${name}`)

describe('a journal that cannot be written', () => {
  it('says so once, lets its writers go on, tries again each second, and writes all of it then (P1, P5)', async () => {
    const { facts, journal, told } = bench
    const late = journal.table('late', {}, asText)
    takeAway('late')
    const first = Promise.all([facts.set('a', '1'), late.set('b', '2')])
    bench.turn()
    await first
    expect([journal.isHealthy, journal.problem, told]).toEqual([false, 'no such table: late', ['no such table: late']])
    // Nothing of what was changed together is written alone.
    expect(bench.written()).toEqual({})
    await facts.set('c', '3')
    expect(bench.due.map(({ wait }) => wait)).toEqual([1_000])
    bench.turn()
    expect([bench.due.length, told.length, facts.get('c'), late.get('b')]).toEqual([1, 1, '3', '2'])
    bringBack('late')
    bench.turn()
    expect([journal.isHealthy, told, bench.due]).toEqual([true, ['no such table: late', undefined], []])
    expect([bench.written(), late.size]).toEqual([{ a: '"1"', c: '"3"' }, 1])
  })

  it('because somebody else writes it writes a second later', () => {
    using other = new DatabaseSync(bench.file)
    other.exec('BEGIN IMMEDIATE')
    void bench.facts.set('a', '1')
    bench.turn()
    expect(bench.told).toEqual(['database is locked'])
    other.exec('ROLLBACK')
    bench.turn()
    expect([bench.told, bench.written()]).toEqual([['database is locked', undefined], { a: '"1"' }])
  })

  it('counts as one where a read fails, and no more than one try is under way', () => {
    void bench.facts.set('a', '1')
    bench.turn()
    bench.reopen()
    takeAway('facts')
    const { facts, told } = bench
    expect([facts.get('a'), facts.get('b'), facts.size]).toEqual([undefined, undefined, 0])
    expect([told, bench.due.length]).toEqual([['no such table: facts'], 1])
    bringBack('facts')
    bench.turn()
    expect([told.at(-1), facts.get('a')]).toEqual([undefined, '1'])
  })

  it('counts as one where the steps of a clink cannot be read', async () => {
    const steps = bench.journal.steps()
    const kept = steps.set('a', { is: 'step', name: 'plan', content: 'f', value: '1', at: 1 })
    bench.turn()
    await kept
    takeAway('steps')
    await expect(steps.of('a')).rejects.toThrow('no such table: steps')
    expect(bench.told).toEqual(['no such table: steps'])
  })

  it('needs no other try where the commit of the turn has come through', () => {
    const late = bench.journal.table('late', {}, asText)
    void late.set('a', '1')
    bench.turn()
    void bench.facts.set('b', '2')
    takeAway('late')
    expect(late.get('c')).toBeUndefined()
    bringBack('late')
    expect(bench.due.map(({ wait }) => wait)).toEqual([0, 1_000])
    bench.due.shift()?.commit()
    expect([bench.due, bench.told]).toEqual([[], ['no such table: late', undefined]])
  })

  it.each([true, false])('tries no more once it is closed, whether its close could write (%s) or not', (isBack) => {
    takeAway('facts')
    void bench.facts.set('a', '1')
    bench.turn()
    expect(bench.due).toHaveLength(1)
    if (isBack) bringBack('facts')
    bench.close()
    if (!isBack) bringBack('facts')
    expect([bench.due, bench.written()]).toEqual([[], isBack ? { a: '"1"' } : {}])
  })
})

describe('a journal whose file is damaged while it is in use', () => {
  const DAMAGED = 'database disk image is malformed'

  beforeEach(() => {
    vi.spyOn(StatementSync.prototype, 'run').mockImplementationOnce(() => {
      throw Object.assign(new Error(DAMAGED), { errcode: 11 })
    })
    void bench.facts.set('a', '1')
    bench.turn()
  })

  it('stays so for whoever would start new work, though it can be written again (P3)', () => {
    bench.turn()
    expect([bench.journal.isHealthy, bench.journal.problem, bench.told]).toEqual([false, DAMAGED, [DAMAGED]])
    takeAway('facts')
    void bench.facts.set('b', '2')
    bench.turn()
    expect(bench.told).toEqual([DAMAGED, 'no such table: facts'])
    bringBack('facts')
    bench.turn()
    expect([bench.journal.isHealthy, bench.told.length]).toEqual([false, 2])
  })

  it('goes on writing what it still takes: an answer is not lost with the process (P5)', async () => {
    bench.turn()
    expect(bench.written()).toEqual({ a: '"1"' })
    const next = bench.facts.set('b', '2')
    bench.turn()
    await next
    expect(bench.written()).toEqual({ a: '"1"', b: '"2"' })
  })
})
