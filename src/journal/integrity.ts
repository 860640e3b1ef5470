import type { DatabaseSync } from 'node:sqlite'

/** What SQLite finds first that is wrong with a file; undefined: nothing. Reads all of it. */
export function damageIn(database: DatabaseSync): string | undefined {
  const found = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check']
  return found === 'ok' ? undefined : String(found)
}
