import { DatabaseSync } from 'node:sqlite'
import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { JournalTable } from '../../src/journal/table.ts'
import { DONE } from '../../src/ledger/table.ts'

interface Thing {
  readonly is: string
  /** Left out: it is not found by it. */
  readonly at?: number
}

const schema = z.object({ is: z.string(), at: z.number().exactOptional() })
const keys = { at: ({ at }: Thing) => at }

let database: DatabaseSync
let table: JournalTable<Thing, 'at'>
let changes: number
let failures: unknown[]
const written = Promise.resolve()

/** As the next process of the worker opens it. */
function reopened(): JournalTable<Thing, 'at'> {
  return new JournalTable({
    name: 'things',
    keys,
    database,
    read: (row) => schema.safeParse(row).data,
    onChange: () => {
      changes += 1
      return written
    },
    onFailure: (error) => failures.push(error),
  })
}

/** What the journal does with each of its tables. */
function commit(): void {
  database.exec('BEGIN')
  table.write()
  database.exec('COMMIT')
  table.written()
}

const set = (id: string, at?: number, is = id): Promise<void> => table.set(id, at === undefined ? { is } : { is, at })
const ids = (entries = table.entries()): string[] => [...entries].map(([id]) => id)
const between = (after: number, by: number): string[] => ids(table.between('at', after, by))
/** The same before a commit, after it, and in the next process. */
function always(look: () => void): void {
  look()
  commit()
  look()
  table = reopened()
  look()
}

beforeEach(() => {
  changes = 0
  failures = []
  database = new DatabaseSync(':memory:')
  database.exec(
    'CREATE TABLE things (id TEXT PRIMARY KEY NOT NULL, row TEXT NOT NULL, at REAL); CREATE INDEX things_at ON things (at)',
  )
  table = reopened()
})

describe('rows', () => {
  it('are there from when they are set, and until they are deleted', () => {
    void set('a', 1)
    void set('b', 2)
    void set('a', 3, 'changed')
    always(() => {
      expect([table.get('a'), table.get('b'), table.get('c')]).toEqual([
        { is: 'changed', at: 3 },
        { is: 'b', at: 2 },
        undefined,
      ])
    })
    void table.delete('a')
    always(() => expect([table.get('a'), table.get('b')]).toEqual([undefined, { is: 'b', at: 2 }]))
    void table.delete('b')
    always(() => expect([ids(), table.get('b')]).toEqual([[], undefined]))
    void set('c')
    always(() => expect(ids()).toEqual(['c']))
  })

  it('are written by the next commit, for which whoever changes them waits', () => {
    expect(set('a')).toBe(written)
    expect(table.delete('a')).toBe(written)
    expect(table.delete('a')).toBe(DONE)
    expect(table.delete('none')).toBe(DONE)
    expect(changes).toBe(2)
  })

  it('stay as they were set where a commit fails, and are written by a later one', () => {
    void set('a', 1)
    database.exec('BEGIN')
    table.write()
    database.exec('ROLLBACK')
    void set('b', 2)
    always(() => expect(ids().sort()).toEqual(['a', 'b']))
  })

  it('are listed oldest first, but those that were written just now', () => {
    for (const id of ['c', 'a', 'b']) void set(id)
    commit()
    void set('a')
    void set('d')
    void table.delete('b')
    expect(ids()).toEqual(['c', 'a', 'd'])
    commit()
    expect(ids()).toEqual(['c', 'a', 'd'])
  })

  it('may be many more than are read at a time, and change while they are listed', () => {
    const all = Array.from({ length: 1_700 }, (_, n) => `row ${n}`)
    for (const id of all) void set(id, 5)
    commit()
    expect(ids()).toEqual(all)
    expect(between(4, 5)).toEqual(all)
    for (const [id] of table.entries()) void table.delete(id)
    always(() => expect([ids(), between(4, 5), table.size]).toEqual([[], [], 0]))
  })

  it('may change while those are listed that are not written yet', () => {
    void set('a')
    void set('b')
    const seen: string[] = []
    for (const [id] of table.entries()) {
      seen.push(id)
      void set(`${id} again`)
    }
    expect(seen).toEqual(['a', 'b'])
  })
})

describe('a key', () => {
  it('finds rows above one number and not above another, the lowest first', () => {
    void set('five', 5)
    void set('none')
    void set('three', 3)
    void set('four', 4)
    commit()
    table = reopened()
    expect(between(-Infinity, Infinity)).toEqual(['three', 'four', 'five'])
    expect([between(3, 5), between(3, 4), between(5, 9), between(-9, 3)]).toEqual([
      ['four', 'five'],
      ['four'],
      [],
      ['three'],
    ])
  })

  it('finds rows as they are now, also where they are not written yet', () => {
    for (const [id, at] of Object.entries({ a: 1, b: 2, c: 3 })) void set(id, at)
    commit()
    void set('a', 7)
    void set('b')
    void table.delete('c')
    void set('d', 8)
    always(() => {
      expect([between(-Infinity, Infinity), between(7, 8), between(0, 7), between(8, 9)]).toEqual([
        ['a', 'd'],
        ['d'],
        ['a'],
        [],
      ])
      expect(table.count('at')).toBe(2)
    })
  })

  it('is counted where a row has it', () => {
    expect(table.count('at')).toBe(0)
    void set('a', 1)
    void set('b', 0)
    void set('c')
    always(() => expect(table.count('at')).toBe(2))
  })
})

describe('how many rows there are', () => {
  it('counts each once, as it is now', () => {
    void set('a')
    void set('b')
    commit()
    table = reopened()
    void set('a', 1)
    void set('c')
    void table.delete('b')
    always(() => expect(table.size).toBe(2))
  })

  it('goes along with each change', () => {
    expect(table.size).toBe(0)
    void set('a')
    void set('a', 2)
    void set('b')
    expect(table.size).toBe(2)
    commit()
    void set('a', 3)
    void table.delete('b')
    void table.delete('b')
    void table.delete('none')
    always(() => expect(table.size).toBe(1))
  })
})

describe('what the file holds and nobody can read', () => {
  beforeEach(() => {
    const insert = database.prepare('INSERT INTO things (id, row, at) VALUES (?, ?, 1)')
    insert.run('other', '{"something":"else"}')
    insert.run('none', 'no JSON')
    insert.run('bytes', Buffer.from([0xff]))
    insert.run(Buffer.from('id'), '{"is":"x","at":1}')
    insert.run('good', '{"is":"good","at":1}')
    table = reopened()
  })

  it('is no row, and keeps no other from being found', () => {
    expect(['other', 'none', 'bytes', 'good'].map((id) => table.get(id)?.is)).toEqual([
      undefined,
      undefined,
      undefined,
      'good',
    ])
    expect([ids(), between(0, 1), failures]).toEqual([['good'], ['good'], []])
  })

  it('can be replaced and deleted', () => {
    expect(table.size).toBe(5)
    void set('other', 2)
    void table.delete('none')
    always(() => expect([table.size, ids().sort(), table.get('other')?.at]).toEqual([4, ['good', 'other'], 2]))
  })
})

describe('a row that cannot be written at all', () => {
  /** JSON takes it only as nothing. */
  const odd: Thing = Object.assign(() => {}, { is: 'odd', at: 7 })

  beforeEach(() => {
    void set('a', 1)
    void set('odd', 2)
    commit()
    void table.set('odd', odd)
    void table.set('new', odd)
    void set('b', 3)
    commit()
  })

  it('is remembered by this process, and keeps no other from being written', () => {
    expect([table.get('odd'), table.get('new'), table.size]).toEqual([odd, odd, 4])
    expect(ids().sort()).toEqual(['a', 'b', 'new', 'odd'])
    expect([between(3, 9).sort(), between(1, 2), table.count('at')]).toEqual([['new', 'odd'], [], 4])
    table = reopened()
    expect(ids()).toEqual(['a', 'odd', 'b'])
  })

  it('is replaced by one that can, or deleted', () => {
    void set('odd', 9)
    expect(ids().sort()).toEqual(['a', 'b', 'new', 'odd'])
    void table.delete('new')
    always(() => {
      expect([ids().sort(), table.get('odd')?.at, table.get('new'), table.size]).toEqual([
        ['a', 'b', 'odd'],
        9,
        undefined,
        3,
      ])
      expect([between(3, 9), table.count('at')]).toEqual([['odd'], 3])
    })
  })

  it('counts once in the size that is counted anew', () => {
    table = reopened()
    void table.set('odd', odd)
    void table.set('other', odd)
    commit()
    expect([table.size, table.get('other')]).toEqual([4, odd])
  })
})

describe('a file that fails', () => {
  it('takes no row that is too big for it, and each other', () => {
    // Longer than this database takes, as another is by a thousand megabytes.
    database = new DatabaseSync(':memory:', { limits: { length: 10_000 } })
    database.exec('CREATE TABLE things (id TEXT PRIMARY KEY NOT NULL, row TEXT NOT NULL, at REAL)')
    table = reopened()
    void set('big', 1, 'x'.repeat(10_001))
    void set('a', 2)
    commit()
    expect([table.get('big')?.at, table.get('a')?.at]).toEqual([1, 2])
    table = reopened()
    expect(ids()).toEqual(['a'])
  })

  it('says so to whoever writes, and what has changed is still there', () => {
    void set('a', 1)
    database.exec('ALTER TABLE things RENAME TO others')
    expect(() => table.write()).toThrow(/no such table/)
    expect(table.get('a')?.at).toBe(1)
    database.exec('ALTER TABLE others RENAME TO things')
    always(() => expect(ids()).toEqual(['a']))
  })

  it('tells of each read that fails, and finds nothing', () => {
    void set('a', 1)
    commit()
    table = reopened()
    database.exec('ALTER TABLE things RENAME TO others')
    const looks = [() => table.get('a'), () => ids(), () => between(0, 9), () => table.size, () => table.count('at')]
    expect(looks.map((look) => look())).toEqual([undefined, [], [], 0, 0])
    expect(failures.map(String)).toEqual(looks.map(() => 'Error: no such table: things'))
  })

  it('is nobody’s failure once it is closed', () => {
    void set('a', 1)
    commit()
    table = reopened()
    database.close()
    expect([table.get('a'), ids(), table.size, failures]).toEqual([undefined, [], 0, []])
  })
})
