import type { WorkerKey } from '../keys/keys.ts'
import type { HeldClaim } from '../ledger/ledger.ts'
import { askOwner, type OwnerAnswer } from './ask-owner.ts'
import { Delivery } from './delivery.ts'
import type { DeliveryShared } from './delivery-shared.ts'
import type { DeliverySet } from './delivery-set.ts'
import type { Lease } from './lease.ts'
import type { Parked } from './parked.ts'
import { standingLease, waitLeft } from './resume.ts'

export interface HoldOnParts {
  readonly shared: DeliveryShared
  readonly deliveries: DeliverySet
  readonly parked: Parked
  /** Ends what is asked about a claim. */
  readonly signal: AbortSignal
}

/** Holds on to claims of an earlier process whose leases stand, as if they had just been polled. */
export async function holdOn(claims: readonly HeldClaim[], parts: HoldOnParts): Promise<void> {
  if (claims.length === 0) return
  const stood = await Promise.all(claims.map(async (claim) => await holdOnToOne(claim, parts)))
  const held = stood.filter(Boolean).length
  parts.shared.context.emit({ event: 'worker.resumed', claims: held, gone: claims.length - held })
}

/** False: the claim does not stand any more. */
async function holdOnToOne(claim: HeldClaim, parts: HoldOnParts): Promise<boolean> {
  const { deliveries, parked, shared } = parts
  const { boot, clock, config, identity, keys, ledger, router } = shared.context
  const { clink } = claim
  const key = keys.current
  const lease = standingLease(claim, clock, boot)
  const wait = waitLeft(claim, clock, boot, config.claim.maxHold)
  if (lease === undefined || !(await isStillOurs(claim, lease, key, parts))) {
    if (wait > 0) await ledger.coolUntil(clink.clink_id, clock.wall() + wait)
    await ledger.dropClaim(clink.clink_id)
    return false
  }
  const routed = router.route(clink, identity.id)
  if (routed === undefined || ledger.isGivenUp(clink.clink_id)) {
    await ledger.dropClaim(clink.clink_id)
    parked.add(clink, lease, routed === undefined ? 'no-route' : 'given-up', key)
  } else {
    deliveries.add(new Delivery(clink, routed, { lease, key }, shared, wait))
  }
  return true
}

/** Another key than the one that claimed may be somebody else's, or may not be good for the claim: a renewal tells. */
async function isStillOurs(
  claim: HeldClaim,
  lease: Lease,
  key: WorkerKey,
  { shared, signal }: HoldOnParts,
): Promise<boolean> {
  const { emit, keys } = shared.context
  const { clink } = claim
  if (claim.key === undefined || claim.key === key.print) return true
  const owner = await askOwner(clink, key, { deadline: lease.deadline, signal })
  if (owner === 'untold' || (typeof owner === 'object' && keys.accept(key, owner.id))) return true
  emit({
    event: 'clink.leftToExpire',
    clink,
    why: `another key made the claim, and a renewal with this one: ${named(owner)}`,
  })
  return false
}

function named(owner: OwnerAnswer): string {
  return typeof owner === 'object' ? `names ${owner.id}` : owner
}
