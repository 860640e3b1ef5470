import { cutText, LONGEST } from '../base/cut-text.ts'
import { pageOf, type Page, type Place } from './page.ts'
import type { Row } from './rows.ts'
import { dropUntil, type Table } from './table.ts'

export type LateResult = Row<'late'>

/** Rows are in memory as well, and a response may be long. */
const MOST = 1_000

/** The late results of one state directory: so many at most, the oldest are dropped first. */
export class LateResults {
  readonly #table: Table<LateResult, 'at'>

  constructor(table: Table<LateResult, 'at'>) {
    this.#table = table
  }

  get size(): number {
    return this.#table.size
  }

  /** Oldest first. */
  all(): readonly LateResult[] {
    return [...this.#table.entries()].map(([, result]) => result)
  }

  /** Some of them, oldest first, from the one after the place that is named. */
  page(after?: Place): Page<LateResult> {
    const place = ({ at, attempt, clink }: LateResult): Place => ({ at, id: `${clink.clink_id} ${attempt}` })
    return pageOf(this.all(), after, place)
  }

  async keep({ response: whole, ...rest }: LateResult): Promise<void> {
    const response = whole === undefined ? {} : { response: cutText(whole, LONGEST.result) }
    const writes = [this.#table.set(`${rest.at} ${rest.attempt} ${rest.clink.clink_id}`, { ...rest, ...response })]
    for (const [id] of this.#table.entries()) {
      if (this.#table.size <= MOST) break
      writes.push(this.#table.delete(id))
    }
    await Promise.all(writes)
  }

  /** Clink has taken the result that it had refused. */
  async taken(clinkId: string): Promise<void> {
    const taken = [...this.#table.entries()].filter(
      ([, { clink, why }]) => why === 'elsewhere' && clink.clink_id === clinkId,
    )
    await Promise.all(taken.map(async ([id]) => await this.#table.delete(id)))
  }

  /** Drops what is not newer than this wall time. */
  async dropUntil(time: number): Promise<void> {
    await dropUntil(this.#table, 'at', time)
  }
}
