import { DONE, together, type Table } from '../ledger/table.ts'
import type { Exchange } from './exchange.ts'
import type { NoteKind } from './store.ts'

export interface SharedTableOptions<Row, Key extends string> {
  readonly kind: NoteKind
  readonly local: Table<Row, Key>
  /** What the fleet was not told, over restarts. */
  readonly untold: Table<1 | 2>
  readonly exchange: Exchange
  /** Whoever writes acts on it only when the fleet knows. */
  readonly isAwaited: boolean
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
    // What is known here of others may be out of date: only the change of a letter is of no account where that is gone.
    const isNew = this.#options.kind !== 'letters' || this.#options.local.get(id) === undefined
    return this.#tell(id, this.#options.local.set(id, row), isNew)
  }

  delete(id: string): Promise<void> {
    if (this.#options.local.get(id) === undefined) return DONE
    return this.#tell(id, this.#options.local.delete(id), false)
  }

  /** Letters go when all members are to forget them. */
  forget(id: string): Promise<void> {
    return this.#options.kind === 'letters' ? this.delete(id) : this.#options.local.delete(id)
  }

  #tell(id: string, here: Promise<void>, isNew: boolean): Promise<void> {
    const { exchange, isAwaited, kind, untold } = this.#options
    const key = `${kind} ${id}`
    const noted = together(here, untold.set(key, isNew || untold.get(key) === 2 ? 2 : 1))
    const told = exchange.tellAfter({ kind, id, isNew }, noted)
    return isAwaited ? told : noted
  }
}
