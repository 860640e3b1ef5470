import type { LeftAlone } from '../../events.ts'
import type { RoutedClink } from '../../handlers/route.ts'
import type { Memory } from '../../ledger/memory.ts'
import type { HeldClaim, ParkedClaim } from '../../ledger/process.ts'
import { Delivery } from '../delivery/delivery.ts'
import type { Deliveries } from '../delivery/deliveries.ts'
import { tellEnd } from '../delivery/told.ts'
import { ClaimHandle } from '../settlement/claim-handle.ts'
import type { Parked } from './parked.ts'
import type { Undecided } from './undecided.ts'
import type { ClaimInHand } from '../claim/claim-in-hand.ts'
import { standingLease, unwritten, waitLeft } from '../claim/journalled-claim.ts'
import { routeOf } from '../replies/hops.ts'
import type { AdmissionParts } from './context.ts'

export interface ResumeParts {
  readonly shared: AdmissionParts
  readonly deliveries: Deliveries
  readonly parked: Parked
  readonly undecided: Undecided
}

/** Holds on to claims of an earlier process whose leases stand, as if they had just been polled. */
export async function resumeClaims(
  claims: readonly HeldClaim[],
  parked: readonly ParkedClaim[],
  parts: ResumeParts,
): Promise<void> {
  const count = claims.length + parked.length
  if (count === 0) return
  const memories = await parts.shared.context.ledger.recall(claims.map(({ clink }) => clink.clink_id))
  const stood = await Promise.all(
    claims.map(async (claim) => await resumeClaim(claim, memories(claim.clink.clink_id), parts)),
  )
  const held = [...stood, ...parked.map((claim) => resumeParked(claim, parts))].filter(Boolean).length
  parts.shared.context.emit({ event: 'worker.resumed', claims: held, gone: count - held })
}

/** False: the claim does not stand any more, or another one on its clink is in hand. */
function resumeParked(parkedClaim: ParkedClaim, { deliveries, parked, shared, undecided }: ResumeParts): boolean {
  const { boot, clock, keys, ledger, settings } = shared.context
  const { clink, key } = parkedClaim
  const { clink_id: id } = clink
  const isInHand = deliveries.withClaimOn(id) !== undefined || undecided.has(id) || parked.has(id)
  const lease = isInHand ? undefined : standingLease(parkedClaim, clock, boot)
  if (lease === undefined) {
    if (!parked.has(id)) void ledger.process.unpark(id)
    return false
  }
  const claim = { lease: { ...lease, settings: settings.current.claim }, key: keys.current, madeWith: key }
  const wait = waitLeft(parkedClaim, clock, boot, Infinity)
  // Noted by `Parked` and by nobody else.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const why = parkedClaim.why as LeftAlone
  parked.add(clink, claim, why, parkedClaim.due && Math.max(0, wait))
  return true
}

/** False: the claim does not stand any more. One that another key has made, or whose length is not known, has to be confirmed first. */
async function resumeClaim(claim: HeldClaim, recalled: Memory, parts: ResumeParts): Promise<boolean> {
  const { deliveries, shared, undecided } = parts
  const { boot, clock, keys, ledger, settings, stopping } = shared.context
  const { clink } = claim
  const lease = standingLease(claim, clock, boot)
  const wait = waitLeft(claim, clock, boot, settings.current.claim.maxHold)
  if (lease === undefined) {
    await letGo(claim, shared)
    return false
  }
  const held = { lease: { ...lease, settings: settings.current.claim }, key: keys.current, madeWith: claim.key }
  const routing = routeOf(clink, shared.context)
  const follow = async (routed: RoutedClink | LeftAlone, inHand: ClaimInHand, memory: Memory): Promise<void> => {
    if (typeof routed === 'string') return await park(claim, inHand, routed, parts)
    if (memory.isLeftToLetter(clink)) return await park(claim, inHand, 'given-up', parts)
    // It was to be given back, which the service did not hear.
    if (wait <= 0 && memory.isCooling) return await park(claim, inHand, 'cooling', parts, memory.coolsFor)
    const handle = new ClaimHandle(clink, routed.route, { ...inHand, memory }, shared.context)
    deliveries.start(new Delivery(handle, routed, shared), wait, claim.asleep)
  }
  if (!(routing instanceof Promise)) await follow(routing ?? NO_ROUTE, held, recalled)
  else {
    const finding = routing.then((found) => found ?? NO_ROUTE)
    undecided.begin(clink, held, finding, async (found, left) => {
      const routed = found ?? (stopping.aborted ? 'stopping' : 'unjudged')
      await follow(routed, { ...held, lease: left }, await ledger.recallOne(clink.clink_id))
    })
  }
  return true
}

const NO_ROUTE: LeftAlone = 'no-route'

/** A stop gives back what is parked. */
async function park(
  held: HeldClaim,
  claim: ClaimInHand,
  why: LeftAlone,
  { parked, shared }: ResumeParts,
  wait?: number,
): Promise<void> {
  const { context } = shared
  const { clink } = held
  await letGo(held, shared)
  if (context.ledger.isHealthy) parked.add(clink, claim, why, wait)
  else tellEnd({ is: 'left-to-expire', why: unwritten(context.ledger) }, { clink }, context)
}

/** Its clink is in nobody's hand. For what it was to wait, the next claim on it waits. */
async function letGo(held: HeldClaim, { context }: AdmissionParts): Promise<void> {
  const { boot, clock, ledger, settings } = context
  const { clink_id: id } = held.clink
  const wait = waitLeft(held, clock, boot, settings.current.claim.maxHold)
  if (wait > 0) await ledger.cooling.set(id, wait)
  await ledger.process.drop(id)
}
