import type { InboxPage } from '../clink/client.ts'
import type { Clink } from '../clink/records.ts'
import type { LeftAlone } from '../events.ts'
import type { RoutedClink } from '../handlers/route.ts'
import { complete } from './complete.ts'
import { Delivery, type DeliveryShared } from './delivery.ts'
import type { DeliverySet } from './delivery-set.ts'
import type { Identity } from './identity.ts'
import { firstLease, type Lease } from './lease.ts'
import type { HeldClaim } from './ledger.ts'
import { unrenewed, type Parked } from './parked.ts'
import { standingLease } from './resume.ts'
import { endsWithMark } from './response.ts'

export interface Admitted {
  /** Claims that the page brought us. */
  readonly claimed: number
  /** Those of them that are being worked. */
  readonly runnable: number
  /** Those of them that were not parked before. */
  readonly fresh: number
}

type Verdict = { readonly run: RoutedClink } | { readonly leave: LeftAlone }

/**
 * Decides about each clink of a claiming poll: whether the claim is ours, whether the clink is our work, and who works it.
 * What is ours and not our work is parked.
 */
export class Intake {
  readonly #shared: DeliveryShared
  readonly #deliveries: DeliverySet
  readonly #parked: Parked
  readonly #closing = new AbortController()

  constructor(shared: DeliveryShared, deliveries: DeliverySet, parked: Parked) {
    this.#shared = shared
    this.#deliveries = deliveries
    this.#parked = parked
  }

  /** From now on everything that arrives is given back, also what is being asked about. */
  close(): void {
    this.#closing.abort()
  }

  /** @param sentAt local time when the poll was sent. */
  async admit(page: InboxPage, sentAt: number): Promise<Admitted> {
    const { context } = this.#shared
    for (const { id, problem } of page.malformed) {
      context.emit({ event: 'clink.leftAlone', clinkId: id, why: 'malformed', detail: problem })
    }
    const ours = ownClaims(page, context.identity)
    if (page.claimed_count === page.clinks.length) {
      for (const { claimed_by, status } of page.clinks)
        if (status === 'claimed') context.identity.learn(claimed_by, 'a claim')
    }
    const fresh = [...ours].filter(({ clink_id }) => !this.#parked.knows(clink_id)).length
    // Side by side: one that needs a request must not keep the others of the page in nobody's hands.
    const once = new Map(page.clinks.map((clink) => [clink.clink_id, clink]))
    const taken = await Promise.allSettled(
      [...once.values()].map(async (clink) => await this.#receive(clink, ours.has(clink), sentAt)),
    )
    const fault = taken.find(({ status }) => status === 'rejected')
    if (fault?.status === 'rejected') throw fault.reason
    const runnable = taken.filter((one) => one.status === 'fulfilled' && one.value).length
    return { claimed: ours.size, runnable, fresh }
  }

  /** Holds on to claims of an earlier process whose leases stand, as if they had just been polled. */
  async resume(claims: readonly HeldClaim[]): Promise<void> {
    const { boot, clock, emit, identity, ledger, router } = this.#shared.context
    if (claims.length === 0) return
    let gone = 0
    for (const claim of claims) {
      const { clink } = claim
      const lease = standingLease(claim, clock, boot)
      const routed = router.route(clink, identity.id)
      if (lease === undefined) gone += 1
      if (lease === undefined || routed === undefined || ledger.isGivenUp(clink.clink_id)) {
        await ledger.dropClaim(clink.clink_id)
        if (lease !== undefined) this.#parked.add(clink, lease, routed === undefined ? 'no-route' : 'given-up')
      } else {
        this.#deliveries.add(new Delivery(clink, routed, lease, this.#shared))
      }
    }
    emit({ event: 'worker.resumed', claims: claims.length - gone, gone })
  }

  /** True when the clink is being worked. */
  async #receive(clink: Clink, isOurs: boolean, sentAt: number): Promise<boolean> {
    const { context } = this.#shared
    const held = this.#deliveries.holding(clink.clink_id)
    if (held?.isReleasing === true) await held.settled
    // A release that reached the service before the poll: the claim is a new one. Otherwise it is the one in hand, or the answer
    // is older than what has become of the clink since it was asked for.
    const isKnown = held !== undefined && !held.wasReleased
    const why = isKnown || this.#deliveries.completedSince(clink.clink_id, sentAt) ? 'in-hand' : 'not-claimed'
    if (why === 'in-hand' || !isOurs) {
      context.emit({ event: 'clink.leftAlone', clinkId: clink.clink_id, why })
      return false
    }
    const lease = leaseOf(clink, sentAt, context.config.claim)
    try {
      return await this.#take(clink, lease)
    } catch (error) {
      // The worker ends by this, and can give back only what it holds by then.
      this.#parked.add(clink, lease, 'stopping')
      throw error
    }
  }

  /** True when the clink is being worked. */
  async #take(clink: Clink, lease: Lease): Promise<boolean> {
    const { context } = this.#shared
    if (context.clock.now() >= lease.deadline) {
      context.emit({
        event: 'clink.leftToExpire',
        clink,
        why: 'the answer to the poll came after the claim could be trusted',
      })
      return false
    }
    const judged = this.#closing.signal.aborted ? undefined : await this.#judge(clink, lease)
    // Judging may have taken a request, and the worker may have been told to stop meanwhile.
    const verdict: Verdict = judged === undefined || this.#closing.signal.aborted ? { leave: 'stopping' } : judged
    if ('run' in verdict) {
      this.#deliveries.add(new Delivery(clink, verdict.run, lease, this.#shared))
      return true
    }
    if (verdict.leave === 'own-reply' && context.config.inbox.ownReplies === 'acknowledge') {
      await this.#acknowledge(clink, lease)
    } else {
      this.#parked.add(clink, lease, verdict.leave)
    }
    return false
  }

  async #judge(clink: Clink, lease: Lease): Promise<Verdict> {
    const { clock, config, identity, ledger, loopGuard, router } = this.#shared.context
    if (ledger.isOwn(clink.clink_id)) return { leave: 'own-reply' }
    if (endsWithMark(clink.content, config.replies.mark)) {
      if (identity.id === undefined) await this.#learnIdentity(clink, lease)
      if (identity.id === undefined) return { leave: 'identity-unknown' }
      if (identity.isUs(clink.sender_id)) return { leave: 'own-reply' }
    }
    if (ledger.isGivenUp(clink.clink_id)) return { leave: 'given-up' }
    if (ledger.isCooling(clink.clink_id, clock.wall())) return { leave: 'cooling' }
    const routed = router.route(clink, identity.id)
    if (routed === undefined) return { leave: 'no-route' }
    if (!identity.isUs(clink.sender_id) && loopGuard.isMuted(clink)) return { leave: 'muted' }
    return { run: routed }
  }

  /** A claim of what we hold is answered with the record as claimed, whose owner is us. */
  async #learnIdentity(clink: Clink, lease: Lease): Promise<void> {
    const { api, identity } = this.#shared.context
    try {
      const record = await api.claimClink(
        { clink_id: clink.clink_id },
        { deadline: lease.deadline, attempts: 1, signal: this.#closing.signal },
      )
      if (record.status === 'claimed') identity.learn(record.claimed_by, 'a renewal')
    } catch {
      // Not known then: the clink is left alone, and the worker says so.
    }
  }

  async #acknowledge(clink: Clink, lease: Lease): Promise<void> {
    const { context } = this.#shared
    const holder = unrenewed(lease, () => context.clock.now())
    const result = await complete({ clink, holder, facts: () => ({ clink }) }, undefined, context)
    if (result.is === 'settled') context.emit(result.event)
    else this.#parked.add(clink, lease, 'own-reply')
  }
}

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

/** The times of a record that is not shown as claimed are those of an earlier claim. */
function leaseOf(clink: Clink, sentAt: number, policy: Parameters<typeof firstLease>[1]): Lease {
  const times = clink.status === 'claimed' ? clink : { claimed_at: undefined, claim_expires_at: undefined }
  const grant = { sentAt, asked: undefined, claimedAt: times.claimed_at, expiresAt: times.claim_expires_at }
  return firstLease(grant, policy)
}
