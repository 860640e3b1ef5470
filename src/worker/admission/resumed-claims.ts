import type { HeldClaim } from '../../ledger/process.ts'
import { Delivery } from '../delivery/delivery.ts'
import type { Deliveries } from '../delivery/deliveries.ts'
import { tellEnd } from '../delivery/told.ts'
import { ClaimHandle } from '../settlement/claim-handle.ts'
import type { Parked } from './parked.ts'
import { standingLease, UNWRITTEN, waitLeft } from '../claim/journalled-claim.ts'
import { routeOf } from '../replies/hops.ts'
import type { AdmissionParts } from './context.ts'

export interface ResumeParts {
  readonly shared: AdmissionParts
  readonly deliveries: Deliveries
  readonly parked: Parked
}

/** Holds on to claims of an earlier process whose leases stand, as if they had just been polled. */
export async function resumeClaims(claims: readonly HeldClaim[], parts: ResumeParts): Promise<void> {
  if (claims.length === 0) return
  const stood = await Promise.all(claims.map(async (claim) => await resumeClaim(claim, parts)))
  const held = stood.filter(Boolean).length
  parts.shared.context.emit({ event: 'worker.resumed', claims: held, gone: claims.length - held })
}

/** False: the claim does not stand any more. One that another key has made, or whose length is not known, has to be confirmed first. */
async function resumeClaim(claim: HeldClaim, { deliveries, parked, shared }: ResumeParts): Promise<boolean> {
  const { boot, clock, keys, ledger, settings } = shared.context
  const { clink } = claim
  const { letters } = ledger
  const lease = standingLease(claim, clock, boot)
  const wait = waitLeft(claim, clock, boot, settings.current.claim.maxHold)
  if (lease === undefined) {
    if (wait > 0) await ledger.cool(clink.clink_id, wait)
    await ledger.process.drop(clink.clink_id)
    return false
  }
  const inHand = { lease: { ...lease, settings: settings.current.claim }, key: keys.current, madeWith: claim.key }
  const routed = routeOf(clink, shared.context)
  if (routed === undefined || (letters.has(clink.clink_id) && letters.noticeFor(clink) === undefined)) {
    await ledger.process.drop(clink.clink_id)
    // A stop gives back what is parked.
    if (ledger.isHealthy) parked.add(clink, inHand, routed === undefined ? 'no-route' : 'given-up')
    else tellEnd({ is: 'left-to-expire', why: UNWRITTEN }, { clink }, shared.context)
  } else {
    const handle = new ClaimHandle(clink, routed.route, inHand, shared.context)
    deliveries.start(new Delivery(handle, routed, shared), wait)
  }
  return true
}
