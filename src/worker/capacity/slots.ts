import PQueue from 'p-queue'
import type { WorkerSignals } from '../signals.ts'

/** The order in which waiting deliveries get a slot. */
export const PRIORITY = { fresh: 0, due: 1, alone: 2 } as const

/**
 * The concurrency limit. A slot is taken from the start of a handler (or of a settlement without one) until the clink is
 * settled or held, and in any case until the handler's code has really ended; so what is claimed and not held is never more
 * than there are slots.
 */
export class Slots {
  readonly #queue: PQueue
  readonly #concurrency: number
  readonly #freed: WorkerSignals['freed']
  #suspects = 0

  constructor(concurrency: number, { freed }: Pick<WorkerSignals, 'freed'>) {
    this.#queue = new PQueue({ concurrency })
    this.#concurrency = concurrency
    this.#freed = freed
  }

  /** Suspects wait or run: one clink runs at a time, and they go first. */
  get isNarrow(): boolean {
    return this.#suspects > 0
  }

  /** How many must be given back before the next can be taken; undefined: one is free. */
  get taken(): number | undefined {
    return this.#queue.pending >= this.#queue.concurrency ? this.#queue.pending : undefined
  }

  /** Runs `work` when there is a slot. A rejection of `work` is the caller's. */
  async use<Result>(work: () => Promise<Result>, priority: number): Promise<Result> {
    const alone = priority === PRIORITY.alone
    if (alone) this.#narrow(1)
    try {
      return await this.#queue.add(work, { priority })
    } finally {
      if (alone) this.#narrow(-1)
      this.#freed.say()
    }
  }

  /** A slot fewer than are in use frees none, so a suspect starts only when nothing else runs. */
  #narrow(change: number): void {
    this.#suspects += change
    this.#queue.concurrency = this.isNarrow ? 1 : this.#concurrency
  }
}
