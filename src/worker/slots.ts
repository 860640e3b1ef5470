import PQueue from 'p-queue'

/** The order in which waiting deliveries get a slot. */
export const PRIORITY = { fresh: 0, due: 1 } as const

/**
 * The concurrency limit. A slot is taken from the start of a handler (or of a settlement without one) until the clink is
 * settled or held, and in any case until the handler's code has really ended; so what is claimed and not held is never more
 * than there are slots.
 */
export class Slots {
  readonly #queue: PQueue
  readonly #onFree: () => void

  constructor(concurrency: number, onFree: () => void) {
    this.#queue = new PQueue({ concurrency })
    this.#onFree = onFree
  }

  /** Runs `work` when there is a slot. A rejection of `work` is the caller's. */
  async use<Result>(work: () => Promise<Result>, priority: number): Promise<Result> {
    try {
      return await this.#queue.add(work, { priority })
    } finally {
      this.#onFree()
    }
  }
}
