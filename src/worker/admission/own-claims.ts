import type { InboxPage } from '../../clink/client.ts'
import type { Clink } from '../../clink/records.ts'
import type { Identity } from '../../keys/identity.ts'
import type { ClaimTerms } from '../claim/terms.ts'
import type { Lease } from '../claim/lease.ts'

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
