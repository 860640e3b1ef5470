import { asError } from '../../base/coded-error.ts'
import type { InboxPage } from '../../clink/client.ts'
import type { Clink } from '../../clink/records.ts'
import type { LeftAlone } from '../../events.ts'
import type { Route, RoutedClink } from '../../handlers/route.ts'
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
import { LeftAloneNotices } from './left-alone.ts'
import type { Lease } from '../claim/lease.ts'
import { leaseOf, ownClaims, tellsNothing, whyForeign } from './page-claims.ts'
import type { Parked } from './parked.ts'
import { Quarantine } from './quarantine.ts'
import { renewOnce } from '../claim/renewal.ts'
import { leaseIfSurelyOurs, type FreshClaim } from './surely-ours.ts'
import { judge, type Purpose, type Verdict } from './verdict.ts'
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

/** Milliseconds until a claim that did not tell who we are is followed by another. */
const IDENTIFY_AGAIN = 300_000

/** Where a claim goes that is not left alone. */
export interface IntakeParts {
  readonly acknowledgements: Acknowledgements
  readonly deliveries: Deliveries
  readonly parked: Parked
}

/**
 * Decides about each clink of a claiming poll: whether the claim is ours, whether the clink is our work, and who works it.
 * What is ours and not our work is parked.
 */
export class Intake {
  readonly quarantine: Quarantine
  readonly #shared: AdmissionParts
  readonly #parts: IntakeParts
  isClosing = false
  readonly #hurried = new AbortController()
  /** Ends requests about clinks that have just arrived. A claim that is given up and then released may be made after that. */
  readonly hurried: AbortSignal = this.#hurried.signal
  readonly byId: ClaimsById
  readonly #leftAlone: LeftAloneNotices
  readonly doubts: Doubts
  /** False: the service does not say what its claiming polls have claimed. */
  pollsTell = true
  /** Local time until which no clink is claimed to find out who we are, since the last one did not tell. */
  #identifyAt = -Infinity

  constructor(shared: AdmissionParts, parts: IntakeParts) {
    this.#shared = shared
    this.#leftAlone = new LeftAloneNotices(shared.context.emit)
    this.quarantine = new Quarantine(shared.context, this.#leftAlone)
    this.#parts = parts
    this.doubts = new Doubts(shared.context)
    this.byId = new ClaimsById(shared.context)
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
    const isHeld = ({ clink_id }: Clink): boolean => this.#parts.deliveries.withClaimOn(clink_id) !== undefined
    const leases = new Map([...ours].map((clink) => [clink, leaseOf(clink, sentAt, context.terms)]))
    if ([...leases.values()].some(({ basis }) => basis === 'told')) context.terms.confirmed()
    const why = await whyForeign({ page, leases, key, isHeld, signal: this.hurried }, context)
    if (why === 'owner-unknown') this.doubts.raise('owner')
    else this.doubts.lower('owner')
    if (why !== undefined) {
      this.#giveBack(leases, why, key)
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
    const taken = await Promise.allSettled(
      [...once.values()].map(async (clink) => await this.#receive(clink, leases.get(clink), sentAt, key)),
    )
    const fault = taken.find(({ status }) => status === 'rejected')
    if (fault?.status === 'rejected') throw fault.reason
    const runnable = taken.filter((one) => one.status === 'fulfilled' && one.value).length
    return { claimed: ours.size, runnable, fresh, isStrange: false, untold: 0 }
  }

  /**
   * What a listed clink is wanted for; undefined: it is left alone.
   *
   * @param listedAt local time when the list was asked for.
   */
  wants(clink: Clink, listedAt: number): Purpose | undefined {
    const id = clink.clink_id
    const { clock, ledger, scope, siblings } = this.#shared.context
    void ledger.sightings.see(id)
    if (
      this.byId.has(id) ||
      this.#parts.acknowledgements.has(id) ||
      this.#parts.deliveries.completedSince(id, listedAt)
    )
      return undefined
    const isInHand = this.#parts.deliveries.withClaimOn(id) !== undefined || this.#parts.parked.has(id)
    if (isInHand || !scope.has(clink)) return undefined
    const verdict = this.#judge(clink)
    if ('run' in verdict) return this.#mayStart(verdict.run.route, id) ? verdict : undefined
    if ('acknowledge' in verdict && siblings.mayClaimById === true) return verdict
    if ('leave' in verdict && verdict.leave === 'identity-unknown') {
      if (clock.now() >= this.#identifyAt) return { identify: true }
      this.doubts.raise('identity')
    }
    this.#leftAlone.say(id, 'leave' in verdict ? verdict.leave : verdict.acknowledge)
    return undefined
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
    if (this.#parts.deliveries.withClaimOn(clink.clink_id) !== undefined) return
    if (this.#parts.deliveries.completedSince(clink.clink_id, lease.firstSent)) return
    // The first claim may have told who we are, and so that we sent this clink ourselves; or it has just become too old.
    if (!scope.has(clink)) return this.#parts.parked.add(clink, { lease, key }, 'out-of-scope')
    if ('run' in wanted) await this.#start(clink, wanted.run, { lease, key, byId: true })
    else if ('acknowledge' in wanted) this.#parts.acknowledgements.begin(clink, { lease, key }, wanted)
    else await this.#startIdentified(clink, { lease, key })
  }

  /** A claim that was made to find out who we are: what is not work after all is anybody's again. */
  async #startIdentified(clink: Clink, claim: ClaimInHand): Promise<void> {
    const { clock, identity } = this.#shared.context
    const { key } = claim
    if (identity.id === undefined) {
      this.#identifyAt = clock.now() + IDENTIFY_AGAIN
      this.doubts.raise('identity')
    }
    const lease = await leaseIfSurelyOurs(clink, { ...claim, byId: true }, this, this.#shared.context)
    if (lease === undefined) return
    const verdict = this.isClosing ? ({ leave: 'stopping' } as const) : this.#judge(clink)
    if ('run' in verdict) await this.#start(clink, verdict.run, { lease, key, byId: true })
    else if ('acknowledge' in verdict) this.#parts.acknowledgements.begin(clink, { lease, key }, verdict)
    else {
      this.#parts.parked.add(clink, { lease, key }, verdict.leave)
      await this.#parts.parked.giveBack(clink.clink_id)
    }
  }

  /** True when the clink is being worked. */
  async #receive(clink: Clink, lease: Lease | undefined, sentAt: number, key: WorkerKey): Promise<boolean> {
    const { context } = this.#shared
    const held = this.#parts.deliveries.withClaimOn(clink.clink_id)
    if (held?.handle.isReleasing === true) {
      context.pulses.poll.extend(held.handle.deadline - context.clock.now())
      await held.settled
    }
    // A release that reached the service before the poll: the claim is a new one. Otherwise it is the one in hand, or the answer
    // is older than what has become of the clink since it was asked for.
    const isKnown = held !== undefined && held.outcome?.is !== 'released'
    const why = isKnown || this.#parts.deliveries.completedSince(clink.clink_id, sentAt) ? 'in-hand' : 'not-claimed'
    if (why === 'in-hand' || lease === undefined) {
      context.emit({ event: 'clink.leftAlone', clinkId: clink.clink_id, why })
      return false
    }
    try {
      return await this.#take(clink, lease, key)
    } catch (error) {
      // The worker ends by this, and can give back only what it holds by then.
      this.#parts.parked.add(clink, { lease, key }, 'stopping')
      throw error
    }
  }

  /** True when the clink is being worked. */
  async #take(clink: Clink, claimed: Lease, key: WorkerKey): Promise<boolean> {
    const { context } = this.#shared
    if (context.clock.now() >= claimed.deadline) {
      tellEnd({ is: 'left-to-expire', why: TOO_LATE }, { clink }, context)
      return false
    }
    void context.ledger.sightings.see(clink.clink_id)
    const isSigned = readText(clink.content, context.settings.current.replies.mark).ending !== undefined
    const mustAsk = isSigned && context.identity.id === undefined
    const lease = mustAsk ? await this.#learnIdentity(clink, claimed, key) : claimed
    const verdict = this.isClosing ? ({ leave: 'stopping' } as const) : this.#judge(clink)
    if ('run' in verdict) return await this.#start(clink, verdict.run, { lease, key, byId: false })
    if ('acknowledge' in verdict) this.#parts.acknowledgements.begin(clink, { lease, key }, verdict)
    else this.#parts.parked.add(clink, { lease, key }, verdict.leave)
    if (isSigned && context.identity.id === undefined) this.doubts.raise('identity')
    return false
  }

  #mayStart(route: Route, clinkId: string): boolean {
    const { capacity, health, runs } = this.#shared
    // Of a paused route no clink is claimed whose code goes on: it could not probe.
    if (health.isPaused(route) && runs.has(clinkId)) return false
    return capacity.isOpen(route) && health.wait(route, clinkId) === 0
  }

  /** @returns whether the clink is being worked. */
  async #start(clink: Clink, routed: RoutedClink, claim: FreshClaim): Promise<boolean> {
    const { key } = claim
    this.#parts.parked.handOver(clink.clink_id)
    const lease = await leaseIfSurelyOurs(clink, claim, this, this.#shared.context)
    if (lease === undefined) return false
    const { context } = this.#shared
    // Since it was judged its id may have been told: then we have sent it ourselves.
    const isOwn = context.ledger.recall(clink.clink_id).isOwn
    if (this.isClosing || isOwn) {
      this.#parts.parked.add(clink, { lease, key }, this.isClosing ? 'stopping' : 'own-reply')
      return false
    }
    context.loopGuard.taken(clink)
    const handle = new ClaimHandle(clink, routed.route, { lease, key }, context)
    this.#parts.deliveries.start(new Delivery(handle, routed, this.#shared))
    return true
  }

  #judge(clink: Clink): Verdict {
    if (this.quarantine.has(clink.clink_id)) return { leave: 'malformed' }
    const mayCome = ({ route }: RoutedClink): boolean =>
      this.#mayStart(route, clink.clink_id) || this.#shared.capacity.mayBackOff
    return judge(clink, this.#shared.context, mayCome)
  }

  /** A signed clink may be our own reply: who we are has to be known before it is judged. The lease is what the question leaves of it. */
  async #learnIdentity(clink: Clink, lease: Lease, { api }: WorkerKey): Promise<Lease> {
    const { context } = this.#shared
    const limits = { signal: this.hurried, timeout: context.settings.current.clink.timeout }
    const renewal = await renewOnce({ clink, lease, api }, limits, context)
    // Not known: the clink is left alone, and the worker says so.
    if (renewal.is === 'refused') return lease
    if (renewal.is === 'granted' && renewal.record.status === 'claimed')
      context.identity.learn(renewal.record.claimed_by, 'a renewal')
    return renewal.lease
  }

  /** Claims that were made for somebody else, or may have been. */
  #giveBack(claims: ReadonlyMap<Clink, Lease>, why: LeftAlone, key: WorkerKey): void {
    const { crashed } = this.#shared.context.signals
    for (const [clink, lease] of claims) {
      this.#parts.parked.add(clink, { lease, key }, why)
      this.#parts.parked.giveBack(clink.clink_id).catch((error: unknown) => crashed.say('release', asError(error)))
    }
  }
}

const TOO_LATE = 'the answer to the poll came after the claim could be trusted'
