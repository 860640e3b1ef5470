import { DONE, together, type Table } from '../ledger/table.ts'
import type { LedgerTables } from '../ledger/tables.ts'
import type { Exchange } from './exchange.ts'
import { editsOf, notedEdit, type LetterEdit } from './letter-edits.ts'
import type { NoteKind } from './store.ts'

export interface SharedTableOptions<Row, Key extends string> {
  readonly kind: NoteKind
  readonly local: Table<Row, Key>
  /** What the fleet was not told, over restarts. */
  readonly untold: LedgerTables['untold']
  readonly exchange: Exchange
  /** Whoever writes acts on it only when the fleet knows. */
  readonly isAwaited: boolean
  /** Of letters: what changes of one. */
  readonly editOf?: (before: Row | undefined, now: Row | undefined) => LetterEdit
}

/**
 * A table of this process that a fleet shares: reads are of what is known here, a write is noted for the fleet in the same commit. Here first: whatever
 * becomes of the store, this process knows what it did.
 */
export class SharedTable<Row, Key extends string> implements Table<Row, Key> {
  readonly #options: SharedTableOptions<Row, Key>

  constructor(options: SharedTableOptions<Row, Key>) {
    this.#options = options
  }

  get size(): number {
    return this.#options.local.size
  }

  get(id: string): Row | undefined {
    return this.#options.local.get(id)
  }

  entries(): Iterable<readonly [string, Row]> {
    return this.#options.local.entries()
  }

  between(key: Key, after: number, by: number): Iterable<readonly [string, Row]> {
    return this.#options.local.between(key, after, by)
  }

  count(key: Key): number {
    return this.#options.local.count(key)
  }

  set(id: string, row: Row): Promise<void> {
    const { editOf, local } = this.#options
    const edit = editOf?.(local.get(id), row)
    // What is known here of others may be out of date: only the change of a letter is of no account where that is gone.
    return this.#tell(id, local.set(id, row), edit === undefined || edit.born !== undefined, edit)
  }

  delete(id: string): Promise<void> {
    const { editOf, local } = this.#options
    const before = local.get(id)
    if (before === undefined) return DONE
    return this.#tell(id, local.delete(id), false, editOf?.(before, undefined))
  }

  /** Letters go when all members are to forget them. */
  forget(id: string): Promise<void> {
    return this.#options.kind === 'letters' ? this.delete(id) : this.#options.local.delete(id)
  }

  #tell(id: string, here: Promise<void>, isNew: boolean, edit?: LetterEdit): Promise<void> {
    const { exchange, isAwaited, kind, untold } = this.#options
    const key = `${kind} ${id}`
    const before = untold.get(key)
    const row = editsOf(notedEdit(before), edit)
    const noted = together(here, untold.set(key, row ?? (isNew || before === 2 ? 2 : 1)))
    const told = exchange.tellAfter({ kind, id, isNew, edit }, noted)
    return isAwaited ? told : noted
  }
}
