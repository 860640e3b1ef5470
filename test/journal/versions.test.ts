import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { clink } from '../support/sample-records.ts'
import { TempDir } from '../support/temp-dir.ts'
import { claim, letter, open, openFile, recalled } from '../support/states.ts'

const DAY = 86_400_000

/** Takes from the file what later versions have added, down to version `to`. */
function takeBack(file: DatabaseSync, to: 1 | 3 | 4 | 6 | 7 | 8 | 9): void {
  file.exec('DROP TABLE parked')
  if (to === 9) {
    file.exec('PRAGMA user_version = 9')
    return
  }
  file.exec('DROP TABLE untold')
  if (to === 8) {
    file.exec('PRAGMA user_version = 8')
    return
  }
  file.exec('DROP TABLE audit')
  if (to === 7) {
    file.exec('PRAGMA user_version = 7')
    return
  }
  if (to === 6) {
    file.exec('ALTER TABLE steps DROP COLUMN at; PRAGMA user_version = 6')
    return
  }
  file.exec(`
    CREATE TABLE claims (id TEXT PRIMARY KEY NOT NULL, row TEXT NOT NULL);
    INSERT INTO claims SELECT clink ->> '$.clink_id', json_set(claim, '$.clink', json(clink)) FROM in_hand;
    DROP TABLE in_hand;
    DROP TABLE steps`)
  file.exec(`PRAGMA user_version = ${to}`)
  if (to === 4) return
  for (const { name, tbl_name: table } of file
    .prepare("SELECT * FROM sqlite_master WHERE sql LIKE 'CREATE INDEX%'")
    .all()) {
    const column = String(name).slice(String(table).length + 1)
    file.exec(`DROP INDEX ${String(name)}; ALTER TABLE ${String(table)} DROP COLUMN ${column}`)
  }
  file.exec("UPDATE cooling SET row = row ->> '$.at'")
  if (to === 1) file.exec('DROP TABLE late; DROP TABLE programs')
  file.exec(`PRAGMA user_version = ${to}`)
}

describe('a journal of an earlier version', () => {
  it.each([1, 3, 4, 6, 7, 8, 9] as const)('(%d) is taken over, with a copy of it beside', async (version) => {
    using directory = new TempDir()
    const before = open(directory.path)
    const discarded = { ...letter, clink: { ...clink, clink_id: 'discarded' } }
    const again = { ...letter, clink: { ...clink, clink_id: 'again' }, rerun: { step: 'due' } } as const
    for (const one of [letter, discarded, again]) await before.ledger.deadLetter(one)
    await before.ledger.letters.discard('discarded')
    await Promise.all([
      before.ledger.cooling.set('cooling', DAY),
      before.ledger.addOwn('own', Date.now()),
      before.ledger.begin({ letter: 'tried' }),
      before.ledger.keepResult({ ...clink, clink_id: 'kept' }, 'answer'),
      before.ledger.process.hold({ ...claim, clink: { ...clink, clink_id: 'tried', content: '"\n\u{1f98a}' } }),
      before.ledger.process.hold({ ...claim, clink: { ...clink, clink_id: 'held' } }),
    ])
    const claims = before.ledger.process.claims()
    before.close()
    {
      using file = openFile(directory.path)
      file.exec("INSERT INTO facts (id, row) VALUES ('broken', 'this is not JSON')")
      file.exec("INSERT INTO own (id, row) VALUES ('broken', 'this is not JSON')")
      takeBack(file, version)
      if (version < 5) file.exec("INSERT INTO claims (id, row) VALUES ('broken', 'this is not JSON'), ('odd', '7')")
    }
    const after = open(directory.path)
    const { ledger } = after
    expect(ledger.letters.all()).toEqual([letter, again])
    expect(ledger.letters.reruns()).toEqual([again])
    expect([ledger.letters.mayBePending, (await recalled(ledger, 'discarded')).isGivenUp]).toEqual([true, true])
    expect([(await recalled(ledger, 'cooling')).isCooling, (await recalled(ledger, 'own')).isOwn]).toEqual([true, true])
    expect(ledger.cooling.hasBetween(Date.now(), Date.now() + 2 * DAY)).toBe(true)
    expect(ledger.process.claims()).toEqual(claims)
    expect(['tried', 'held'].map((id) => ledger.attemptsOf(id).starts)).toEqual([1, 0])
    after.close()
    {
      // What it has is found by its age, and forgotten.
      using file = openFile(directory.path)
      for (const table of ['attempts', 'results', 'own', 'cooling'])
        expect(file.prepare(`SELECT count(*) AS n FROM ${table} WHERE at > 0`).get()).toEqual({ n: 1 })
      expect(file.prepare('SELECT count(*) AS n FROM letters WHERE gone > 0').get()).toEqual({ n: 1 })
    }
    expect(existsSync(join(directory.path, `journal.db.v${version}`))).toBe(true)
    using copy = openFile(directory.path, `journal.db.v${version}`)
    expect(copy.prepare('PRAGMA user_version').get()).toEqual({ user_version: version })
    expect(copy.prepare('SELECT count(*) AS n FROM letters').get()).toEqual({ n: 3 })
  })
})
