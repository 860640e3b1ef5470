import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import { z } from 'zod'
import { JournalTable } from '../../src/journal/table.ts'

export interface Thing {
  readonly is: string
  /** Left out: it is not found by it. */
  readonly at?: number
}

const schema = z.object({ is: z.string(), at: z.number().exactOptional() })

/** A table of things in a database, whose commits the test makes. */
export class TableBench {
  readonly database: DatabaseSync
  table: JournalTable<Thing, 'at'>
  /** What the promise of a change is. */
  readonly written = Promise.resolve()
  changes = 0
  failures: unknown[] = []

  /** @param limit characters that the database takes in one row. */
  constructor(limit = 1_000_000) {
    this.database = new DatabaseSync(':memory:', { limits: { length: limit } })
    this.database.exec(
      'CREATE TABLE things (id TEXT PRIMARY KEY NOT NULL, row TEXT NOT NULL, at REAL); CREATE INDEX things_at ON things (at)',
    )
    this.table = this.#opened()
  }

  /** As the next process of the worker opens it. */
  reopen(): void {
    this.table = this.#opened()
  }

  #opened(): JournalTable<Thing, 'at'> {
    return new JournalTable({
      name: 'things',
      keys: { at: ({ at }: Thing) => at },
      database: this.database,
      read: (row) => schema.safeParse(row).data,
      onChange: () => {
        this.changes += 1
        return this.written
      },
      onFailure: (error) => this.failures.push(error),
    })
  }

  /** What the journal does with each of its tables. */
  commit(): void {
    this.database.exec('BEGIN')
    this.table.write()
    this.database.exec('COMMIT')
    this.table.written()
  }

  /** Looks before a commit, after it, and in the next process. */
  always(look: () => void): void {
    look()
    this.commit()
    look()
    this.reopen()
    look()
    expect(this.failures).toEqual([])
  }

  set(id: string, at?: number, is = id): Promise<void> {
    return this.table.set(id, at === undefined ? { is } : { is, at })
  }

  ids(): string[] {
    return [...this.table.entries()].map(([id]) => id)
  }

  between(after: number, by: number): string[] {
    return [...this.table.between('at', after, by)].map(([id]) => id)
  }

  /** From now on each statement fails, until it is brought back. */
  takeAway(): void {
    this.database.exec('ALTER TABLE things RENAME TO others')
  }

  bringBack(): void {
    this.database.exec('ALTER TABLE others RENAME TO things')
  }
}
