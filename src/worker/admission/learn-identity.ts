import type { Clink } from '../../clink/records.ts'
import type { ClaimInHand } from '../claim/claim-in-hand.ts'
import type { Lease } from '../claim/lease.ts'
import { renewOnce } from '../claim/renewal.ts'
import type { AdmissionContext } from './context.ts'

/** A signed clink may be our own reply: who we are has to be known before it is judged. The lease is what the question leaves of it. */
export async function learnIdentity(
  clink: Clink,
  { key: { api }, lease }: ClaimInHand,
  signal: AbortSignal,
  context: AdmissionContext,
): Promise<Lease> {
  const limits = { signal, timeout: context.settings.current.clink.timeout }
  const renewal = await renewOnce({ clink, lease, api }, limits, context)
  // Not known: the clink is left alone, and the worker says so.
  if (renewal.is === 'refused') return lease
  if (renewal.is === 'granted' && renewal.record.status === 'claimed')
    context.identity.learn(renewal.record.claimed_by, 'a renewal')
  return renewal.lease
}
