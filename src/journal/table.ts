import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { Recent } from '../base/recent.ts'
import { tryTo } from '../base/try-to.ts'
import { DONE, type Keys, type Table } from '../ledger/table.ts'
import { rowText } from './row-text.ts'
import { isTooBig } from './sqlite-error.ts'

/** Rows that are read at a time, after the first. */
const PAGE = 500
/** Of so many ids it is known without a look into the file what is there: a clink in hand is asked for again and again. */
const KNOWN = 1_000

export interface JournalTableOptions<Row, Key extends string> {
  readonly name: string
  readonly keys: Keys<Row, Key>
  readonly database: DatabaseSync
  /** Makes a row of what the file holds; undefined drops it. */
  readonly read: (row: unknown) => Row | undefined
  /** Resolves when what has changed is written, or when the journal has said that it cannot write. */
  readonly onChange: () => Promise<void>
  /** The file cannot be read. */
  readonly onFailure: (error: unknown) => void
}

/** `isThere` without a row: it cannot be believed. */
interface InFile<Row> {
  readonly isThere: boolean
  readonly row: Row | undefined
}

const ABSENT = { isThere: false, row: undefined }

/** A place in the order of a key, or of the rows themselves. */
interface Cursor {
  readonly key: number
  readonly rowid: number
}

/**
 * A table in the file, of which only that is in memory which is not written yet. Reads are immediate; changes are noted by id and written by
 * the journal's next commit. A commit that fails loses nothing: the changes stay noted, and the rows of that later moment are written.
 */
export class JournalTable<Row, Key extends string> implements Table<Row, Key> {
  readonly #options: JournalTableOptions<Row, Key>
  /** Changes that are not written yet; undefined: the row is to be deleted. */
  readonly #changed = new Map<string, Row | undefined>()
  /** Rows that cannot be written at all: they are remembered by this process only. */
  readonly #unwritable = new Map<string, Row>()
  /** What the file holds of ids that were asked for, or will hold after the next commit. */
  readonly #known = new Recent<InFile<Row>>(KNOWN)
  readonly #statements: Readonly<Record<'any' | 'get' | 'upsert' | 'delete' | 'count' | 'page', StatementSync>>
  readonly #ranges: ReadonlyMap<Key, StatementSync>
  readonly #columns: readonly Key[]
  #size: number | undefined
  /** The file may hold rows. Most tables are empty as long as nothing goes wrong, and are asked about every clink. */
  #isFilled: boolean

  constructor(options: JournalTableOptions<Row, Key>) {
    const { database, keys, name } = options
    this.#options = options
    const columns: Key[] = []
    for (const key in keys) columns.push(key)
    this.#columns = columns
    const names = ['id', 'row', ...columns]
    const updates = names.slice(1).map((column) => `${column} = excluded.${column}`)
    this.#statements = {
      any: database.prepare(`SELECT 1 FROM ${name} LIMIT 1`),
      get: database.prepare(`SELECT row FROM ${name} WHERE id = ?`),
      upsert: database.prepare(
        `INSERT INTO ${name} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')}) ON CONFLICT (id) DO UPDATE SET ${updates.join(', ')}`,
      ),
      delete: database.prepare(`DELETE FROM ${name} WHERE id = ?`),
      count: database.prepare(`SELECT count(*) AS count FROM ${name}`),
      page: database.prepare(
        `SELECT rowid, id, row, 0 AS key FROM ${name} WHERE rowid > ?2 AND ?1 <= ?3 ORDER BY rowid LIMIT ?4`,
      ),
    }
    this.#isFilled = this.#statements.any.get() !== undefined
    this.#ranges = new Map(
      columns.map((key) => {
        const where = `(${key}, rowid) > (?1, ?2) AND ${key} <= ?3`
        const sql = `SELECT rowid, id, row, ${key} AS key FROM ${name} WHERE ${where} ORDER BY ${key}, rowid LIMIT ?4`
        return [key, database.prepare(sql)]
      }),
    )
  }

  get size(): number {
    this.#size ??= this.#count()
    return this.#size
  }

  get(id: string): Row | undefined {
    if (this.#changed.has(id)) return this.#changed.get(id)
    return this.#unwritable.get(id) ?? this.#inFile(id)?.row
  }

  *entries(): Iterable<readonly [string, Row]> {
    yield* this.#scan(this.#statements.page, { key: 0, rowid: -1 }, 0)
    yield* this.#inMemory()
  }

  *between(key: Key, after: number, by: number): Iterable<readonly [string, Row]> {
    const range = this.#ranges.get(key)
    if (range !== undefined) yield* this.#scan(range, { key: after, rowid: Number.MAX_SAFE_INTEGER }, by)
    for (const entry of this.#inMemory()) {
      const value = this.#options.keys[key](entry[1])
      if (value !== undefined && value > after && value <= by) yield entry
    }
  }

  count(key: Key): number {
    const { database, keys, name } = this.#options
    const having = (where: string, ...values: string[]): number => {
      const sql = `SELECT count(*) AS count FROM ${name} WHERE ${key} IS NOT NULL${where}`
      return Number(this.#tryTo(() => database.prepare(sql).get(...values))?.['count'] ?? 0)
    }
    // What is not written yet counts as it is, and not as the file has it.
    const ids = new Set([...this.#unwritable.keys(), ...this.#changed.keys()])
    const replaced = [...ids].reduce((sum, id) => sum + having(' AND id = ?', id), 0)
    return having('') - replaced + this.#inMemory().filter(([, row]) => keys[key](row) !== undefined).length
  }

  set(id: string, row: Row): Promise<void> {
    if (this.#size !== undefined && !this.#has(id)) this.#size += 1
    return this.#change(id, row)
  }

  delete(id: string): Promise<void> {
    if (!this.#has(id)) return DONE
    if (this.#size !== undefined) this.#size -= 1
    return this.#change(id, undefined)
  }

  #change(id: string, row: Row | undefined): Promise<void> {
    this.#changed.set(id, row)
    this.#known.set(id, { isThere: row !== undefined, row })
    return this.#options.onChange()
  }

  /** Writes what has changed, inside the journal's transaction. One row that cannot be written keeps no other. */
  write(): void {
    for (const [id, row] of this.#changed) {
      this.#unwritable.delete(id)
      if (row === undefined) this.#statements.delete.run(id)
      else if (!this.#writeRow(id, row)) this.#unwritable.set(id, row)
    }
  }

  /** The transaction was committed. */
  written(): void {
    if (this.#changed.size === 0) return
    this.#isFilled = this.#tryTo(() => this.#statements.any.get() !== undefined) ?? true
    this.#changed.clear()
  }

  #writeRow(id: string, row: Row): boolean {
    const text = rowText(row)
    if (text === undefined) return false
    try {
      this.#statements.upsert.run(id, text, ...this.#columns.map((key) => this.#options.keys[key](row) ?? null))
      return true
    } catch (error) {
      if (isTooBig(error)) return false
      throw error
    }
  }

  /** Rows of the file that nothing in memory replaces, page by page: the table may change meanwhile. */
  *#scan(statement: StatementSync, from: Cursor, by: number): Iterable<readonly [string, Row]> {
    if (!this.#isFilled) return
    let { key, rowid } = from
    for (let limit = 1; ; limit = PAGE) {
      const page = this.#tryTo(() => statement.all(key, rowid, by, limit)) ?? []
      for (const { id, row } of page) {
        const value = typeof id !== 'string' || this.#isInMemory(id) ? undefined : this.#parse(row)
        if (value !== undefined) yield [String(id), value]
      }
      const last = page.at(-1)
      if (last === undefined) return
      key = Number(last['key'])
      rowid = Number(last['rowid'])
    }
  }

  #isInMemory(id: string): boolean {
    return this.#changed.has(id) || this.#unwritable.has(id)
  }

  /** A copy: whoever asks may change the table before it asks for the next. */
  #inMemory(): readonly (readonly [string, Row])[] {
    const unwritable = [...this.#unwritable].filter(([id]) => !this.#changed.has(id))
    return [...unwritable, ...this.#changed].flatMap(([id, row]) => (row === undefined ? [] : [[id, row] as const]))
  }

  /** What cannot be looked up may be there: a deletion of it is noted. */
  #has(id: string): boolean {
    if (this.#changed.has(id)) return this.#changed.get(id) !== undefined
    return this.#unwritable.has(id) || this.#inFile(id)?.isThere !== false
  }

  /** Undefined: the file cannot be read. */
  #inFile(id: string): InFile<Row> | undefined {
    if (!this.#isFilled) return ABSENT
    const known = this.#known.get(id)
    if (known !== undefined) return known
    const found = this.#tryTo(() => {
      const stored = this.#statements.get.get(id)
      return { isThere: stored !== undefined, row: this.#parse(stored?.['row']) }
    })
    if (found !== undefined) this.#known.set(id, found)
    return found
  }

  #count(): number {
    const inFile = Number(this.#tryTo(() => this.#statements.count.get())?.['count'] ?? 0)
    const memory = [...this.#unwritable.keys(), ...this.#changed.keys()]
    const known = memory.filter((id) => this.#tryTo(() => this.#statements.get.get(id)) !== undefined)
    return inFile - new Set(known).size + this.#inMemory().length
  }

  #parse(row: unknown): Row | undefined {
    return typeof row === 'string' ? tryTo(() => this.#options.read(JSON.parse(row))) : undefined
  }

  /** A read that fails finds no row. The journal then counts as failed, so no new work starts. */
  #tryTo<Result>(read: () => Result): Result | undefined {
    if (!this.#options.database.isOpen) return undefined
    try {
      return read()
    } catch (error) {
      this.#options.onFailure(error)
      return undefined
    }
  }
}
