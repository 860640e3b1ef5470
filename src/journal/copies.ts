import { chownSync, copyFileSync, linkSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { asError, CodedError } from '../base/coded-error.ts'
import { wallNow } from '../base/host-time.ts'
import { makePrivate } from '../base/private-file.ts'
import { isoTime } from '../base/time-text.ts'
import { tryTo } from '../base/try-to.ts'
import { damageIn } from './integrity.ts'
import { JOURNAL_VERSION, versionOf } from './migrations.ts'
import { isCorrupt, isFull, stateError } from './sqlite-error.ts'
import { lockState } from './state-lock.ts'

/** What a journal holds, in numbers. A journal of an earlier version may lack some. */
export interface JournalFacts {
  readonly file: string
  readonly bytes: number
  readonly version: number
  /** Of dead letters, results that Clink has not confirmed, and so on, by the names of their tables. */
  readonly rows: Readonly<Record<string, number>>
}

const TABLES = [
  'letters',
  'results',
  'late',
  'in_hand',
  'parked',
  'attempts',
  'cooling',
  'own',
  'steps',
  'programs',
] as const
/** What each is counted by: a letter that was discarded is only remembered, and so is a result that its sender has. */
const COUNTED: Readonly<Record<string, string>> = {
  letters: "WHERE row ->> '$.discarded' IS NULL",
  results: "WHERE row ->> '$.isSent' IS NULL",
}
/** While a clink is in hand, what has come of it stands in the row of its claim. */
const BESIDE_CLAIMS: Readonly<Record<string, string>> = {
  attempts: 'WHERE attempts IS NOT NULL',
  results: "WHERE result ->> '$.isSent' IS NULL AND result IS NOT NULL",
}

/** @throws {CodedError} STATE_UNUSABLE when the file is no journal. */
export function journalFacts(file: string): JournalFacts {
  return withJournal(file, (database) => {
    const version = versionOf(database)
    const present = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
    const names = new Set(present.map(({ name }) => name))
    const rows = TABLES.filter((table) => names.has(table)).map((table) => {
      const count = database.prepare(`SELECT count(*) AS count FROM (${countedIn(table, names)})`).get()?.['count']
      return [table, Number(count)] as const
    })
    return { file, bytes: statSync(file).size, version, rows: Object.fromEntries(rows) }
  })
}

/** What is counted of a table: each clink once. */
function countedIn(table: string, names: ReadonlySet<unknown>): string {
  const beside = names.has('in_hand') ? BESIDE_CLAIMS[table] : undefined
  const counted = COUNTED[table] ?? ''
  if (beside === undefined) return `SELECT 1 FROM ${table} ${counted}`
  return `SELECT id FROM ${table} ${counted} UNION SELECT clink ->> '$.clink_id' FROM in_hand ${beside}`
}

/**
 * A fact that a worker has noted in the journal of a directory, without taking the directory and whatever its version.
 *
 * @throws {CodedError} STATE_UNUSABLE when there is no journal that can be read.
 */
export function notedFact(directory: string, name: string): string | undefined {
  return withJournal(join(directory, 'journal.db'), (database) => {
    const row: unknown = database.prepare('SELECT row FROM facts WHERE id = ?').get(name)?.['row']
    const fact: unknown = typeof row === 'string' ? tryTo(() => JSON.parse(row)) : undefined
    return typeof fact === 'string' ? fact : undefined
  })
}

/** Copies of a journal that lie beside it: one from before each migration, and from before each restoration. */
export function copiesBeside(directory: string): readonly string[] {
  return readdirSync(directory)
    .filter((name) => /^journal\.db\.(v\d+|before-.*)$/.test(name) && !/-(wal|shm)$/.test(name))
    .map((name) => join(directory, name))
}

/**
 * Copies the journal of a state directory as it is at one moment, also while a worker writes it.
 *
 * @throws {CodedError} USAGE when there is such a file already, or none can be made; STATE_UNAVAILABLE when there is no space for it; STATE_UNUSABLE.
 */
export function backUp(directory: string, target: string): void {
  try {
    if (statSync(target, { throwIfNoEntry: false }) !== undefined)
      throw new CodedError('USAGE', `${target}: there is such a file already; a backup is written to a new one`)
    makePrivate(target)
  } catch (error) {
    if (error instanceof CodedError) throw error
    if (isFull(error)) throw unwritten(target, error)
    throw new CodedError('USAGE', `${target}: no file can be written there: ${asError(error).message}`)
  }
  try {
    withJournal(join(directory, 'journal.db'), (database) => {
      try {
        database.prepare('VACUUM INTO ?').run(target)
      } catch (error) {
        // Whatever is wrong with the journal has been looked for before.
        throw isCorrupt(error) ? error : unwritten(target, error)
      }
    })
  } catch (error) {
    rmSync(target, { force: true })
    throw error
  }
}

/** The journal is as good as it was: what is wrong is the place of the copy. */
function unwritten(target: string, error: unknown): CodedError {
  const text = `${target} cannot be written:`
  if (isFull(error))
    return new CodedError('STATE_UNAVAILABLE', `${text} there is no space for it: free some`, { cause: error })
  return stateError(dirname(target), (problem) => `${text} ${problem}`, error)
}

/**
 * Puts a copy into the place of a directory's journal. The worker that takes it up treats it as a copy: claims in it are not held on to.
 *
 * @returns where the journal is that was there before; undefined: there was none.
 * @throws {CodedError} STATE_BUSY when a worker holds the directory; STATE_UNAVAILABLE when there is no space in it; STATE_UNUSABLE when the copy is none that this version can read.
 */
export function restore(directory: string, source: string): string | undefined {
  const { version } = journalFacts(source)
  if (version > JOURNAL_VERSION) {
    const text = `${source} was written by a newer clink-worker (its version is ${version}, this one knows ${JOURNAL_VERSION}): restore it with that one`
    throw new CodedError('STATE_UNUSABLE', text)
  }
  const lock = lockState(directory)
  try {
    const file = join(directory, 'journal.db')
    const fresh = `${file}.restoring`
    rmSync(fresh, { force: true })
    try {
      copyFileSync(source, fresh)
      // The copy may have been readable by others, and its mode comes with it.
      makePrivate(fresh)
      markAsCopy(fresh)
      for (const made of [fresh, join(directory, 'lock.db')]) giveToOwner(made)
      const before = putAside(file)
      renameSync(fresh, file)
      return before
    } catch (error) {
      for (const end of ['', '-journal', '-wal', '-shm']) rmSync(`${fresh}${end}`, { force: true })
      throw unwritten(file, error)
    }
  } finally {
    lock.release()
  }
}

/** Leaves the file where it is, with all that belongs into it, and another name for it. */
function putAside(file: string): string | undefined {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return undefined
  const stamp = isoTime(wallNow()).replaceAll(/[:.]/g, '')
  const aside = `${file}.before-${stamp}`
  // One that is damaged keeps its log beside it.
  tryTo(() => {
    const database = new DatabaseSync(file)
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    database.close()
  })
  linkSync(file, aside)
  for (const end of ['-wal', '-shm']) tryTo(() => renameSync(`${file}${end}`, `${aside}${end}`))
  return aside
}

/** As if it had come from another place. */
function markAsCopy(file: string): void {
  const database = new DatabaseSync(file)
  database.exec(`INSERT OR REPLACE INTO facts (id, row) VALUES ('place', '"restored"')`)
  database.close()
}

/** What root makes belongs to whom the directory belongs to: the worker may be another user. */
function giveToOwner(file: string): void {
  if (process.getuid?.() !== 0) return
  const { gid, uid } = statSync(dirname(file))
  chownSync(file, uid, gid)
}

function withJournal<Result>(file: string, use: (database: DatabaseSync) => Result): Result {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { readOnly: true })
    const damage = damageIn(database)
    if (damage !== undefined) throw new Error(`it is damaged: ${damage}`)
    if (versionOf(database) < 1) throw new Error('it is no journal of a worker')
    return use(database)
  } catch (error) {
    const text = `${file} cannot be read as a worker's journal: ${asError(error).message}`
    throw error instanceof CodedError ? error : new CodedError('STATE_UNUSABLE', text, { cause: error })
  } finally {
    database?.close()
  }
}
