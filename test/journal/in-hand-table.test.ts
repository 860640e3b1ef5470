import { DatabaseSync, StatementSync } from 'node:sqlite'
import { describe, expect, it, vi } from 'vitest'
import { InHandTable } from '../../src/journal/in-hand-table.ts'
import { migrate } from '../../src/journal/migrations.ts'
import type { Row } from '../../src/ledger/rows.ts'
import { DONE } from '../../src/ledger/table.ts'
import { clink } from '../support/sample-records.ts'
import { claim } from '../support/states.ts'

type InHand = Row<'claims'>

const row = (id: string, more: Partial<InHand> = {}): InHand => ({
  claim: { ...claim, clink: { ...clink, clink_id: id } },
  ...more,
})
const attempts = { count: 1, errors: [], crashes: 0, at: 5 }
const result = { content: 'hello', response: 'answer', leases: 0, at: 6 }

/** Claims in hand in a database, whose commits the test makes. */
function setUp(database = new DatabaseSync(':memory:')) {
  if (database.prepare('PRAGMA user_version').get()?.['user_version'] === 0) migrate(database, ':memory:')
  const seen = { changes: 0 }
  const table = new InHandTable({
    database,
    read: (read) => {
      const { claim } = read as InHand
      return typeof claim.clink.clink_id === 'string' ? (read as InHand) : undefined
    },
    onChange: async () => {
      seen.changes += 1
      await Promise.resolve()
    },
  })
  const commit = (): void => {
    table.write()
    table.written()
  }
  const inFile = () => database.prepare('SELECT * FROM in_hand ORDER BY number').all()
  const changesOf = (work: () => void): number => {
    const total = (): number => Number(database.prepare('SELECT total_changes() AS n').get()?.['n'])
    const before = total()
    work()
    return total() - before
  }
  return { changesOf, commit, database, inFile, seen, table }
}

describe('claims in hand in the file (P9)', () => {
  it('are there before they are written, and found by the next process with all that has come of them', () => {
    const { commit, database, inFile, seen, table } = setUp()
    void table.set('a', row('a', { attempts, result }))
    void table.set('b', row('b'))
    expect([table.size, table.get('a'), table.get('c'), inFile(), seen.changes]).toEqual([
      2,
      row('a', { attempts, result }),
      undefined,
      [],
      2,
    ])
    commit()
    const next = setUp(database)
    expect([...next.table.entries()]).toStrictEqual([
      ['a', row('a', { attempts, result })],
      ['b', row('b')],
    ])
    // Numbers go on behind those of the process before.
    void next.table.set('c', row('c'))
    next.commit()
    expect(next.inFile().map(({ number }) => number)).toEqual([1, 2, 3])
  })

  it('are one row each, whatever becomes of them, and gone at once for whoever looks', () => {
    const { changesOf, commit, inFile, seen, table } = setUp()
    void table.set('a', row('a'))
    expect(changesOf(commit)).toBe(1)
    void table.set('a', row('a', { attempts }))
    void table.set('a', row('a', { attempts, result }))
    expect(changesOf(commit)).toBe(1)
    void table.delete('a')
    expect([table.get('a'), table.size, [...table.entries()], inFile().length]).toEqual([undefined, 0, [], 1])
    expect(changesOf(commit)).toBe(1)
    expect([inFile(), changesOf(commit), table.delete('a')]).toEqual([[], 0, DONE])
    expect(table.delete('a')).toBe(DONE)
    expect(seen.changes).toBe(4)
  })

  it('that come and go between two commits are never written', () => {
    const { changesOf, commit, table } = setUp()
    void table.set('a', row('a'))
    void table.delete('a')
    expect(changesOf(commit)).toBe(0)
  })

  it('of a clink that comes again are another row', () => {
    const { commit, inFile, table } = setUp()
    void table.set('a', row('a'))
    commit()
    void table.delete('a')
    void table.set('a', row('a', { attempts }))
    commit()
    expect(inFile()).toMatchObject([{ number: 2, attempts: JSON.stringify(attempts) }])
  })

  it('are written with what has changed: the clink and the claim stay as they are under a new result', () => {
    const { commit, database, inFile, table } = setUp()
    const first = row('a', { attempts })
    void table.set('a', first)
    commit()
    database.exec(`UPDATE in_hand SET claim = '"kept"', attempts = '"kept"', clink = '"kept"'`)
    void table.set('a', { ...first, result })
    commit()
    expect(inFile()).toMatchObject([
      { claim: '"kept"', attempts: '"kept"', clink: '"kept"', result: JSON.stringify(result) },
    ])
    void table.set('a', { ...first, claim: { ...first.claim, end: 9_000 } })
    commit()
    const { clink: _, ...rest } = first.claim
    expect(inFile()).toMatchObject([
      {
        claim: JSON.stringify({ ...rest, end: 9_000 }),
        attempts: JSON.stringify(attempts),
        clink: '"kept"',
        result: null,
      },
    ])
    void table.set('a', row('a', { attempts: { ...attempts, count: 2 } }))
    commit()
    expect(inFile()).toMatchObject([{ clink: JSON.stringify(first.claim.clink) }])
    const same = table.get('a')
    if (same !== undefined) void table.set('a', { ...same, attempts })
    commit()
    expect(inFile()).toMatchObject([{ attempts: JSON.stringify(attempts) }])
  })

  it('that a commit has not written are written by a later one', () => {
    const { database, inFile, table } = setUp()
    void table.set('a', row('a'))
    database.exec('BEGIN')
    table.write()
    database.exec('ROLLBACK')
    expect(inFile()).toEqual([])
    table.write()
    table.written()
    expect(inFile()).toHaveLength(1)
  })

  it('that cannot be written stay in memory, keep no other from the file, and are inserted once they can', () => {
    const { commit, inFile, table } = setUp()
    const impossible = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no')
        },
      },
    ) as InHand['result'] & object
    void table.set('a', row('a', { result: impossible }))
    void table.set('b', row('b'))
    commit()
    expect([table.size, inFile().length]).toEqual([2, 1])
    void table.set('a', row('a', { attempts: impossible as unknown as typeof attempts }))
    commit()
    expect(inFile()).toHaveLength(1)
    void table.set('a', row('a', { attempts }))
    commit()
    expect(inFile().map(({ number }) => number)).toEqual([1, 2])
    // From now on it is there, and is updated.
    const first = row('a')
    void table.set('a', first)
    commit()
    void table.set('a', { ...first, result: impossible })
    commit()
    expect(inFile()).toMatchObject([{ number: 1, attempts: null, result: null }, { number: 2 }])
  })

  it('that are too big for the file stay in memory too, and are inserted when they are smaller', () => {
    const { commit, inFile, table } = setUp()
    void table.set('a', row('a'))
    const run = vi.spyOn(StatementSync.prototype, 'run').mockImplementationOnce(() => {
      throw Object.assign(new Error('string or blob too big'), { errcode: 18 })
    })
    commit()
    run.mockRestore()
    expect([table.size, inFile()]).toEqual([1, []])
    void table.set('a', row('a', { attempts }))
    commit()
    expect(inFile()).toMatchObject([{ number: 1, attempts: JSON.stringify(attempts) }])
  })

  it('fail with the file where it is not their size that is wrong', () => {
    const { database, table } = setUp()
    void table.set('a', row('a'))
    database.exec('DROP TABLE in_hand')
    expect(() => table.write()).toThrow(/no such table/)
  })

  it('that no version has written are not believed, and deleted with the next commit', () => {
    const { commit, database, table } = setUp()
    void table.set('a', row('a'))
    commit()
    database.exec(`INSERT INTO in_hand (number, claim, clink) VALUES (5, 'no JSON', '{}'), (6, '{}', '{}')`)
    const next = setUp(database)
    expect([next.table.size, next.table.get('a'), next.inFile().length]).toEqual([1, row('a'), 3])
    next.commit()
    expect(next.inFile()).toHaveLength(1)
    void next.table.set('b', row('b'))
    next.commit()
    expect(next.inFile().map(({ number }) => number)).toEqual([1, 7])
  })

  it('are found by no number, and listed as they are when that is asked', () => {
    const { table } = setUp()
    void table.set('a', row('a'))
    void table.set('b', row('b'))
    expect([table.count(), [...table.between()]]).toEqual([0, []])
    const ids: string[] = []
    for (const [id] of table.entries()) {
      ids.push(id)
      void table.delete('b')
    }
    expect(ids).toEqual(['a', 'b'])
  })
})
