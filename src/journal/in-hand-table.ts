import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { Present } from '../base/present.ts'
import { tryTo } from '../base/try-to.ts'
import type { Row } from '../ledger/rows.ts'
import { DONE, type Table } from '../ledger/table.ts'
import { rowText } from './row-text.ts'
import { isTooBig } from './sqlite-error.ts'

type InHand = Row<'claims'>

export interface InHandTableOptions {
  readonly database: DatabaseSync
  /** Makes a row of what the file holds; undefined drops it. */
  readonly read: (row: unknown) => InHand | undefined
  /** Resolves when what has changed is written, or when the journal has said that it cannot write. */
  readonly onChange: () => Promise<void>
}

interface Entry {
  readonly number: number
  /** Undefined: it is to be deleted. */
  row: InHand | undefined
  /** What the file holds of it; undefined: nothing. */
  written: Partial<InHand> | undefined
}

/**
 * The claims in hand, all of which are in memory: there are no more of them than this process works. In the file each has a number, so that
 * writing one looks for no text; and its clink and its result are columns of their own, since both may be long and hardly ever change.
 */
export class InHandTable implements Table<InHand> {
  readonly #options: InHandTableOptions
  readonly #entries = new Present<string, Entry>()
  /** What differs from the file. */
  #changed = new Set<Entry>()
  /** Of those: what the last write has left out. */
  readonly #unwritable = new Set<Entry>()
  readonly #statements: Readonly<Record<'insert' | 'update' | 'result' | 'delete', StatementSync>>
  #last = 0

  constructor(options: InHandTableOptions) {
    const { database } = options
    this.#options = options
    this.#statements = {
      insert: database.prepare(
        'INSERT INTO in_hand (number, claim, attempts, result, clink) VALUES (?1, ?2, ?3, ?4, ?5)',
      ),
      update: database.prepare(
        'UPDATE in_hand SET claim = ?2, attempts = ?3, result = ?4, clink = ifnull(?5, clink) WHERE number = ?1',
      ),
      result: database.prepare('UPDATE in_hand SET result = ?2 WHERE number = ?1'),
      delete: database.prepare('DELETE FROM in_hand WHERE number = ?1'),
    }
    for (const stored of database.prepare('SELECT * FROM in_hand ORDER BY number').all()) this.#take(stored)
  }

  get size(): number {
    return this.#entries.size
  }

  get(id: string): InHand | undefined {
    return this.#entries.get(id)?.row
  }

  /** A copy: whoever asks may change the table before it asks for the next. */
  entries(): Iterable<readonly [string, InHand]> {
    return [...this.#entries.entries()].flatMap(([id, { row }]) => (row === undefined ? [] : [[id, row] as const]))
  }

  /** They are found by no number. */
  count(): number {
    return 0
  }

  between(): Iterable<never> {
    return []
  }

  set(id: string, row: InHand): Promise<void> {
    const entry = this.#entries.get(id) ?? { number: (this.#last += 1), row, written: undefined }
    this.#entries.set(id, entry)
    return this.#change(entry, row)
  }

  delete(id: string): Promise<void> {
    const entry = this.#entries.get(id)
    if (entry === undefined) return DONE
    this.#entries.delete(id)
    return this.#change(entry, undefined)
  }

  #change(entry: Entry, row: InHand | undefined): Promise<void> {
    entry.row = row
    this.#changed.add(entry)
    return this.#options.onChange()
  }

  /** Writes what has changed, inside the journal's transaction. A row that cannot be written stays in memory, and keeps no other. */
  write(): void {
    this.#unwritable.clear()
    for (const entry of this.#changed) if (!this.#write(entry)) this.#unwritable.add(entry)
  }

  /** The transaction was committed. */
  written(): void {
    for (const entry of this.#changed) if (!this.#unwritable.has(entry)) entry.written = entry.row
    // Not cleared: see `Present`.
    this.#changed = new Set()
  }

  #write({ number, row, written }: Entry): boolean {
    if (row === undefined) {
      if (written !== undefined) this.#statements.delete.run(number)
      return true
    }
    try {
      return this.#writeRow(number, row, written)
    } catch (error) {
      if (isTooBig(error)) return false
      throw error
    }
  }

  /** False: it is nothing that JSON takes. */
  #writeRow(number: number, { attempts, claim: held, result }: InHand, written: Partial<InHand> | undefined): boolean {
    const { insert, result: update, update: updateAll } = this.#statements
    const resultText = textOf(result)
    if (resultText === undefined) return false
    if (held === written?.claim && attempts === written.attempts) {
      update.run(number, resultText)
      return true
    }
    const { clink, ...claim } = held
    const texts = [textOf(claim), textOf(attempts), resultText, clink === written?.claim?.clink ? null : textOf(clink)]
    if (!areTexts(texts)) return false
    ;(written === undefined ? insert : updateAll).run(number, ...texts)
    return true
  }

  /** What no version of this program has written is not believed, and deleted. */
  #take({ attempts, claim, clink, number, result }: Readonly<Record<string, unknown>>): void {
    const row = tryTo(() =>
      this.#options.read({
        claim: { ...Object(valueOf(claim)), clink: valueOf(clink) },
        ...(attempts === null ? {} : { attempts: valueOf(attempts) }),
        ...(result === null ? {} : { result: valueOf(result) }),
      }),
    )
    this.#last = Number(number)
    const entry = { number: this.#last, row, written: row ?? {} }
    if (row === undefined) this.#changed.add(entry)
    else this.#entries.set(row.claim.clink.clink_id, entry)
  }
}

/** Undefined: JSON does not take it. */
function textOf(value: object | undefined): string | null | undefined {
  return value === undefined ? null : rowText(value)
}

function areTexts(texts: readonly (string | null | undefined)[]): texts is readonly (string | null)[] {
  return !texts.includes(undefined)
}

function valueOf(text: unknown): unknown {
  return JSON.parse(String(text))
}
