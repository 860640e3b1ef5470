import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { JOURNAL_VERSION, migrate, versionOf } from '../../src/journal/migrations.ts'
import { TempDir } from '../support/temp-dir.ts'

let directory: string
let file: string
let database: DatabaseSync

beforeEach(() => {
  const made = new TempDir()
  directory = made.path
  file = join(directory, 'journal.db')
  database = new DatabaseSync(file)
  onTestFinished(() => {
    database.close()
    made[Symbol.dispose]()
  })
})

it('a new journal is of the version that is written now, and there is nothing to copy', () => {
  expect(versionOf(database)).toBe(0)
  migrate(database, file)
  expect(versionOf(database)).toBe(JOURNAL_VERSION)
  expect(readdirSync(directory)).toEqual(['journal.db'])
})

it('a journal of this version stays as it is', () => {
  migrate(database, file)
  database.exec('PRAGMA query_only = true')
  migrate(database, file)
  expect(readdirSync(directory)).toEqual(['journal.db'])
})

it('a journal of a later version is refused with its version and what to do, and stays as it is', () => {
  database.exec(`PRAGMA user_version = ${JOURNAL_VERSION + 1}`)
  const said = `the journal ${file} was written by a newer clink-worker (its version is ${JOURNAL_VERSION + 1}, this one knows ${JOURNAL_VERSION}): use that one, or another state.directory`
  expect(() => migrate(database, file)).toThrow(expect.objectContaining({ code: 'STATE_UNUSABLE', message: said }))
  expect(versionOf(database)).toBe(JOURNAL_VERSION + 1)
})

it('a copy holds what was in the log only', () => {
  migrate(database, file)
  database.exec(`PRAGMA journal_mode = WAL; DROP TABLE parked; PRAGMA user_version = ${JOURNAL_VERSION - 1}`)
  database.exec("INSERT INTO facts VALUES ('name', '1')")
  migrate(database, file)
  const copy = new DatabaseSync(`${file}.v${JOURNAL_VERSION - 1}`)
  expect(copy.prepare('SELECT id FROM facts').all()).toEqual([{ id: 'name' }])
  copy.close()
})

it('a step that fails leaves all as it was', () => {
  migrate(database, file)
  database.exec('PRAGMA user_version = 7')
  expect(() => migrate(database, file)).toThrow(/already exists/)
  database.exec('ROLLBACK')
  expect(versionOf(database)).toBe(7)
})
