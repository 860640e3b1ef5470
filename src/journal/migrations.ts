import { copyFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { CodedError } from '../base/coded-error.ts'

/** One step from each version to the next. A step is never changed once it was released. */
const MIGRATIONS: readonly string[] = [
  ['attempts', 'results', 'letters', 'cooling', 'own', 'claims', 'facts'].map(newTable).join('\n'),
  newTable('late'),
  newTable('programs'),
  // Numbers by which rows are found without reading all of them.
  [
    ...['attempts', 'results', 'late'].flatMap((name) => newKey(name, 'at', "json_extract(row, '$.at')")),
    ...['cooling', 'own'].flatMap((name) => newKey(name, 'at', 'CAST(row AS REAL)')),
    newKey('letters', 'at', "iif(row ->> '$.discarded', NULL, row ->> '$.at')"),
    newKey('letters', 'gone', "iif(row ->> '$.discarded', max(row ->> '$.at', ifnull(row ->> '$.seen', 0)), NULL)"),
    newKey('letters', 'pending', "iif(row ->> '$.tell' = 'release' OR row ->> '$.seen' IS NOT NULL, 1, NULL)"),
    newKey('letters', 'rerun', "iif(row ->> '$.rerun.step' IN ('due', 'running', 'ready', 'sending'), 1, NULL)"),
  ].join('\n'),
  // Claims in hand by number: a new one is at the end, and no text is looked for.
  `CREATE TABLE in_hand (number INTEGER PRIMARY KEY, clink TEXT NOT NULL, claim TEXT NOT NULL, attempts TEXT, result TEXT);
   INSERT INTO in_hand (clink, claim)
     SELECT row -> '$.clink', json_remove(row, '$.clink') FROM claims WHERE json_valid(row) AND row -> '$.clink' IS NOT NULL ORDER BY rowid;
   DROP TABLE claims;`,
  // What is read and forgotten together stands together.
  `CREATE TABLE steps (clink TEXT, kind TEXT, name TEXT, content TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (clink, kind, name))
     WITHOUT ROWID;`,
  'ALTER TABLE steps ADD COLUMN at REAL;',
  newTable('audit'),
  newTable('untold'),
  newTable('parked'),
]

/** The version of a journal as it is written now. */
export const JOURNAL_VERSION = MIGRATIONS.length

function newTable(name: string): string {
  return `CREATE TABLE ${name} (id TEXT PRIMARY KEY NOT NULL, row TEXT NOT NULL);`
}

/** @param value of a row that was written without it. */
function newKey(table: string, key: string, value: string): string {
  return `
    ALTER TABLE ${table} ADD COLUMN ${key} REAL;
    UPDATE ${table} SET ${key} = ${value} WHERE json_valid(row);
    CREATE INDEX ${table}_${key} ON ${table} (${key}) WHERE ${key} IS NOT NULL;`
}

/** The version of a journal as it stands; 0: it is a new file. */
export function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)
}

/** Brings the file to this version, with a copy of it beside. */
export function migrate(database: DatabaseSync, file: string): void {
  const version = versionOf(database)
  if (version > MIGRATIONS.length) {
    const text = `the journal ${file} was written by a newer clink-worker (its version is ${version}, this one knows ${MIGRATIONS.length}): use that one, or another state.directory`
    throw new CodedError('STATE_UNUSABLE', text)
  }
  if (version === MIGRATIONS.length) return
  if (version > 0) {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    copyFileSync(file, `${file}.v${version}`)
  }
  database.exec('BEGIN IMMEDIATE')
  for (const step of MIGRATIONS.slice(version)) database.exec(step)
  database.exec(`PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`)
}
