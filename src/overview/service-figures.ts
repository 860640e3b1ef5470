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

/** Answers of one operation that are told apart. Statuses and failures are few; who answers may make up more. */
const KINDS = 100

type Growing = { -readonly [Key in 'count' | 'last']: OperationFigures[Key] } & { total: number }

/** What the service has answered since the start, in memory. */
export class ServiceFigures {
  readonly #all = new Map<string, Map<number | string, Growing>>()

  readonly note = (operation: string, answer: number | string, duration: number): void => {
    const one = this.#of(operation, answer)
    if (one === undefined) return
    one.count += 1
    one.last = duration
    one.total += duration
  }

  get all(): readonly OperationFigures[] {
    return [...this.#all]
      .flatMap(([operation, answers]) =>
        [...answers].map(([answer, { count, last, total }]) => ({
          operation,
          answer: String(answer),
          count,
          last,
          mean: total / count,
        })),
      )
      .toSorted((a, b) => b.count - a.count)
  }

  #of(operation: string, answer: number | string): Growing | undefined {
    let answers = this.#all.get(operation)
    if (answers === undefined) this.#all.set(operation, (answers = new Map<number | string, Growing>()))
    let one = answers.get(answer)
    if (one === undefined && answers.size < KINDS) answers.set(answer, (one = { count: 0, last: 0, total: 0 }))
    return one
  }
}
