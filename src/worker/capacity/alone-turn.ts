import type { SeatLine } from './seat-line.ts'

/** @param outlast what was to run alone need not any more: others go on beside it. */
export type Work = (outlast: () => void) => Promise<void>

/** The turn of a suspect: from when it waits nothing else starts, until it has ended, or has run alone for long enough. */
export class AloneTurn {
  readonly #line: SeatLine
  #isAlone = true

  constructor(line: SeatLine) {
    this.#line = line
    line.narrow(1)
  }

  /** In its seat. */
  async run(work: Work): Promise<void> {
    let outlasting = 0
    try {
      await work(() => {
        if (!this.#isAlone) return
        outlasting = 1
        this.#line.outlast(1)
        this.end()
      })
    } finally {
      this.#line.outlast(-outlasting)
    }
  }

  end(): void {
    if (this.#isAlone) this.#line.narrow(-1)
    this.#isAlone = false
  }
}
