import { equalJitter, type Random } from '../../base/backoff.ts'
import { sleep, type Clock } from '../../base/clock.ts'
import { BareRefusals } from '../../clink/bare-refusals.ts'
import type { ClinkApi } from '../../clink/clink-api.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import type { Clink } from '../../clink/records.ts'
import { mayBeKept, refusesClaim, refusesNumber } from '../../clink/verdicts.ts'
import type { ClaimTerms } from './terms.ts'
import type { Config } from '../../config/config.ts'
import type { Grant, Lease } from './lease.ts'

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
  readonly timeout?: number
  /** What was refused before to the same request. */
  readonly refusals?: BareRefusals
  /** False: the service refused a length just now. */
  readonly asksLength?: boolean
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
 * Claims once what is ours already, within its lease. Whatever it is asked for, it moves the end of the claim at the service: so it always
 * asks for the length that is wanted, and whoever asks has to go on with the lease of the answer.
 */
export async function renew(
  { api, clink, lease }: OwnClaim,
  { asksLength = true, refusals = new BareRefusals(), signal, timeout }: RenewalLimits,
  { clock, terms }: RenewalParts,
): Promise<Renewal> {
  const seconds = asksLength ? terms.secondsFor(lease.basis) : undefined
  const sentAt = clock.now()
  const unanswered = terms.shortened(lease, sentAt, asksLength)
  try {
    const record = await api.claimClink(
      { clink_id: clink.clink_id, ...(seconds === undefined ? {} : { timeout_seconds: seconds }) },
      { deadline: unanswered.deadline, attempts: 1, signal, timeout },
    )
    const grant = {
      sentAt,
      answeredAt: clock.now(),
      asked: seconds === undefined ? undefined : seconds * 1_000,
      claimedAt: record.claimed_at,
      expiresAt: record.claim_expires_at,
    }
    return { is: 'granted', record, lease: record.status === 'claimed' ? terms.renewed(lease, grant) : lease, grant }
  } catch (thrown) {
    if (!(thrown instanceof ClinkApiError)) throw thrown
    const error = refusals.weigh(thrown, clock.now())
    if (refusesClaim(error)) return { is: 'refused', error }
    if (seconds === undefined || !refusesNumber(error))
      return { is: 'failed', error, lease: error.mayHaveHappened ? unanswered : lease }
    if (mayBeKept(error)) terms.asksLength = false
    return { is: 'again' }
  }
}

const PAUSE = { base: 250, max: 10_000 }
/** Four tries that hang fit what is left of the lease. */
const TRY = 1 / 4.5

export interface Patience {
  /** Ends a request that is on its way, too. */
  readonly signal: AbortSignal
  /** Ends the waiting between two tries. */
  readonly enough?: AbortSignal
  /** Most tries. Default: as many as it takes while the claim may stand. */
  readonly most?: number
}

/** As `renew`, until there is an answer. `unanswered`: none came. */
export async function renewUntilAnswered(
  claim: OwnClaim,
  { enough, most = Infinity, signal }: Patience,
  parts: RenewalParts & { readonly config: Config; readonly random: Random },
): Promise<Exclude<Renewal, { is: 'again' | 'failed' }> | { readonly is: 'unanswered'; readonly lease: Lease }> {
  const { clock, config, random } = parts
  const refusals = new BareRefusals()
  const ends = enough === undefined ? signal : AbortSignal.any([signal, enough])
  let { lease } = claim
  let asksLength = true
  for (let tries = 0; tries < most && clock.now() < lease.deadline && !ends.aborted;) {
    const timeout = Math.max(1, Math.min(config.clink.timeout, (lease.deadline - clock.now()) * TRY))
    const renewal = await renew({ ...claim, lease }, { asksLength, refusals, signal, timeout }, parts)
    if (renewal.is === 'granted' || renewal.is === 'refused') return renewal
    if (renewal.is === 'again') {
      asksLength = false
      continue
    }
    tries += 1
    lease = renewal.lease
    if (tries < most) await sleep(clock, equalJitter(tries, PAUSE, random), ends)
  }
  return { is: 'unanswered', lease }
}
