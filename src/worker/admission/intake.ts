import { unlessAborted } from '../../base/on-abort.ts'
import type { InboxPage } from '../../clink/client.ts'
import type { Clink } from '../../clink/records.ts'
import type { Memories, Memory } from '../../ledger/memory.ts'
import type { LeftAlone } from '../../events.ts'
import type { RoutedClink } from '../../handlers/route.ts'
import type { WorkerKey } from '../../keys/keys.ts'
import type { Acknowledgements } from './acknowledgements.ts'
import { ClaimsById } from './claims-by-id.ts'
import { readText } from '../replies/hops.ts'
import type { ClaimInHand } from '../claim/claim-in-hand.ts'
import { Delivery } from '../delivery/delivery.ts'
import type { Deliveries } from '../delivery/deliveries.ts'
import { tellEnd } from '../delivery/told.ts'
import { ClaimHandle } from '../settlement/claim-handle.ts'
import { Doubts } from './doubts.ts'
import { Judging } from './judging.ts'
import { learnIdentity } from './learn-identity.ts'
import { LeftAloneNotices } from './left-alone.ts'
import type { Lease } from '../claim/lease.ts'
import { leave } from './leave.ts'
import { leaseOf, ownClaims, tellsNothing, whyForeign } from './page-claims.ts'
import type { Parked } from './parked.ts'
import { Quarantine } from './quarantine.ts'
import { leaseIfSurelyOurs, type FreshClaim } from './surely-ours.ts'
import type { Undecided } from './undecided.ts'
import type { Purpose, Verdict } from './verdict.ts'
import { Wanted } from './wanted.ts'
import type { AdmissionParts } from './context.ts'

export interface Admitted {
  /** Claims that the page brought us. */
  readonly claimed: number
  /** Those of them that are being worked. */
  readonly runnable: number
  /** Those of them that were not parked before. */
  readonly fresh: number
  /** They may be somebody else's, and were given back: the next poll may claim them again. */
  readonly isStrange: boolean
  /** How many may have been claimed, where the page does not say. */
  readonly untold: number
}

/** Where a claim goes that is not left alone. */
export interface IntakeParts {
  readonly acknowledgements: Acknowledgements
  readonly deliveries: Deliveries
  readonly parked: Parked
  readonly undecided: Undecided
}

/**
 * Decides about each clink of a claiming poll: whether the claim is ours, whether the clink is our work, and who works it.
 * What is ours and not our work is parked.
 */
export class Intake {
  readonly quarantine: Quarantine
  readonly notices: LeftAloneNotices
  readonly #shared: AdmissionParts
  readonly #parts: IntakeParts
  isClosing = false
  readonly #hurried = new AbortController()
  /** Ends requests about clinks that have just arrived. A claim that is given up and then released may be made after that. */
  readonly hurried: AbortSignal = this.#hurried.signal
  readonly byId: ClaimsById
  readonly judging: Judging
  readonly doubts: Doubts
  readonly wanted: Wanted
  /** False: the service does not say what its claiming polls have claimed. */
  pollsTell = true

  constructor(shared: AdmissionParts, parts: IntakeParts) {
    this.#shared = shared
    const notices = new LeftAloneNotices(shared.context)
    this.notices = notices
    this.quarantine = new Quarantine(shared.context, notices)
    this.#parts = parts
    this.judging = new Judging(shared, parts.undecided, this)
    this.doubts = new Doubts(shared.context)
    this.byId = new ClaimsById(shared.context, this.doubts)
    const { byId, doubts, judging } = this
    this.wanted = new Wanted(shared, { ...parts, byId, doubts, judging, notices })
  }

  /** From now on everything that arrives is given back, what is being asked about as soon as that is answered. */
  close(): void {
    this.isClosing = true
  }

  /** Waits no longer for answers about clinks that have just arrived. What such a request does afterwards runs out there. */
  hurry(): void {
    this.#hurried.abort()
  }

  /**
   * @param sentAt local time when the poll was sent.
   * @param key the one that it was sent with.
   */
  async admit(received: InboxPage, sentAt: number, key: WorkerKey): Promise<Admitted> {
    const { context } = this.#shared
    const page = this.quarantine.admit(received)
    const ours = ownClaims(page, context.identity, key)
    for (const { claimed_at, status } of ours) if (status === 'claimed') context.serviceTime.note(claimed_at, sentAt)
    const isHeld = ({ clink_id }: Clink): boolean => this.#isWorked(clink_id)
    const leases = new Map([...ours].map((clink) => [clink, leaseOf(clink, sentAt, context.terms)]))
    if ([...leases.values()].some(({ basis }) => basis === 'told')) context.terms.confirmed()
    const why = await whyForeign({ page, leases, key, isHeld, signal: this.hurried }, context)
    if (why === 'owner-unknown') this.doubts.raise('owner')
    else this.doubts.lower('owner')
    if (why !== undefined) {
      // Where the key is ours after all, this would give back what is being worked.
      if (why === 'owner-unknown') for (const clink of leases.keys()) if (isHeld(clink)) leases.delete(clink)
      this.#parts.parked.refuse(leases, key, why)
      return { claimed: ours.size, runnable: 0, fresh: 0, isStrange: true, untold: 0 }
    }
    if (tellsNothing(page)) {
      this.pollsTell = false
      this.doubts.raise('polls')
      return { claimed: 0, runnable: 0, fresh: 0, isStrange: true, untold: page.clinks.length }
    }
    const fresh = [...ours].filter(({ clink_id }) => !this.#parts.parked.knows(clink_id)).length
    // Side by side: one that needs a request must not keep the others of the page in nobody's hands.
    const once = new Map(page.clinks.map((clink) => [clink.clink_id, clink]))
    this.#parts.deliveries.endLapsed(ours)
    for (const { clink_id } of ours) this.#parts.parked.follow(clink_id)
    const recalled = unlessAborted(context.ledger.recall([...once.keys()]), this.hurried)
    const taken = await Promise.allSettled(
      [...once.values()].map((clink) => this.#receive(clink, recalled, sentAt, key, leases.get(clink))),
    )
    const fault = taken.find(({ status }) => status === 'rejected')
    if (fault?.status === 'rejected') throw fault.reason
    const runnable = taken.filter((one) => one.status === 'fulfilled' && one.value).length
    return { claimed: ours.size, runnable, fresh, isStrange: false, untold: 0 }
  }

  /** Whether the worker has sent, or was about to send, a release of the clink: a claim on it is never taken up. */
  releaseTried(clinkId: string): boolean {
    return this.#parts.deliveries.releaseTried(clinkId)
  }

  /** A claim that was made by id, on a clink that was wanted when it was listed. */
  async startClaimed(clink: Clink, wanted: Purpose, { key, lease }: ClaimInHand): Promise<void> {
    const { identity, scope, serviceTime } = this.#shared.context
    serviceTime.note(clink.claimed_at, lease.firstSent)
    for (const doubt of ['polls', 'unclaimed'] as const) this.doubts.lower(doubt)
    if (key.isProven) identity.learn(clink.claimed_by, 'a claim by id')
    // A poll, or the look for lost claims, may have been faster: then this was a renewal of its claim.
    if (this.#isWorked(clink.clink_id) || this.#parts.undecided.has(clink.clink_id)) return
    if (this.#parts.deliveries.completedSince(clink.clink_id, lease.firstSent)) return
    // The first claim may have told who we are, and so that we sent this clink ourselves; or it has just become too old.
    if (!scope.has(clink)) return this.#parts.parked.add(clink, { lease, key }, 'out-of-scope')
    if ('run' in wanted) await this.#start(clink, wanted.run, { lease, key, byId: true })
    else if ('acknowledge' in wanted) this.#parts.acknowledgements.begin(clink, { lease, key }, wanted)
    else await this.#startIdentified(clink, { lease, key })
  }

  /** A claim that was made to find out who we are: what is not work after all is anybody's again. */
  async #startIdentified(clink: Clink, claim: ClaimInHand): Promise<void> {
    const { key } = claim
    if (this.#shared.context.identity.id === undefined) this.wanted.identifiedNobody()
    const lease = await leaseIfSurelyOurs(clink, { ...claim, byId: true }, this, this.#shared.context)
    if (lease === undefined) return
    const judged = this.judging.of(clink, await this.#shared.context.ledger.recallOne(clink.clink_id))
    const made = { lease, key, byId: true }
    if (!(judged instanceof Promise)) await this.#follow(clink, judged, made)
    else this.#followLater(clink, judged, made)
  }

  /** True when the clink is being worked. */
  async #receive(clink: Clink, recalled: Promise<Memories | undefined>, sentAt: number, key: WorkerKey, lease?: Lease) {
    const { context } = this.#shared
    const held = this.#parts.deliveries.withClaimOn(clink.clink_id)
    if (held?.handle.isReleasing === true) {
      context.pulses.poll.extend(held.handle.deadline - context.clock.now())
      await held.settled
    }
    // A release that reached the service before the poll: the claim is a new one. Otherwise it is the one in hand, or the answer
    // is older than what has become of the clink since it was asked for.
    const isTaken = [this.#parts.acknowledgements, this.#parts.undecided].some((one) => one.has(clink.clink_id))
    const isKnown = isTaken || (held !== undefined && held.outcome?.is !== 'released')
    const why = isKnown || this.#parts.deliveries.completedSince(clink.clink_id, sentAt) ? 'in-hand' : 'not-claimed'
    if (why === 'in-hand' || lease === undefined) {
      if (lease !== undefined) held?.handle.claimedAnew(lease)
      context.emit({ event: 'clink.leftAlone', clinkId: clink.clink_id, why })
      return false
    }
    try {
      const memories = await recalled // undefined: a worker that stops waits for no fleet
      if (memories !== undefined) return await this.#take(clink, memories(clink.clink_id), lease, key)
      this.#parts.parked.add(clink, { lease, key }, 'stopping')
      return false
    } catch (error) {
      // The worker ends by this, and can give back only what it holds by then.
      this.#parts.parked.add(clink, { lease, key }, 'stopping')
      throw error
    }
  }

  /** True when the clink is being worked. */
  async #take(clink: Clink, memory: Memory, claimed: Lease, key: WorkerKey): Promise<boolean> {
    const { context } = this.#shared
    if (context.clock.now() >= claimed.deadline) {
      tellEnd({ is: 'left-to-expire', why: TOO_LATE }, { clink }, context)
      return false
    }
    void context.ledger.sightings.see(clink.clink_id)
    const isSigned = readText(clink.content, context.settings.current.replies.mark).ending !== undefined
    const mustAsk = isSigned && context.identity.id === undefined
    const lease = mustAsk ? await learnIdentity(clink, { lease: claimed, key }, this.hurried, context) : claimed
    if (isSigned && context.identity.id === undefined) this.doubts.raise('identity')
    const judged = this.judging.of(clink, memory)
    const claim = { lease, key, byId: false }
    if (!(judged instanceof Promise)) return await this.#follow(clink, judged, claim)
    this.#followLater(clink, judged, claim)
    return true
  }

  /** Whoever takes a clink from here answers for its claim. True when the clink is being worked. */
  #follow(clink: Clink, verdict: Verdict, claim: FreshClaim): Promise<boolean> | boolean {
    const { acknowledgements, parked } = this.#parts
    if ('run' in verdict) return this.#start(clink, verdict.run, claim)
    if (!('acknowledge' in verdict))
      return leave(clink, claim, verdict, { context: this.#shared.context, intake: this, parked })
    acknowledgements.begin(clink, claim, verdict)
    return false
  }

  /** A claim that was parked before is over with this one, as where its clink is worked at once. */
  #followLater(clink: Clink, judged: Promise<Verdict>, claim: FreshClaim): void {
    this.#parts.parked.handOver(clink.clink_id)
    this.judging.later(clink, claim, judged, async (...decided) => await this.#follow(clink, ...decided))
  }

  #isWorked(clinkId: string): boolean {
    return this.#parts.deliveries.withClaimOn(clinkId) !== undefined
  }

  /** @returns whether the clink is being worked. */
  async #start(clink: Clink, routed: RoutedClink, claim: FreshClaim): Promise<boolean> {
    this.#parts.parked.handOver(clink.clink_id)
    const lease = await leaseIfSurelyOurs(clink, claim, this, this.#shared.context)
    if (lease === undefined) return false
    const { context } = this.#shared
    // Of a page that was polled all is recalled after its claims were made.
    if (claim.byId) context.ledger.outdated(clink.clink_id)
    const memory = await context.ledger.recallOne(clink.clink_id)
    const why = this.judging.whyClosed(routed.route) ?? whyNotNow(clink, memory)
    if (why !== undefined) {
      this.#parts.parked.add(clink, { lease, key: claim.key }, why)
      return false
    }
    context.loopGuard.taken(clink)
    const handle = new ClaimHandle(clink, routed.route, { lease, key: claim.key, memory }, context)
    this.#parts.deliveries.start(new Delivery(handle, routed, this.#shared))
    return true
  }
}

/** Since it was judged its id may have been told: then we have sent it ourselves. Or somebody has asked for its rerun. */
function whyNotNow(clink: Clink, memory: Memory): LeftAlone | undefined {
  if (memory.isOwn) return 'own-reply'
  return memory.isLeftToLetter(clink) ? 'given-up' : undefined
}

const TOO_LATE = 'the answer to the poll came after the claim could be trusted'
