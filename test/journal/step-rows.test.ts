import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { migrate } from '../../src/journal/migrations.ts'
import { StepRows } from '../../src/journal/step-rows.ts'
import { DONE } from '../../src/ledger/table.ts'
import type { KeptStep } from '../../src/ledger/step-table.ts'

const step = (name: string, value = '"ok"', is = 'step'): KeptStep =>
  ({ is, name, content: 'print', value, at: 7 }) as unknown as KeptStep

/** Steps in a database, whose commits the test makes. */
function setUp(database = new DatabaseSync(':memory:')) {
  if (database.prepare('PRAGMA user_version').get()?.['user_version'] === 0) migrate(database, ':memory:')
  const seen = { changes: 0, failures: [] as unknown[] }
  const rows = new StepRows({
    database,
    onChange: async () => {
      seen.changes += 1
      await Promise.resolve()
    },
    onFailure: (error) => seen.failures.push(error),
  })
  const commit = (): void => {
    rows.write()
    rows.written()
  }
  const inFile = (): unknown[] => database.prepare('SELECT clink, name, value FROM steps ORDER BY clink, name').all()
  return { commit, database, inFile, rows, seen }
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  return await Promise.race([promise.then(() => false), new Promise<boolean>((done) => setImmediate(done, true))])
}

const names = async (rows: StepRows, clinkId: string): Promise<string[]> =>
  (await rows.of(clinkId)).map(({ name }) => name)

describe('steps in the file (P5)', () => {
  it('are there before they are written, and whoever waits for one waits until it is', async () => {
    const { commit, inFile, rows, seen } = setUp()
    const one = rows.set('a', step('x'))
    const other = rows.set('b', step('y'))
    expect([await names(rows, 'a'), await names(rows, 'b'), await names(rows, 'c')]).toEqual([['x'], ['y'], []])
    expect([inFile(), seen.changes, await isPending(one), await isPending(other)]).toEqual([[], 2, true, true])
    commit()
    await Promise.all([one, other])
    expect(inFile()).toEqual([
      { clink: 'a', name: 'x', value: '"ok"' },
      { clink: 'b', name: 'y', value: '"ok"' },
    ])
    expect(await rows.of('a')).toEqual([step('x')])
  })

  it('that a commit has not written are written by a later one', async () => {
    const { commit, inFile, rows } = setUp()
    const kept = rows.set('a', step('x'))
    // The transaction was rolled back: nobody says that it is written.
    expect(await isPending(kept)).toBe(true)
    const again = rows.set('a', step('x', '"anew"'))
    commit()
    await Promise.all([kept, again])
    expect(inFile()).toEqual([{ clink: 'a', name: 'x', value: '"anew"' }])
    rows.written()
    expect(await isPending(rows.set('a', step('z')))).toBe(true)
  })

  it('are found by the next process, and replaced by a later one of their name', async () => {
    const { commit, database, rows } = setUp()
    void rows.set('a', step('x'))
    void rows.set('a', step('x', '"sleeps"', 'sleep'))
    commit()
    const next = setUp(database)
    void next.rows.set('a', step('x', '"anew"'))
    const found = await next.rows.of('a')
    expect(Object.fromEntries(found.map(({ is, value }) => [is, value]))).toEqual({ sleep: '"sleeps"', step: '"anew"' })
    expect(found).toHaveLength(2)
    next.commit()
    expect(next.inFile()).toHaveLength(2)
  })

  it('are gone one by one, at once for whoever looks, and in the file with the commit', async () => {
    const { commit, inFile, rows } = setUp()
    void rows.set('a', step('x'))
    void rows.set('a', step('y'))
    commit()
    const gone = rows.delete('a', step('x'))
    expect([await names(rows, 'a'), inFile().length, await isPending(gone)]).toEqual([['y'], 2, true])
    commit()
    await gone
    expect([await names(rows, 'a'), inFile().length]).toEqual([['y'], 1])
  })

  it('are gone with their clink, those that are not written too, and what comes after that stays', async () => {
    const { commit, inFile, rows, seen } = setUp()
    void rows.set('a', step('x'))
    void rows.set('b', step('x'))
    commit()
    void rows.set('a', step('y'))
    void rows.drop('a')
    expect([await names(rows, 'a'), await names(rows, 'b'), seen.changes]).toEqual([[], ['x'], 4])
    void rows.set('a', step('z'))
    expect(await names(rows, 'a')).toEqual(['z'])
    commit()
    expect([await names(rows, 'a'), inFile()]).toEqual([
      ['z'],
      [
        { clink: 'a', name: 'z', value: '"ok"' },
        { clink: 'b', name: 'x', value: '"ok"' },
      ],
    ])
  })

  it('that nobody has cost a clink that is done no write', async () => {
    const { commit, database, rows, seen } = setUp()
    expect(rows.drop('a')).toBe(DONE)
    expect(seen.changes).toBe(0)
    void rows.set('b', step('x'))
    expect(rows.drop('a')).toBe(DONE)
    expect(rows.drop('b')).not.toBe(DONE)
    commit()
    expect(rows.drop('a')).toBe(DONE)
    void rows.set('b', step('x'))
    commit()
    expect(rows.drop('a')).not.toBe(DONE)
    expect(setUp(database).rows.drop('a')).not.toBe(DONE)
  })

  it('are written once: what is in the file after that is not touched again', () => {
    const { commit, database, inFile, rows } = setUp()
    void rows.set('a', step('x'))
    commit()
    database.exec('DELETE FROM steps')
    commit()
    expect(inFile()).toEqual([])
  })

  it('that are dropped alone are gone with the commit', () => {
    const { commit, inFile, rows } = setUp()
    void rows.set('a', step('x'))
    commit()
    void rows.drop('a')
    commit()
    expect(inFile()).toEqual([])
  })

  it('that no version has written are none, and a file that cannot be read is told and is no empty one', async () => {
    const { commit, database, rows, seen } = setUp()
    void rows.set('a', step('x'))
    commit()
    database.exec("INSERT INTO steps (clink, kind, name, content, value) VALUES ('a', 'unheard of', 'y', 'c', 'v')")
    expect(await names(rows, 'a')).toEqual(['x'])
    expect(seen.failures).toEqual([])
    database.exec('DROP TABLE steps')
    await expect(rows.of('a')).rejects.toThrow(/no such table/)
    expect(seen.failures).toHaveLength(1)
  })

  it('of earlier versions, which noted no time, are read', async () => {
    const { database, rows } = setUp()
    database.exec(`INSERT INTO steps (clink, kind, name, content, value) VALUES ('a', 'step', 'old', 'c', '"v"')`)
    expect(await names(rows, 'a')).toEqual(['old'])
  })
})
