import { cutText, LONGEST } from '../base/cut-text.ts'
import type { Row } from './rows.ts'
import type { Table } from './table.ts'

/** Something that an operator did. */
export type Act = Row<'audit'>

/** Rows are in memory as well. */
const MOST = 1_000

/** What operators did with the workers of one state directory: the last so many acts. */
export class Audit {
  readonly #table: Table<Act>
  readonly #wall: () => number
  #count = 0

  constructor(table: Table<Act>, wall: () => number) {
    this.#table = table
    this.#wall = wall
  }

  /** Oldest first, by the clocks of those who noted them: of a fleet they come here in another order. */
  all(): readonly Act[] {
    return [...this.#table.entries()].map(([, act]) => act).toSorted((one, other) => one.at - other.at)
  }

  async note(act: Omit<Act, 'at'>): Promise<void> {
    const noted = { ...act, ...(act.note !== undefined && { note: cutText(act.note, LONGEST.note) }), at: this.#wall() }
    this.#count += 1
    const writes = [this.#table.set(`${noted.at} ${this.#count} ${process.pid}`, noted)]
    for (const [id] of this.#table.entries()) {
      if (this.#table.size <= MOST) break
      writes.push(this.#table.delete(id))
    }
    await Promise.all(writes)
  }
}
