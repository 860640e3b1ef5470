import type { Clink } from '../../clink/records.ts'
import type { ClaimInHand } from './claim-in-hand.ts'
import type { Lease, LeaseHolder } from './lease.ts'
import { renewUntilAnswered } from './renewal.ts'
import type { ClaimContext } from './context.ts'

/** Nothing runs for it: it is not worth more. */
const TRIES = 4

/**
 * A claim that nobody renews. One whose length is not known, or that another key has made, is asked about once: until that is answered it
 * is not known for how long it may be acted on.
 */
export class UnrenewedClaim implements LeaseHolder {
  readonly #clink: Clink
  readonly #claim: ClaimInHand
  readonly #context: ClaimContext
  #lease: Lease
  #isRefused = false
  #asking: Promise<unknown> = Promise.resolve()

  constructor(clink: Clink, claim: ClaimInHand, context: ClaimContext) {
    this.#clink = clink
    this.#claim = claim
    this.#context = context
    this.#lease = claim.lease
  }

  get lease(): Lease {
    return this.#lease
  }

  get stands(): boolean {
    return !this.#isRefused && this.#context.clock.now() < this.#lease.deadline
  }

  /** Resolves when nothing is being asked any more. */
  async quiet(): Promise<void> {
    await this.#asking
  }

  /**
   * Finds out what has to be known before it may be acted on.
   *
   * @param enough ends it once what is on its way is answered.
   * @returns false: it is left to expire.
   */
  async confirm(enough?: AbortSignal): Promise<boolean> {
    const { key, madeWith } = this.#claim
    const isStrange = madeWith !== undefined && madeWith !== key.print
    if (this.#lease.basis !== 'unknown' && !isStrange) return true
    const asked = this.#ask(isStrange, enough)
    this.#asking = asked
    return await asked
  }

  async #ask(isStrange: boolean, enough: AbortSignal | undefined): Promise<boolean> {
    const { closing, keys, terms } = this.#context
    const { key } = this.#claim
    const claim = { clink: this.#clink, lease: this.#lease, api: key.api }
    const patience = { signal: closing, most: TRIES, ...(enough === undefined ? {} : { enough }) }
    const renewal = await renewUntilAnswered(claim, patience, this.#context)
    if (renewal.is === 'unanswered') {
      this.#lease = renewal.lease
      // It may have ended: nothing but to give it back can do no harm.
      return false
    }
    const isOurs = renewal.is === 'granted' && renewal.record.status === 'claimed'
    const isUnknown = this.#lease.basis === 'unknown'
    if (isOurs) this.#lease = renewal.lease
    this.#isRefused = !isOurs || (isStrange && !keys.accept(key, renewal.record.claimed_by))
    if (isUnknown && this.#isRefused) terms.unconfirmed()
    if (isUnknown && !this.#isRefused) terms.confirmed()
    return !this.#isRefused
  }
}
