import { describe, expect, it } from 'vitest'
import { Memory } from '../../src/ledger/memory.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { MemorySteps } from '../../src/ledger/memory-steps.ts'
import { Progress } from '../../src/ledger/progress.ts'
import { readSleep, writeSleep } from '../../src/ledger/sleep.ts'
import type { KeptStep } from '../../src/ledger/step-table.ts'
import { Steps } from '../../src/ledger/steps.ts'
import { clink } from '../support/sample-records.ts'

const id = clink.clink_id
const done = { is: 'step', name: 'build', value: '"ok"' } as unknown as Omit<KeptStep, 'at' | 'content'>

function setUp() {
  const tables = memoryTables()
  const progress = new Progress(tables)
  return { tables, progress, steps: new Steps(tables.steps, progress, () => 7_000) }
}

describe('steps of a clink', () => {
  it('are found by their names by the next run, and not where its text has changed', async () => {
    const { steps } = setUp()
    await steps.keep(clink, done)
    const kept = await steps.of(clink)
    expect([...kept.values()]).toMatchObject([{ ...done, at: 7_000 }])
    expect([...(await steps.of({ ...clink, content: 'something else' })).keys()]).toEqual([])
    expect((await steps.of({ ...clink, clink_id: 'other' })).size).toBe(0)
    await steps.forget(clink, done)
    expect((await steps.of(clink)).size).toBe(0)
  })

  it('are kept with the print of the text that every version knows: by another one all would be done again', async () => {
    const { steps } = setUp()
    await steps.keep({ ...clink, content: 'hello' }, done)
    const [kept] = (await steps.of({ ...clink, content: 'hello' })).values()
    expect(kept?.content).toBe('LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ')
  })

  it('are not looked for where nobody has started the clink, and are once one was kept', async () => {
    const { progress, steps, tables } = setUp()
    await steps.keep(clink, done)
    const memory = progress.work(new Memory(id, {}, { coolsFor: 0, isOwn: false }))
    expect((await steps.of(clink)).size).toBe(0)
    await steps.keep(clink, { ...done, name: 'test' })
    expect([memory.mayHaveSteps, (await steps.of(clink)).size]).toEqual([true, 2])
    await tables.steps.drop(id)
    expect((await steps.of(clink)).size).toBe(0)
  })
})

describe('steps of a clink that is worked for the first time', () => {
  it('are looked for by its next start: another member may have done some meanwhile', async () => {
    const { progress, steps, tables } = setUp()
    await steps.keep(clink, done)
    const [theirs = expect.fail('none was kept')] = await tables.steps.of(id)
    await tables.steps.drop(id)
    progress.work(new Memory(id, {}, { coolsFor: 0, isOwn: false }))
    expect((await steps.of(clink)).size).toBe(0)
    await tables.steps.set(id, { ...theirs, name: 'theirs' })
    expect([...(await steps.of(clink)).values()]).toMatchObject([{ name: 'theirs' }])
  })

  it('are there to be forgotten as soon as one is kept', async () => {
    const { progress, steps } = setUp()
    progress.work(new Memory(id, {}, { coolsFor: 0, isOwn: false }))
    await steps.keep(clink, done)
    expect(progress.mayHaveSteps(id)).toBe(true)
  })
})

describe('the end of a sleep', () => {
  it('is kept as text, and what is none is not taken for one', () => {
    const night = { at: 1_060_000, for: 60_000 }
    expect(readSleep(writeSleep(night))).toEqual(night)
    for (const text of ['', 'no JSON', '{"at":1}', '{"for":1}', '{"at":"1","for":1}', 'null'])
      expect(readSleep(text)).toBeUndefined()
  })

  const sleep = { at: 1_060_000, for: 60_000 }
  const clock = (now: number, wall: number) => ({ now: () => now, wall: () => wall })

  it('is when it was noted, and no later where the wall clock was set back (§2)', () => {
    const { steps } = setUp()
    expect(steps.endOf(clink, 'night', sleep, clock(500, 1_020_000), false)).toBe(40_500)
    expect(setUp().steps.endOf(clink, 'night', sleep, clock(500, 0), false)).toBe(60_500)
  })

  it('stays what this process has taken it for, unless it is another one by that name', () => {
    const { steps } = setUp()
    const first = clock(500, 1_000_000)
    const later = clock(10_500, 0)
    expect(steps.endOf(clink, 'night', sleep, first, true)).toBe(60_500)
    expect(steps.endOf(clink, 'night', sleep, later, false)).toBe(60_500)
    expect(steps.endOf(clink, 'day', sleep, later, false)).toBe(70_500)
    expect(steps.endOf({ ...clink, clink_id: 'other' }, 'night', sleep, later, false)).toBe(70_500)
    expect(steps.endOf(clink, 'night', sleep, later, true)).toBe(70_500)
    expect(steps.endOf(clink, 'night', sleep, first, false)).toBe(70_500)
  })
})

describe('steps that end with the process', () => {
  const step = (is: string, name: string): KeptStep => ({ ...done, is, name, at: 1, content: 'c' }) as KeptStep

  it('are those of each clink, by kind and name; a later one replaces an earlier one', async () => {
    const table = new MemorySteps(10)
    await table.set('a', step('step', 'x'))
    await table.set('a', step('sleep', 'x'))
    await table.set('a', { ...step('step', 'x'), at: 2 })
    await table.set('b', step('step', 'x'))
    expect((await table.of('a')).map(({ is, at }) => [is, at])).toEqual([
      ['step', 2],
      ['sleep', 1],
    ])
    await table.delete('a', step('sleep', 'x'))
    await table.delete('none', step('sleep', 'x'))
    expect([(await table.of('a')).length, (await table.of('b')).length, await table.of('none')]).toEqual([1, 1, []])
    await table.drop('a')
    expect([(await table.of('a')).length, (await table.of('b')).length]).toEqual([0, 1])
  })

  it('are of so many clinks at most: those of the oldest go first', async () => {
    const table = new MemorySteps(2)
    for (const clinkId of ['a', 'b', 'c']) await table.set(clinkId, step('step', 'x'))
    expect([(await table.of('a')).length, (await table.of('b')).length, (await table.of('c')).length]).toEqual([
      0, 1, 1,
    ])
  })
})
