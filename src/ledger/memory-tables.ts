import { Recent } from '../base/recent.ts'
import type { LedgerTables } from './ledger.ts'
import type { Table } from './table.ts'

/** Remembers so many clinks of each kind at most; the oldest are forgotten first. */
const CAPACITY = 100_000

/** Tables that end with the process. */
export function memoryTables(): LedgerTables {
  return {
    attempts: new MemoryTable(),
    results: new MemoryTable(),
    letters: new MemoryTable(),
    cooling: new MemoryTable(),
    own: new MemoryTable(),
    claims: new MemoryTable(),
    late: new MemoryTable(),
    programs: new MemoryTable(),
    facts: new MemoryTable(),
  }
}

class MemoryTable<Row> implements Table<Row> {
  readonly #rows = new Recent<Row>(CAPACITY)

  get size(): number {
    return this.#rows.size
  }

  get(id: string): Row | undefined {
    return this.#rows.get(id)
  }

  entries(): Iterable<readonly [string, Row]> {
    return this.#rows.entries()
  }

  async set(id: string, row: Row): Promise<void> {
    this.#rows.set(id, row)
  }

  async delete(id: string): Promise<void> {
    this.#rows.delete(id)
  }
}
