import type { Emit } from '../events.ts'

/**
 * Who we are to Clink: the user or agent profile that the key belongs to. Configured, or learnt from the first record that
 * surely names us. It never changes afterwards: a key of another owner would need a new start.
 */
export class Identity {
  readonly #emit: Emit
  #id: string | undefined

  constructor(configured: string | undefined, emit: Emit) {
    this.#id = configured
    this.#emit = emit
  }

  get id(): string | undefined {
    return this.#id
  }

  learn(id: string | null | undefined, from: string): void {
    if (this.#id !== undefined || typeof id !== 'string' || id === '') return
    this.#id = id
    this.#emit({ event: 'worker.identity', identity: id, learntFrom: from })
  }

  /** False also when nothing is known about either. */
  isUs(id: string | null | undefined): boolean {
    return this.#id !== undefined && id === this.#id
  }

  /** True when it is known that somebody else is meant. */
  isSomebodyElse(id: string | null | undefined): boolean {
    return this.#id !== undefined && typeof id === 'string' && id !== this.#id
  }
}
