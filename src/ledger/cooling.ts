import { Recent } from '../base/recent.ts'
import type { Row } from './rows.ts'
import { dropUntil, hasBetween, type Table } from './table.ts'

/** How many cooling clinks this process times by a clock that nobody sets. */
const TIMED = 10_000

/** Clinks that are left alone for a while. */
export class Cooling {
  readonly #table: Table<Row<'cooling'>, 'at'>
  /** When those that this process leaves alone have cooled down, by a clock that nobody sets. Noted anew, also by another worker, it is another time. */
  readonly #ends = new Recent<{ readonly noted: number; readonly end: number }>(TIMED)
  readonly #steady: () => number
  readonly #wall: () => number

  constructor(table: Table<Row<'cooling'>, 'at'>, wall: () => number, steady: () => number) {
    this.#table = table
    this.#wall = wall
    this.#steady = steady
  }

  /** What is over already is not noted: another worker may have noted meanwhile that the clink waits. */
  async set(clinkId: string, ms: number): Promise<void> {
    if (ms <= 0) return
    const noted = this.#wall() + ms
    this.#ends.set(clinkId, { noted, end: this.#steady() + ms })
    await this.#table.set(clinkId, { at: noted, for: ms })
  }

  /**
   * Milliseconds for which the worker still leaves the clink alone. Setting the wall clock does not make that longer: this process
   * starts a clock that nobody sets when it notes or first sees the cooling, and waits no longer than the time that
   * was noted.
   */
  of(clinkId: string): number {
    const cooling = this.#table.get(clinkId)
    if (cooling === undefined) return 0
    const { at: noted } = cooling
    const left = Math.min(noted - this.#wall(), cooling.for)
    if (left <= 0) return 0
    const known = this.#ends.get(clinkId)
    const end = known?.noted === noted ? known.end : this.#steady() + left
    this.#ends.set(clinkId, { noted, end })
    return Math.max(0, end - this.#steady())
  }

  /** Whether some are over after one wall time and by another. */
  hasBetween(after: number, by: number): boolean {
    return hasBetween(this.#table, 'at', after, by)
  }

  /** Forgets what is over. */
  async prune(): Promise<void> {
    await dropUntil(this.#table, 'at', this.#wall())
  }
}
