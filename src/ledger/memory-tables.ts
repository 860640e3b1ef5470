import { Recent } from '../base/recent.ts'
import { MemorySteps } from './memory-steps.ts'
import type { Row } from './rows.ts'
import { DONE, type Keys, type Table } from './table.ts'
import { tableKeys, type LedgerTables } from './tables.ts'

/** Remembers so many clinks of each kind at most; the oldest are forgotten first. */
const CAPACITY = 100_000

/** Tables that end with the process. */
export function memoryTables(): LedgerTables {
  return {
    attempts: new MemoryTable<Row<'attempts'>, 'at'>(tableKeys.attempts),
    results: new MemoryTable<Row<'results'>, 'at'>(tableKeys.results),
    letters: new MemoryTable(tableKeys.letters),
    cooling: new MemoryTable<Row<'cooling'>, 'at'>(tableKeys.cooling),
    own: new MemoryTable(tableKeys.own),
    claims: new MemoryTable({}),
    parked: new MemoryTable({}),
    late: new MemoryTable<Row<'late'>, 'at'>(tableKeys.late),
    audit: new MemoryTable({}),
    programs: new MemoryTable({}),
    facts: new MemoryTable({}),
    untold: new MemoryTable({}),
    steps: new MemorySteps(CAPACITY),
  }
}

class MemoryTable<Row, Key extends string> implements Table<Row, Key> {
  readonly #rows = new Recent<Row>(CAPACITY)
  readonly #keys: Keys<Row, Key>

  constructor(keys: Keys<Row, Key>) {
    this.#keys = keys
  }

  get size(): number {
    return this.#rows.size
  }

  get(id: string): Row | undefined {
    return this.#rows.get(id)
  }

  entries(): Iterable<readonly [string, Row]> {
    return [...this.#rows.entries()]
  }

  *between(key: Key, after: number, by: number): Iterable<readonly [string, Row]> {
    for (const entry of this.entries()) {
      const value = this.#keys[key](entry[1])
      if (value !== undefined && value > after && value <= by) yield entry
    }
  }

  count(key: Key): number {
    return [...this.between(key, -Infinity, Infinity)].length
  }

  set(id: string, row: Row): Promise<void> {
    this.#rows.set(id, row)
    return DONE
  }

  delete(id: string): Promise<void> {
    this.#rows.delete(id)
    return DONE
  }
}
