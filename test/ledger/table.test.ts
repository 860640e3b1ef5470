import { describe, expect, it } from 'vitest'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { DONE, dropUntil, hasBetween, together } from '../../src/ledger/table.ts'
import { tableKeys } from '../../src/ledger/tables.ts'
import { letter } from '../support/states.ts'

const own = async (...times: readonly number[]) => {
  const { own } = memoryTables()
  for (const at of times) await own.set(`sent at ${at}`, at)
  return own
}
const names = (table: Awaited<ReturnType<typeof own>>): string[] => [...table.entries()].map(([id]) => id)

describe('rows in memory', () => {
  it('are found by id and by key: above one number, and not above the other', async () => {
    const table = await own(1, 2, 3)
    expect([table.size, table.count('at'), table.get('sent at 2'), table.get('other')]).toEqual([3, 3, 2, undefined])
    expect([...table.between('at', 1, 2)]).toEqual([['sent at 2', 2]])
    expect([hasBetween(table, 'at', 1, 2), hasBetween(table, 'at', 3, 9)]).toEqual([true, false])
    await table.delete('sent at 2')
    expect(names(table)).toEqual(['sent at 1', 'sent at 3'])
  })

  it('are not found by a key that they do not have', async () => {
    const { letters } = memoryTables()
    await letters.set('a', { ...letter, discarded: true })
    expect([letters.count('at'), letters.count('gone')]).toEqual([0, 1])
  })

  it('are dropped until a time, unless they are to stay', async () => {
    const table = await own(1, 2, 3, 4)
    expect(await dropUntil(table, 'at', 3, (_, id) => id === 'sent at 2')).toBe(true)
    expect(names(table)).toEqual(['sent at 2', 'sent at 4'])
  })

  it('are dropped for this process only where others share the table', async () => {
    const table = await own(1, 2)
    const forgotten: string[] = []
    const shared = {
      between: table.between.bind(table),
      delete: async () => await Promise.reject(new Error('it is deleted for all')),
      forget: async (id: string) => void (await Promise.resolve(forgotten.push(id))),
    }
    expect(await dropUntil(shared, 'at', 1)).toBe(true)
    expect(forgotten).toEqual(['sent at 1'])
  })

  it('are dropped by twenty thousand in one go at most: what is left is said to be', async () => {
    const table = await own(...Array.from({ length: 20_001 }, (_, n) => n))
    expect(await dropUntil(table, 'at', 30_000)).toBe(false)
    expect(table.size).toBe(1)
    expect(await dropUntil(table, 'at', 30_000)).toBe(true)
    expect(table.size).toBe(0)
  })
})

describe('writes of one turn', () => {
  it('are one promise where they are one, and wait for all where there are several', async () => {
    const write = Promise.withResolvers<void>()
    expect(together(undefined, DONE, write.promise, write.promise)).toBe(write.promise)
    expect(together(write.promise, undefined, DONE)).toBe(write.promise)
    expect(together(undefined, DONE)).toBe(DONE)
    expect(together()).toBe(DONE)
    const other = Promise.withResolvers<void>()
    let isDone = false
    const both = together(write.promise, other.promise).then(() => (isDone = true))
    write.resolve()
    await Promise.resolve()
    await new Promise(setImmediate)
    expect(isDone).toBe(false)
    other.resolve()
    await both
  })
})

describe('by which numbers letters are found', () => {
  const { at, gone, pending, rerun } = tableKeys.letters
  const discarded = { ...letter, discarded: true as const, at: 5 }

  it('one that waits for somebody: when it was given up; one that was discarded: when that was, or its clink last seen', () => {
    expect([at(letter), at(discarded)]).toEqual([letter.at, undefined])
    expect([gone(letter), gone(discarded), gone({ ...discarded, seen: 9 }), gone({ ...discarded, seen: 2 })]).toEqual([
      undefined,
      5,
      9,
      5,
    ])
  })

  it('one whose clink may wait in the inbox: it was released, or has been seen since it was completed', () => {
    const completed = { ...letter, tell: 'complete' as const }
    expect([pending(letter), pending(completed), pending({ ...completed, seen: 7 })]).toEqual([1, undefined, 1])
  })

  it('one that runs again by itself', () => {
    const found = (['due', 'running', 'ready', 'sending', 'stuck'] as const).map((step) =>
      rerun({ ...letter, rerun: { step } } as typeof letter),
    )
    expect(found).toEqual([1, 1, 1, 1, undefined])
    expect([rerun(letter), rerun({ ...discarded, rerun: { step: 'due' } })]).toEqual([undefined, undefined])
  })
})
