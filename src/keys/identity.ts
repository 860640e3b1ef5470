import type { Emit } from '../events.ts'
import type { Ledger } from '../ledger/ledger.ts'

const FACT = 'identity'
/** Others win clinks, and some services answer with their claims: one such answer says nothing. */
const DENIED = 3

/**
 * Who we are to Clink: the user or agent profile that the key belongs to. Configured, kept by an earlier process, or learnt from
 * the first record that surely names us. What one answer has told is given up when the next one about a claim of ours denies it; what
 * two have told, or the configuration, never changes: a key of another owner is refused.
 */
export class Identity {
  readonly #emit: Emit
  readonly #keep: (id: string) => void
  #id: string | undefined
  /** The configuration, or more than one answer, says so. */
  #isFirm: boolean
  /** How many answers in a row about claims that the service has granted named somebody else. */
  #denials = 0

  /** @param keep told what was learnt, so that the next process knows it, and nothing where that was given up. Left out: what is known is configured. */
  constructor(known: string | undefined, emit: Emit, keep?: (id: string) => void) {
    this.#id = known
    this.#isFirm = keep === undefined
    this.#emit = emit
    this.#keep = keep ?? ((): void => {})
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

  /** Whether no answer has confirmed yet what was learnt. */
  get isTentative(): boolean {
    return this.#id !== undefined && !this.#isFirm
  }

  /** Whether the service grants claims, and names somebody else as their owner, again and again. */
  get isDenied(): boolean {
    return this.#denials >= DENIED
  }

  /** The service has granted a claim, with a key that is ours, and its answer names this owner. */
  named(owner: string | null | undefined): void {
    if (this.#id === undefined || typeof owner !== 'string') return
    if (owner === this.#id) {
      this.#isFirm = true
      this.#denials = 0
      return
    }
    this.#denials += 1
    if (this.#isFirm) return
    this.#emit({ event: 'worker.identityGivenUp', identity: this.#id, named: owner })
    this.#id = undefined
    this.#keep('')
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
  return ledger.process.serviceFact(url, FACT) || undefined
}

export async function keepIdentity(id: string, ledger: Ledger, url: string): Promise<void> {
  await ledger.process.noteServiceFact(url, FACT, id)
}
