import { beforeEach, describe, expect, it } from 'vitest'
import { TableBench, type Thing } from './table-bench.ts'

let bench: TableBench

beforeEach(() => {
  bench = new TableBench()
})

describe('what the file holds and nobody can read', () => {
  beforeEach(() => {
    const insert = bench.database.prepare('INSERT INTO things (id, row, at) VALUES (?, ?, 1)')
    insert.run('other', '{"something":"else"}')
    insert.run('none', 'no JSON')
    insert.run('bytes', Buffer.from([0xff]))
    insert.run(Buffer.from('id'), '{"is":"x","at":1}')
    insert.run('good', '{"is":"good","at":1}')
    bench.reopen()
  })

  it('is no row, and keeps no other from being found', () => {
    expect(['other', 'none', 'bytes', 'good'].map((id) => bench.table.get(id)?.is)).toEqual([
      undefined,
      undefined,
      undefined,
      'good',
    ])
    expect([bench.ids(), bench.between(0, 1), bench.failures]).toEqual([['good'], ['good'], []])
  })

  it('can be replaced and deleted', () => {
    expect(bench.table.size).toBe(5)
    void bench.set('other', 2)
    void bench.table.delete('none')
    bench.always(() =>
      expect([bench.table.size, bench.ids().sort(), bench.table.get('other')?.at]).toEqual([4, ['good', 'other'], 2]),
    )
  })
})

describe('a row that cannot be written at all', () => {
  /** JSON takes it only as nothing. */
  const odd: Thing = Object.assign(() => {}, { is: 'odd', at: 7 })

  beforeEach(() => {
    void bench.set('a', 1)
    void bench.set('odd', 2)
    bench.commit()
    void bench.table.set('odd', odd)
    void bench.table.set('new', odd)
    void bench.set('b', 3)
    bench.commit()
  })

  it('is remembered by this process, and keeps no other from being written', () => {
    expect([bench.table.get('odd'), bench.table.get('new'), bench.table.size]).toEqual([odd, odd, 4])
    expect(bench.ids().sort()).toEqual(['a', 'b', 'new', 'odd'])
    expect([bench.between(3, 9).sort(), bench.between(1, 2), bench.table.count('at')]).toEqual([['new', 'odd'], [], 4])
    bench.reopen()
    expect(bench.ids()).toEqual(['a', 'odd', 'b'])
  })

  it('is replaced by one that can, or deleted', () => {
    void bench.set('odd', 9)
    expect(bench.ids().sort()).toEqual(['a', 'b', 'new', 'odd'])
    void bench.table.delete('new')
    bench.always(() => {
      expect([bench.ids().sort(), bench.table.get('odd')?.at, bench.table.get('new'), bench.table.size]).toEqual([
        ['a', 'b', 'odd'],
        9,
        undefined,
        3,
      ])
      expect([bench.between(3, 9), bench.table.count('at')]).toEqual([['odd'], 3])
    })
  })

  it('counts once in the size that is counted anew', () => {
    bench.reopen()
    void bench.table.set('odd', odd)
    void bench.table.set('other', odd)
    bench.commit()
    expect([bench.table.size, bench.table.get('other')]).toEqual([4, odd])
  })
})

describe('a file that fails', () => {
  it('takes no row that is too big for it, and each other', () => {
    // Longer than this database takes, as another is by a thousand megabytes.
    bench = new TableBench(10_000)
    void bench.set('big', 1, 'x'.repeat(10_001))
    void bench.set('a', 2)
    bench.commit()
    expect([bench.table.get('big')?.at, bench.ids()]).toEqual([1, ['a', 'big']])
    bench.reopen()
    expect(bench.ids()).toEqual(['a'])
  })

  it('says so to whoever writes, and what has changed is still there', () => {
    void bench.set('a', 1)
    bench.takeAway()
    expect(() => bench.table.write()).toThrow(/no such table/)
    expect(bench.table.get('a')?.at).toBe(1)
    bench.bringBack()
    bench.always(() => expect(bench.ids()).toEqual(['a']))
  })

  it('tells of each read that fails, and finds nothing', () => {
    void bench.set('a', 1)
    bench.commit()
    bench.reopen()
    bench.takeAway()
    const looks = [
      () => bench.table.get('a'),
      () => bench.ids(),
      () => bench.between(0, 9),
      () => bench.table.size,
      () => bench.table.count('at'),
    ]
    expect(looks.map((look) => look())).toEqual([undefined, [], [], 0, 0])
    expect(bench.failures.map(String)).toEqual(looks.map(() => 'Error: no such table: things'))
    bench.bringBack()
    expect([bench.ids(), bench.table.get('a')?.at]).toEqual([['a'], 1])
  })

  it('loses no deletion of what cannot be looked up', () => {
    void bench.set('a', 1)
    bench.commit()
    bench.reopen()
    bench.takeAway()
    expect(bench.table.delete('a')).toBe(bench.written)
    bench.bringBack()
    bench.failures = []
    bench.always(() => expect(bench.ids()).toEqual([]))
  })

  it('loses no row where it fails only when all is written', () => {
    void bench.set('a', 1)
    void bench.set('b', 2)
    bench.commit()
    void bench.table.delete('a')
    bench.table.write()
    bench.takeAway()
    bench.table.written()
    bench.bringBack()
    expect(bench.ids()).toEqual(['b'])
  })

  it('is not asked for what was asked for a moment ago, nor for anything of a table that is empty', () => {
    void bench.set('a', 1)
    bench.commit()
    bench.reopen()
    expect([bench.table.get('a')?.at, bench.table.get('b')]).toEqual([1, undefined])
    bench.takeAway()
    expect([bench.table.get('a')?.at, bench.table.get('b'), bench.failures]).toEqual([1, undefined, []])
    bench.bringBack()
    void bench.table.delete('a')
    bench.commit()
    bench.takeAway()
    expect([bench.table.get('c'), bench.ids(), bench.between(0, 9), bench.failures]).toEqual([undefined, [], [], []])
    bench.bringBack()
    bench.reopen()
    bench.takeAway()
    expect([bench.table.get('c'), bench.ids(), bench.between(0, 9), bench.failures]).toEqual([undefined, [], [], []])
  })

  it('is nobody’s failure once it is closed', () => {
    void bench.set('a', 1)
    bench.commit()
    bench.reopen()
    bench.database.close()
    expect([bench.table.get('a'), bench.ids(), bench.table.size, bench.failures]).toEqual([undefined, [], 0, []])
  })
})
