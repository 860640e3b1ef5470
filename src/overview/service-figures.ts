import { Recent } from '../base/recent.ts'

/** How one operation of the service is answered. */
export interface OperationFigures {
  readonly operation: string
  /** A status, or why there was none. */
  readonly answer: string
  readonly count: number
  /** Milliseconds: of the last one, and of all together. */
  readonly last: number
  readonly mean: number
}

const KINDS = 500

/** What the service has answered since the start, in memory. */
export class ServiceFigures {
  readonly #all = new Recent<{ operation: string; answer: string; count: number; last: number; total: number }>(KINDS)

  readonly note = (operation: string, answer: number | string, duration: number): void => {
    const key = `${operation} ${String(answer)}`
    const one = this.#all.get(key)
    if (one === undefined)
      this.#all.set(key, { operation, answer: String(answer), count: 1, last: duration, total: duration })
    else {
      one.count += 1
      one.last = duration
      one.total += duration
    }
  }

  get all(): readonly OperationFigures[] {
    return [...this.#all.values()]
      .map(({ total, ...one }) => ({ ...one, mean: total / one.count }))
      .toSorted((a, b) => b.count - a.count)
  }
}
