import { cutText, LONGEST } from '../base/cut-text.ts'
import type { Clink } from '../clink/records.ts'
import { pageOf, type Page, type Place } from './page.ts'
import { dropUntil, type Table } from './table.ts'

/**
 * The result of a handler that came too late to tell Clink. It is kept for the operator; nothing sends it, and no
 * later run uses it.
 */
export interface LateResult {
  readonly clink: Clink
  readonly route: string
  readonly attempt: number
  /** `late`: its claim had ended by then. `elsewhere`: somebody else had settled the clink. */
  readonly why: 'late' | 'elsewhere'
  readonly outcome: 'done' | 'release' | 'retry' | 'reject'
  readonly response?: string
  readonly reason?: string
  /** Wall time in milliseconds. */
  readonly at: number
}

/** Rows are in memory as well, and a response may be long. */
const MOST = 1_000

/** The late results of one state directory: so many at most, the oldest are dropped first. */
export class LateResults {
  readonly #table: Table<LateResult, 'at'>

  constructor(table: Table<LateResult, 'at'>) {
    this.#table = table
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

  /** Drops what is not newer than this wall time. */
  async dropUntil(time: number): Promise<void> {
    await dropUntil(this.#table, 'at', time)
  }
}
