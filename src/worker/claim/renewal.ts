import { steadyOf, type Clock } from '../../base/clock.ts'
import { BareRefusals } from '../../clink/bare-refusals.ts'
import type { ClinkApi } from '../../clink/clink-api.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import type { Clink } from '../../clink/records.ts'
import { mayBeKept, refusesClaim, refusesNumber } from '../../clink/verdicts.ts'
import type { Grant, Lease } from './lease.ts'
import { oneTry } from './renewal-round.ts'
import type { Asking, ClaimTerms } from './terms.ts'

/** A claim that is ours. */
export interface OwnClaim {
  readonly clink: Clink
  readonly lease: Lease
  /** Asks with the key that is to hold it. */
  readonly api: Pick<ClinkApi, 'claimClink'>
}

export interface RenewalParts {
  readonly clock: Clock
  readonly terms: ClaimTerms
}

export interface RenewalLimits {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds. */
  readonly timeout?: number | undefined
  /** What was refused before to the same request. */
  readonly refusals?: BareRefusals
}

export type Renewal =
  /** Claimed anew, or shown as it is. `lease`: what is left of it by that answer. */
  | { readonly is: 'granted'; readonly record: Clink; readonly lease: Lease; readonly grant: Grant }
  | { readonly is: 'refused'; readonly error: ClinkApiError }
  /** The service does not take a length. */
  | { readonly is: 'again' }
  /** `lease`: what is left of it, since it may have been carried out all the same. */
  | { readonly is: 'failed'; readonly error: ClinkApiError; readonly lease: Lease }

/**
 * Claims once what is ours already, within its lease. Whatever it is asked for, it moves the end of the claim at the service: so whoever
 * asks has to go on with the lease of the answer.
 */
export async function renew(
  { api, clink }: Omit<OwnClaim, 'lease'>,
  { asked, lease, length, sentAt, unanswered }: Asking,
  { refusals = new BareRefusals(), signal, timeout }: RenewalLimits,
  { clock, terms }: RenewalParts,
): Promise<Renewal> {
  try {
    const record = await api.claimClink(
      { clink_id: clink.clink_id, ...length },
      { deadline: unanswered.deadline, attempts: 1, signal, timeout },
    )
    const { claimed_at: claimedAt, claim_expires_at: expiresAt } = record
    const grant = { sentAt, answeredAt: clock.now(), asked, claimedAt, expiresAt }
    // A record without a status shows nothing else.
    const isShownFree = record.status === 'pending' || record.status === 'completed'
    return { is: 'granted', record, lease: isShownFree ? lease : terms.renewed(lease, grant), grant }
  } catch (thrown) {
    if (!(thrown instanceof ClinkApiError)) throw thrown
    const error = refusals.weigh(thrown, steadyOf(clock).now())
    if (refusesClaim(error)) return { is: 'refused', error }
    if (asked === undefined || !refusesNumber(error))
      return { is: 'failed', error, lease: error.mayHaveHappened ? unanswered : lease }
    if (mayBeKept(error)) terms.asksLength = false
    return { is: 'again' }
  }
}

/** As `renew`, for who asks once: where the service takes no length, again without. No more than a try's time is taken of `timeout`. */
export async function renewOnce(
  claim: OwnClaim,
  limits: RenewalLimits,
  parts: RenewalParts,
): Promise<Exclude<Renewal, { is: 'again' }>> {
  const { clock, terms } = parts
  for (let asksLength = true; ; asksLength = false) {
    const asking = terms.ask(claim.lease, clock.now(), asksLength)
    const timeout = limits.timeout && oneTry(claim.lease.deadline - asking.sentAt, limits.timeout)
    const renewal = await renew(claim, asking, { ...limits, timeout }, parts)
    if (renewal.is !== 'again') return renewal
  }
}
