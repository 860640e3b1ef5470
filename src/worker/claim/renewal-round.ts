import { equalJitter, type Random } from '../../base/backoff.ts'
import { BareRefusals } from '../../clink/bare-refusals.ts'
import type { ClinkApiError } from '../../clink/errors.ts'
import { isAnswered } from '../../clink/verdicts.ts'
import type { Lease } from './lease.ts'
import type { Asking, ClaimTerms } from './terms.ts'

/** Four tries that hang, and the waits between them, fit what is left of the lease. */
const TRY = 1 / 4.5
const LONGEST_WAIT = 1 / 28
/** After a failure that was an answer, be it something's in front of the service: it comes at once, and is often the same for long. */
const LONGEST_ANSWERED_WAIT = 1 / 8

/** Milliseconds that one of several tries within a lease may take. Where nothing is left of it, nothing is sent: a try has some time all the same. */
export function oneTry(left: number, longest: number): number {
  return Math.min(longest, Math.max(1, left * TRY))
}

/** One try. */
export interface RenewalRequest {
  readonly asking: Asking
  /** Milliseconds. */
  readonly timeout: number
  /** What was refused before to the same request. */
  readonly refusals: BareRefusals
}

/** Tries to renew a claim that follow each other until one is answered. */
export class RenewalRound {
  /** What is on its way, or was last. */
  asking: Asking | undefined
  failures = 0
  /** Local time from which on the tries divide what is left of the lease. */
  #since: number
  #asksLength = true
  readonly #refusals: BareRefusals

  constructor({ deadline }: Lease, now: number) {
    this.#refusals = new BareRefusals(deadline - now)
    this.#since = now
  }

  /** @param longest milliseconds that the try may take at most. */
  ask(lease: Lease, now: number, terms: Pick<ClaimTerms, 'ask'>, longest: number): RenewalRequest {
    const asking = terms.ask(lease, now, this.#asksLength)
    const { unanswered } = asking
    this.asking = asking
    const timeout = oneTry(unanswered.deadline - (unanswered === lease ? this.#since : now), longest)
    return { asking, timeout, refusals: this.#refusals }
  }

  /** What is on its way fails or brings nothing: then `lease` is what there is. */
  claimedAnew(lease: Lease): void {
    if (this.asking !== undefined) this.asking = { ...this.asking, lease }
  }

  lengthRefused(): void {
    this.#asksLength = false
  }

  /**
   * @param after what the failure leaves of the lease.
   * @returns milliseconds until the next try.
   */
  failed(error: ClinkApiError, after: Lease, now: number, random: Random): number {
    if (this.asking !== undefined && after !== this.asking.lease) this.#since = this.asking.sentAt
    this.failures += 1
    const longest = (after.deadline - this.#since) * (isAnswered(error) ? LONGEST_ANSWERED_WAIT : LONGEST_WAIT)
    const pause = equalJitter(this.failures, { base: longest * 0.25, max: longest }, random)
    return Math.max(pause, Math.min(error.retryAfter ?? 0, (after.deadline - now) / 2))
  }
}
