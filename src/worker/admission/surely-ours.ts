import type { Clink } from '../../clink/records.ts'
import type { ClaimInHand } from '../claim/claim-in-hand.ts'
import type { Lease } from '../claim/lease.ts'
import { tellEnd } from '../delivery/told.ts'
import type { AdmissionContext } from './context.ts'

/** A claim that was just made. */
export interface FreshClaim extends ClaimInHand {
  readonly byId: boolean
}

/**
 * Finds out about siblings on this clink where that is wanted or has to be known.
 *
 * @returns the lease, as far as that has left it; undefined when a sibling may hold the clink, or the claim's time is over: then it is
 *   left to run out, which is said.
 */
export async function leaseIfSurelyOurs(
  clink: Clink,
  { byId, key, lease: given }: FreshClaim,
  intake: { readonly isClosing: boolean; readonly hurried: AbortSignal },
  context: AdmissionContext,
): Promise<Lease | undefined> {
  const { clock, keys, pulses, siblings } = context
  let lease = given
  // Another session with another key would be refused for its key, which says nothing about sessions.
  const canFindOut = key === keys.current
  const mustFindOut = byId ? siblings.mayClaimById !== true : siblings.isDueOn(clink.clink_id) && canFindOut
  if (mustFindOut && (byId || !intake.isClosing)) {
    const isPossible = canFindOut && !intake.isClosing
    pulses.poll.extend(lease.deadline - clock.now())
    const found = isPossible ? await siblings.findOut({ clink, lease, api: key.api }, intake.hurried) : undefined
    const verdict = found?.verdict ?? 'unknown'
    lease = found?.lease ?? lease
    // At a stop what a poll brought is given back; what was claimed by id may be a sibling's.
    if (verdict !== 'refused' && (byId || !intake.isClosing)) {
      const why = `another session may hold it (siblings: ${verdict})`
      tellEnd({ is: 'left-to-expire', why }, { clink }, context)
      return undefined
    }
  }
  if (clock.now() < lease.deadline) return lease
  tellEnd({ is: 'left-to-expire', why: 'its claim was answered after it could be trusted' }, { clink }, context)
  return undefined
}
