import type { InboxPage } from '../../clink/client.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import type { Clink } from '../../clink/records.ts'
import type { Identity } from '../../keys/identity.ts'
import type { WorkerKey } from '../../keys/keys.ts'
import type { Lease } from '../claim/lease.ts'
import { listedOwner } from '../claim/observe.ts'
import { renewOnce } from '../claim/renewal.ts'
import type { ClaimTerms } from '../claim/terms.ts'
import type { AdmissionContext } from './context.ts'

/**
 * The records of a claiming poll on which we hold the claim. A page may also show clinks that another caller won in the same
 * moment, perhaps with our own key; where the answer's count says that there are such and the records do not tell which,
 * none is taken: they come back when their claims run out. So it is where others have won some and the key may be one of theirs: what
 * names us is then a sibling's.
 */
export function ownClaims(
  page: InboxPage,
  identity: Identity,
  { isProven }: { readonly isProven: boolean },
): ReadonlySet<Clink> {
  const total = page.clinks.length + page.malformed.length
  if (page.claimed_count === total) return new Set(page.clinks)
  const held = page.clinks.filter(({ status }) => status === 'claimed')
  const claimed = held.filter(({ claimed_by }) => !identity.isSomebodyElse(claimed_by))
  if (!isProven && claimed.length < held.length) return new Set()
  if (typeof page.claimed_count === 'number' && claimed.length + page.malformed.length > page.claimed_count)
    return new Set()
  return new Set(claimed)
}

/** The lease of a claim that a poll brought. The times of a record that is not shown as claimed are those of an earlier claim. */
export function leaseOf(clink: Clink, sentAt: number, terms: ClaimTerms): Lease {
  const times = clink.status === 'claimed' ? clink : { claimed_at: undefined, claim_expires_at: undefined }
  return terms.first({ sentAt, asked: undefined, claimedAt: times.claimed_at, expiresAt: times.claim_expires_at })
}

/** Whether a page shows clinks as they were before the poll and does not say that they were claimed: any of them may be ours now. */
export function tellsNothing({ claimed_count, clinks }: InboxPage): boolean {
  return clinks.length > 0 && typeof claimed_count !== 'number' && clinks.every(({ status }) => status === 'pending')
}

/** What a claiming poll has brought. */
export interface ClaimedPage {
  readonly page: InboxPage
  /** The records on which we hold the claim, with their leases. What a question leaves of one is noted there. */
  readonly leases: Map<Clink, Lease>
  /** The key that it was sent with. */
  readonly key: WorkerKey
  /** Whether the claim on a clink was in hand before. */
  readonly isHeld: (clink: Clink) => boolean
  /** Ends what is asked about the page. */
  readonly signal: AbortSignal
}

/** Why the claims of a page may be somebody else's; undefined: they are ours. A page without claims says nothing about its key. */
export async function whyForeign(
  claimed: ClaimedPage,
  context: AdmissionContext,
): Promise<'owner-unknown' | 'other-owner' | undefined> {
  if (claimed.leases.size === 0) return undefined
  const owner = await ownerOf(claimed, context)
  if (owner === 'failed' || owner === 'unclear') return 'owner-unknown'
  return context.keys.accept(claimed.key, owner === 'untold' ? undefined : owner.id) ? undefined : 'other-owner'
}

/**
 * Whom the claims of a page surely name as their owner. Where it does not say and nothing has told yet whose the key is, one of
 * them is renewed for the answer. `failed`: that was asked, and no answer came; `unclear`: the answer may be about a later claim.
 */
async function ownerOf(
  { isHeld, key, leases, page, signal }: ClaimedPage,
  context: AdmissionContext,
): Promise<{ readonly id: string } | 'untold' | 'unclear' | 'failed'> {
  const { identity, keys } = context
  const isWhole = page.claimed_count === page.clinks.length
  const named = page.clinks.find(({ claimed_by, status }) => status === 'claimed' && typeof claimed_by === 'string')
  if (isWhole && typeof named?.claimed_by === 'string') return { id: named.claimed_by }
  if (key.isProven || identity.id === undefined) return 'untold'
  const [clink, lease] = [...leases].find(([one]) => !isHeld(one)) ?? []
  if (clink === undefined || lease === undefined) return 'untold'
  const { api } = key
  const { timeout } = context.settings.current.clink
  const renewal = await renewOnce({ clink, lease, api }, { signal, timeout }, context)
  if (renewal.is === 'failed') {
    leases.set(clink, renewal.lease)
    return 'failed'
  }
  if (renewal.is === 'granted') {
    const { claimed_by: id, status } = renewal.record
    leases.set(clink, renewal.lease)
    if (status === 'claimed' && typeof id === 'string') return { id }
  }
  const listed = await listedOwner(clink, key, keys, lease.deadline, signal)
  return listed instanceof ClinkApiError ? 'failed' : listed
}
