import { steadyOf } from '../../base/clock.ts'
import { BareRefusals } from '../../clink/bare-refusals.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import type { Clink } from '../../clink/records.ts'
import { mayBeKept, refusesClaim, refusesNumber } from '../../clink/verdicts.ts'
import type { WorkerKey } from '../../keys/keys.ts'
import { listedOwner } from './observe.ts'
import type { Lease } from './lease.ts'
import type { ClaimContext } from './context.ts'

export type ClaimById =
  | { readonly is: 'claimed'; readonly clink: Clink; readonly lease: Lease; readonly key: WorkerKey }
  /** Somebody else was faster, or the clink is gone. */
  | { readonly is: 'refused'; readonly error?: ClinkApiError }
  /** The service does not take a length, and will not be asked for one again, for this clink at least; or it is unclear whose the claim was. Whether the clink is still wanted is to be judged anew. */
  | { readonly is: 'again' }
  /** No usable answer came. The clink may be ours now. */
  | { readonly is: 'unknown'; readonly error: ClinkApiError }
  /** `isUnowned`: it was made and given back, since nobody answered whose it is. */
  | { readonly is: 'failed'; readonly error: ClinkApiError; readonly isUnowned?: true }

/** What claims of one clink that brought no verdict have shown, for the next one of the same clink. */
export class ClaimTries {
  readonly refusals = new BareRefusals()
  /** False once a bare refusal of the length has come so often that it counts for this clink. */
  asksLength = true
  /** Nobody could tell whose an earlier one was. Another claim may. */
  wasUnclear = false
}

export interface ClaimByIdOptions {
  readonly context: ClaimContext
  readonly tries: ClaimTries
  readonly signal: AbortSignal
  /** Local time after which nothing is sent. */
  readonly deadline?: number
  /** A local time before which the claim, going by the answer, cannot have been made; undefined: nothing is known of that. */
  readonly notBefore: (record: Clink) => number | undefined
}

/**
 * Claims one clink. Whoever calls this has made sure that it cannot take a sibling's claim away (`Siblings.mayClaimById`), or is
 * about to find that out on this very clink.
 */
export async function claimById(clink: Clink, options: ClaimByIdOptions): Promise<ClaimById> {
  const { context, deadline, notBefore, signal, tries } = options
  const { api, claimsUnderWay, clock, keys, terms } = context
  const key = keys.current
  const asked = tries.asksLength ? terms.seconds : undefined
  const askedAt = clock.now()
  try {
    const limits = { attempts: 1, signal, ...(deadline === undefined ? {} : { deadline }) }
    const timeout = asked === undefined ? {} : { timeout_seconds: asked }
    const request = api.claimClink({ clink_id: clink.clink_id, ...timeout }, limits)
    const over = (): void => {}
    claimsUnderWay.note(clink.clink_id, request.then(over, over))
    const record = await request
    if (record.status === 'completed') return { is: 'refused' }
    const sentAt = notBefore(record)
    const times = { claimedAt: record.claimed_at, expiresAt: record.claim_expires_at }
    const grant = { sentAt: sentAt ?? askedAt, asked: asked === undefined ? undefined : asked * 1_000, ...times }
    const lease = terms.claimed(grant, askedAt)
    const ours = await isOurs({ ...clink, claimed_by: record.claimed_by }, key, lease, options)
    if (ours instanceof ClinkApiError) return { is: 'failed', error: ours, isUnowned: true }
    if (ours === 'unclear' && !tries.wasUnclear) {
      tries.wasUnclear = true
      return { is: 'again' }
    }
    if (ours !== true || sentAt === undefined) return { is: 'refused' }
    return { is: 'claimed', clink: whole(record, clink), lease, key }
  } catch (thrown) {
    if (!(thrown instanceof ClinkApiError)) throw thrown
    const error = tries.refusals.weigh(thrown, steadyOf(clock).now())
    if (asked !== undefined && refusesNumber(error)) {
      const where = mayBeKept(error) ? terms : tries
      where.asksLength = false
      return { is: 'again' }
    }
    if (refusesClaim(error)) return { is: 'refused', error }
    return { is: error.mayHaveHappened ? 'unknown' : 'failed', error }
  }
}

/** The record of a clink as claimed. What the answer left out, or said in a way that cannot be read, is as it was listed. */
function whole(answer: Clink, listed: Clink): Clink {
  const said = Object.entries(answer).filter(([, value]) => value !== '')
  return { ...listed, ...Object.fromEntries(said), status: 'claimed' }
}

/**
 * False for a claim that somebody else has; or that the key has made for somebody else, in which case it is given back. So it is where that is unclear, and
 * the next claim tells; and where it was asked and not answered, which is the error.
 */
async function isOurs(
  clink: Clink,
  key: WorkerKey,
  lease: Lease,
  options: ClaimByIdOptions,
): Promise<boolean | 'unclear' | ClinkApiError> {
  const { clink_id, claimed_by } = clink
  const { closing, emit, identity, keys } = options.context
  const isTheirs = identity.isSomebodyElse(claimed_by)
  if (key.isProven && !(key.isPresumed && isTheirs)) {
    identity.named(claimed_by)
    return !isTheirs
  }
  // Of a key that may be somebody else's as much is found out as can be.
  const isAsked = typeof claimed_by !== 'string' && identity.id !== undefined && key.stranger === undefined
  const listed = isAsked ? await listedOwner(clink, key, keys, lease.deadline, options.signal) : undefined
  // Meanwhile another claim may have told.
  const failed = listed instanceof ClinkApiError && !key.isProven ? whoseIsIt(listed) : undefined
  const isUnclear = listed === 'unclear' || failed !== undefined
  const owner = typeof listed === 'object' && 'id' in listed ? listed.id : claimed_by
  if (!isUnclear && keys.accept(key, owner)) return true
  // Also where a stop waits no longer for such answers.
  const limits = { deadline: lease.deadline, attempts: 1, signal: closing } as const
  await key.api.releaseClink({ clink_id }, limits).catch((error: unknown) => {
    if (!(error instanceof ClinkApiError)) throw error
    const why = isUnclear ? 'it may be another owner’s claim' : 'it was claimed for another owner'
    emit({ event: 'clink.leftToExpire', clink, why: `${why}, and ${error.message}` })
  })
  return failed ?? (isUnclear ? 'unclear' : false)
}

function whoseIsIt(error: ClinkApiError): ClinkApiError {
  return new ClinkApiError(`nobody answered whose the claim is: ${error.message}`, error)
}
