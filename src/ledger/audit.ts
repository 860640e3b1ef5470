import { cutText, LONGEST } from '../base/cut-text.ts'
import type { Fleet } from './fleet.ts'
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
  readonly #of: Pick<Act, 'member' | 'machine'>
  #count = 0

  /** @param fleet each act says which member it was of. */
  constructor(table: Table<Act>, wall: () => number, fleet?: Pick<Fleet, 'machine' | 'member'>) {
    this.#table = table
    this.#wall = wall
    this.#of = fleet === undefined ? {} : { member: fleet.member, machine: fleet.machine }
  }

  /** Oldest first, by the clocks of those who noted them: of a fleet they come here in another order. */
  all(): readonly Act[] {
    return [...this.#table.entries()].map(([, act]) => act).toSorted((one, other) => one.at - other.at)
  }

  async note(act: Omit<Act, 'at'>): Promise<void> {
    const why = act.note === undefined ? {} : { note: cutText(act.note, LONGEST.note) }
    const noted = { ...act, ...why, ...this.#of, at: this.#wall() }
    this.#count += 1
    const writes = [this.#table.set(`${noted.at} ${this.#count} ${process.pid}`, noted)]
    for (const [id] of this.#table.entries()) {
      if (this.#table.size <= MOST) break
      writes.push(this.#table.delete(id))
    }
    await Promise.all(writes)
  }
}
