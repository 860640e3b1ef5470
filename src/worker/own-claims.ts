import type { InboxPage } from '../clink/client.ts'
import type { Clink } from '../clink/records.ts'
import type { Identity } from './identity.ts'
import { firstLease, type Lease, type LeasePolicy } from './lease.ts'

/**
 * The records of a claiming poll on which we hold the claim. A page may also show clinks that another caller won in the same
 * moment, perhaps with our own key; where the answer's count says that there are such and the records do not tell which,
 * none is taken: they come back when their claims run out.
 */
export function ownClaims(page: InboxPage, identity: Identity): ReadonlySet<Clink> {
  const total = page.clinks.length + page.malformed.length
  if (page.claimed_count === total) return new Set(page.clinks)
  const claimed = page.clinks.filter(
    ({ status, claimed_by }) => status === 'claimed' && !identity.isSomebodyElse(claimed_by),
  )
  if (typeof page.claimed_count === 'number' && claimed.length + page.malformed.length > page.claimed_count)
    return new Set()
  return new Set(claimed)
}

/** The lease of a claim that a poll brought. The times of a record that is not shown as claimed are those of an earlier claim. */
export function leaseOf(clink: Clink, sentAt: number, policy: LeasePolicy): Lease {
  const times = clink.status === 'claimed' ? clink : { claimed_at: undefined, claim_expires_at: undefined }
  const grant = { sentAt, asked: undefined, claimedAt: times.claimed_at, expiresAt: times.claim_expires_at }
  return firstLease(grant, policy)
}
