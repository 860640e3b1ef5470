import type { Emit } from '../events.ts'
import type { Ledger } from '../ledger/ledger.ts'

const FACT = 'identity'

/**
 * Who we are to Clink: the user or agent profile that the key belongs to. Configured, kept by an earlier process, or learnt from
 * the first record that surely names us. It never changes afterwards: a key of another owner is refused.
 */
export class Identity {
  readonly #emit: Emit
  readonly #keep: (id: string) => void
  #id: string | undefined

  /** @param keep told what was learnt, so that the next process knows it. */
  constructor(known: string | undefined, emit: Emit, keep: (id: string) => void = () => {}) {
    this.#id = known
    this.#emit = emit
    this.#keep = keep
  }

  get id(): string | undefined {
    return this.#id
  }

  learn(id: string | null | undefined, from: string): void {
    if (this.#id !== undefined || typeof id !== 'string' || id === '') return
    this.#id = id
    this.#keep(id)
    this.#emit({ event: 'worker.identity', identity: id, learntFrom: from })
  }

  /** False also when nothing is known about either. */
  isUs(id: string | null | undefined): boolean {
    return this.#id !== undefined && id === this.#id
  }

  /** True if the id is known to be somebody else's. */
  isSomebodyElse(id: string | null | undefined): boolean {
    return this.#id !== undefined && typeof id === 'string' && id !== this.#id
  }
}

/** The identity that an earlier process had at this address. */
export function keptIdentity(ledger: Ledger, url: string): string | undefined {
  return ledger.process.serviceFact(url, FACT)
}

export async function keepIdentity(id: string, ledger: Ledger, url: string): Promise<void> {
  await ledger.process.noteServiceFact(url, FACT, id)
}
