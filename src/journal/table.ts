import type { DatabaseSync, StatementSync } from 'node:sqlite'

/**
 * A table whose rows are in memory, with the file behind it. Reads are immediate; changes are noted by key and written by the
 * journal's next commit. A commit that fails loses nothing: the keys stay noted, and the rows of that later moment are written.
 */
export class JournalTable<Row> {
  readonly name: string
  readonly #rows = new Map<string, Row>()
  readonly #changed = new Set<string>()
  readonly #onChange: () => Promise<void>
  readonly #upsert: StatementSync
  readonly #delete: StatementSync

  constructor(
    name: string,
    database: DatabaseSync,
    read: (row: unknown) => Row | undefined,
    onChange: () => Promise<void>,
  ) {
    this.name = name
    this.#onChange = onChange
    this.#upsert = database.prepare(
      `INSERT INTO ${name} (id, row) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET row = excluded.row`,
    )
    this.#delete = database.prepare(`DELETE FROM ${name} WHERE id = ?`)
    for (const { id, row } of database.prepare(`SELECT id, row FROM ${name} ORDER BY rowid`).all()) {
      const value = typeof row === 'string' ? read(parse(row)) : undefined
      if (typeof id === 'string' && value !== undefined) this.#rows.set(id, value)
    }
  }

  get size(): number {
    return this.#rows.size
  }

  get(id: string): Row | undefined {
    return this.#rows.get(id)
  }

  entries(): IterableIterator<[string, Row]> {
    return this.#rows.entries()
  }

  /** Resolves when the row is written, or when the journal has said that it cannot write. */
  async set(id: string, row: Row): Promise<void> {
    this.#rows.set(id, row)
    this.#changed.add(id)
    await this.#onChange()
  }

  async delete(id: string): Promise<void> {
    if (!this.#rows.delete(id)) return
    this.#changed.add(id)
    await this.#onChange()
  }

  /** Writes what has changed, inside the journal's transaction. */
  write(): void {
    for (const id of this.#changed) {
      const row = this.#rows.get(id)
      if (row === undefined) this.#delete.run(id)
      else this.#upsert.run(id, JSON.stringify(row))
    }
  }

  /** The transaction was committed. */
  written(): void {
    this.#changed.clear()
  }
}

/** What is not JSON is undefined, which no row is. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
