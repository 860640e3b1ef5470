import { beforeEach, describe, expect, it } from 'vitest'
import { DONE } from '../../src/ledger/table.ts'
import { TableBench } from './table-bench.ts'

let bench: TableBench

beforeEach(() => {
  bench = new TableBench()
})

describe('rows', () => {
  it('are there from when they are set, and until they are deleted', () => {
    void bench.set('a', 1)
    void bench.set('b', 2)
    void bench.set('a', 3, 'changed')
    bench.always(() => {
      expect([bench.table.get('a'), bench.table.get('b'), bench.table.get('c')]).toEqual([
        { is: 'changed', at: 3 },
        { is: 'b', at: 2 },
        undefined,
      ])
    })
    void bench.table.delete('a')
    bench.always(() => expect([bench.table.get('a'), bench.table.get('b')]).toEqual([undefined, { is: 'b', at: 2 }]))
    void bench.table.delete('b')
    bench.always(() => expect([bench.ids(), bench.table.get('b')]).toEqual([[], undefined]))
    void bench.set('c')
    bench.always(() => expect(bench.ids()).toEqual(['c']))
  })

  it('are written by the next commit, for which whoever changes them waits', () => {
    expect(bench.set('a')).toBe(bench.written)
    expect(bench.table.delete('a')).toBe(bench.written)
    expect(bench.table.delete('a')).toBe(DONE)
    expect(bench.table.delete('none')).toBe(DONE)
    expect(bench.changes).toBe(2)
    void bench.set('b')
    bench.commit()
    expect(bench.table.delete('a')).toBe(DONE)
    bench.reopen()
    expect(bench.table.delete('a')).toBe(DONE)
  })

  it('are in the file only once they are written', () => {
    void bench.set('a', 1)
    void bench.set('b', 2)
    bench.commit()
    bench.database.exec('DELETE FROM things')
    expect([bench.ids(), bench.between(0, 9), bench.table.size]).toEqual([[], [], 0])
  })

  it('stay as they were set where a commit fails, and are written by a later one', () => {
    void bench.set('a', 1)
    bench.database.exec('BEGIN')
    bench.table.write()
    bench.database.exec('ROLLBACK')
    void bench.set('b', 2)
    bench.always(() => expect(bench.ids().sort()).toEqual(['a', 'b']))
  })

  it('are listed oldest first, but those that were written just now', () => {
    for (const id of ['c', 'a', 'b']) void bench.set(id)
    bench.commit()
    void bench.set('a')
    void bench.set('d')
    void bench.table.delete('b')
    expect(bench.ids()).toEqual(['c', 'a', 'd'])
    bench.commit()
    expect(bench.ids()).toEqual(['c', 'a', 'd'])
  })

  it('may be many more than are read at a time, and change while they are listed', () => {
    const all = Array.from({ length: 1_700 }, (_, n) => `row ${n}`)
    for (const id of all) void bench.set(id, 5)
    bench.commit()
    expect(bench.ids()).toEqual(all)
    expect(bench.between(4, 5)).toEqual(all)
    for (const [id] of bench.table.entries()) void bench.table.delete(id)
    bench.always(() => expect([bench.ids(), bench.between(4, 5), bench.table.size]).toEqual([[], [], 0]))
  })

  it('may change while those are listed that are not written yet', () => {
    void bench.set('a')
    void bench.set('b')
    const seen: string[] = []
    for (const [id] of bench.table.entries()) {
      seen.push(id)
      void bench.set(`${id} again`)
    }
    expect(seen).toEqual(['a', 'b'])
  })
})

describe('a key', () => {
  it('finds rows above one number and not above another, the lowest first', () => {
    void bench.set('five', 5)
    void bench.set('none')
    void bench.set('three', 3)
    void bench.set('four', 4)
    bench.commit()
    bench.reopen()
    expect(bench.between(-Infinity, Infinity)).toEqual(['three', 'four', 'five'])
    expect([bench.between(3, 5), bench.between(3, 4), bench.between(5, 9), bench.between(-9, 3)]).toEqual([
      ['four', 'five'],
      ['four'],
      [],
      ['three'],
    ])
  })

  it('finds rows as they are now, also where they are not written yet', () => {
    for (const [id, at] of Object.entries({ a: 1, b: 2, c: 3 })) void bench.set(id, at)
    bench.commit()
    void bench.set('a', 7)
    void bench.set('b')
    void bench.table.delete('c')
    void bench.set('d', 8)
    bench.always(() => {
      expect([
        bench.between(-Infinity, Infinity),
        bench.between(7, 8),
        bench.between(0, 7),
        bench.between(8, 9),
      ]).toEqual([['a', 'd'], ['d'], ['a'], []])
      expect(bench.table.count('at')).toBe(2)
    })
  })

  it('is counted where a row has it', () => {
    expect(bench.table.count('at')).toBe(0)
    void bench.set('a', 1)
    void bench.set('b', 0)
    void bench.set('c')
    bench.always(() => expect(bench.table.count('at')).toBe(2))
  })
})

describe('how many rows there are', () => {
  it('counts each once, as it is now', () => {
    void bench.set('a')
    void bench.set('b')
    bench.commit()
    bench.reopen()
    void bench.set('a', 1)
    void bench.set('c')
    void bench.table.delete('b')
    bench.always(() => expect(bench.table.size).toBe(2))
  })

  it('goes along with each change', () => {
    expect(bench.table.size).toBe(0)
    void bench.set('a')
    void bench.set('a', 2)
    void bench.set('b')
    expect(bench.table.size).toBe(2)
    bench.commit()
    void bench.set('a', 3)
    void bench.table.delete('b')
    void bench.table.delete('b')
    void bench.table.delete('none')
    bench.always(() => expect(bench.table.size).toBe(1))
  })
})
