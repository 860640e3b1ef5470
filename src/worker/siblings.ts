import type { Clock } from '../base/clock.ts'
import type { CallOptions } from '../clink/client.ts'
import { ClinkApiError } from '../clink/errors.ts'
import type { Clink } from '../clink/records.ts'
import type { Emit } from '../events.ts'
import type { ClinkApi } from '../clink/clink-api.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { look } from './look.ts'

/** What becomes of a claim on a clink that another session of the same owner holds. */
export type SiblingsVerdict = 'refused' | 'granted' | 'unknown'

export interface SiblingsOptions {
  readonly api: Pick<ClinkApi, 'claimClink' | 'getClinks'>
  /** The same key under another session: a sibling of our own. */
  readonly sibling: Pick<ClinkApi, 'claimClink'>
  readonly ledger: Ledger
  /** The verdict is about one service. */
  readonly url: string
  /** The operator's word that nobody else uses the key. */
  readonly exclusive: boolean
  readonly clock: Clock
  readonly emit: Emit
}

const FACT = 'siblings'
const REFUSALS = new Set([403, 409])
/** Milliseconds until it is tried again to find out what could not be found out. */
const AGAIN = 60_000

/**
 * Whether claims keep sessions of one owner apart. Claims name their owner and not the session, so only a try tells: on a clink
 * just claimed, before its handler starts, a second session claims it too. Found out once, when it is first wanted, and kept.
 */
export class Siblings {
  readonly #options: SiblingsOptions
  #isWanted = false
  #isFinding = false
  #againAt = -Infinity

  constructor(options: SiblingsOptions) {
    this.#options = options
  }

  /** Undefined: not found out yet, or not for certain. */
  get verdict(): 'refused' | 'granted' | undefined {
    const { ledger, url } = this.#options
    const verdict = ledger.serviceFact(url, FACT)
    return verdict === 'refused' || verdict === 'granted' ? verdict : undefined
  }

  /** Whether a claim by id cannot take a sibling's work. Undefined: nobody knows yet. */
  get mayClaimById(): boolean | undefined {
    if (this.#options.exclusive) return true
    const { verdict } = this
    return verdict === undefined ? undefined : verdict === 'refused'
  }

  /** Somebody would claim by id, if it may be. */
  want(): void {
    this.#isWanted = true
  }

  /** The next clink that is claimed should be used to find out. */
  get isDue(): boolean {
    return this.#isWanted && !this.#isFinding && this.mayClaimById === undefined && this.mayTry
  }

  /** A try that found out nothing has cost a clink its time: the next one has to wait. */
  get mayTry(): boolean {
    return this.#options.clock.now() >= this.#againAt
  }

  /**
   * Finds out on a clink that was just claimed. It may be run only after `refused`: otherwise a sibling may hold it now.
   *
   * @param deadline local time after which nothing is asked.
   */
  async findOut(clink: Clink, deadline: number, signal: AbortSignal): Promise<SiblingsVerdict> {
    const { clock, emit, ledger, url } = this.#options
    this.#isFinding = true
    try {
      const verdict = await this.#try(clink, deadline, signal)
      if (verdict === 'unknown') this.#againAt = clock.now() + AGAIN
      else await ledger.noteServiceFact(url, FACT, verdict)
      emit({ event: 'worker.siblings', verdict })
      return verdict
    } finally {
      this.#isFinding = false
    }
  }

  async #try(clink: Clink, deadline: number, signal: AbortSignal): Promise<SiblingsVerdict> {
    const { sibling } = this.#options
    const limits = { deadline, attempts: 1, signal }
    try {
      await sibling.claimClink({ clink_id: clink.clink_id }, limits)
    } catch (error) {
      if (!(error instanceof ClinkApiError)) throw error
      if (REFUSALS.has(error.status)) return await this.#confirmed(clink, deadline, signal)
      if (error.mayHaveHappened) await this.#claimBack(clink, limits)
      return 'unknown'
    }
    await this.#claimBack(clink, limits)
    return 'granted'
  }

  /** Also a clink that is no longer ours is refused, which says nothing about siblings. A claimed one need not be listed. */
  async #confirmed(clink: Clink, deadline: number, signal: AbortSignal): Promise<SiblingsVerdict> {
    const seen = await look(clink, this.#options.api, deadline, signal)
    if (seen === 'failed') return 'unknown'
    return seen === undefined || seen.status === 'claimed' ? 'refused' : 'unknown'
  }

  async #claimBack(clink: Clink, limits: CallOptions): Promise<void> {
    await this.#options.api.claimClink({ clink_id: clink.clink_id }, limits).catch(onlyApiErrors)
  }
}

function onlyApiErrors(error: unknown): void {
  if (!(error instanceof ClinkApiError)) throw error
}
