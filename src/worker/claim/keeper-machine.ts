import type { Random } from '../../base/backoff.ts'
import type { ClinkApiError } from '../../clink/errors.ts'
import { mayBeKept } from '../../clink/verdicts.ts'
import type { Settings } from '../../config/settings.ts'
import type { ClaimEnding, RenewalRefusal, Shown } from './claim-ending.ts'
import { extendedNothing, isUnmoved, shortensAnew, showsNoChange, type Lease } from './lease.ts'
import type { Renewal } from './renewal.ts'
import type { KeeperState, KeeperStep } from './keeper-step.ts'
import { RenewalRound } from './renewal-round.ts'
import type { ClaimTerms } from './terms.ts'

export interface KeeperMachineOptions {
  readonly lease: Lease
  /** Another key made the claim. */
  readonly isStrange: boolean
  /** Nothing is to run for the claim before a renewal has worked, though its length is known. */
  readonly renewsFirst: boolean
  /** False: nothing runs for the claim, so it is confirmed where that is necessary, and not renewed. */
  readonly renews: boolean
  readonly settings: Settings
  readonly terms: Pick<ClaimTerms, 'ask'>
  readonly random: Random
}

/** Renewal starts at a third of the lease, less some of it, so that claims of one page do not renew in one moment. */
const START = 1 / 3
const JITTER = 0.2
/** Milliseconds between two renewals of which the first came too early to tell anything. */
const SHORTEST_PAUSE = 250
/** A claim for which nothing runs is not worth more tries. */
const TRIES = 4

/**
 * What one claim needs, as a function of local time and of answers. `step` says what is to be done, and when to step again; the other
 * methods take in what has happened. It sets no timer and sends nothing. One renewal at a time, and none outlasts the deadline.
 * Everything compares the time first: past the deadline the claim is lost, whatever comes.
 */
export class KeeperMachine {
  /** A completion is on its way, or may have been: that the clink shows as completed may be its own doing, and is for it to judge. */
  completing = false
  readonly #options: KeeperMachineOptions
  #state: KeeperState = 'waiting'
  #lease: Lease
  #isUnconfirmed: boolean
  #ending: ClaimEnding | undefined
  /** Local time of the next renewal. */
  #next: number
  #round: RenewalRound | undefined
  #refusal: RenewalRefusal | undefined
  /** The last renewal that came to an end was answered, and brought nothing. */
  #isDeclined = false
  /** It was answered by something that may stand in front of the service. */
  #isForeign = false

  constructor(options: KeeperMachineOptions, now: number) {
    const { isStrange, lease, renews, renewsFirst } = options
    this.#options = options
    this.#lease = lease
    this.#isUnconfirmed = lease.basis === 'unknown' || isStrange || renewsFirst
    if (!renews && !this.#isUnconfirmed) this.#state = 'resting'
    // What has to be confirmed is renewed at once: it may be shorter than is known.
    this.#next = this.#isUnconfirmed || !renews ? now : this.#renewalOf(lease)
  }

  get state(): KeeperState {
    return this.#state
  }

  get lease(): Lease {
    return this.#lease
  }

  /** Nothing may be run for the claim before a renewal was answered. */
  get isUnconfirmed(): boolean {
    return this.#isUnconfirmed
  }

  /** Undefined: it goes on, or was stopped. */
  get ending(): ClaimEnding | undefined {
    return this.#ending
  }

  /** Local time before which there is nothing to do, unless an answer comes. */
  get dueAt(): number {
    return this.#state === 'waiting' ? Math.min(this.#next, this.#lease.deadline) : this.#lease.deadline
  }

  stands(now: number): boolean {
    return this.#state !== 'over' && now < this.#lease.deadline
  }

  step(now: number): KeeperStep {
    this.#compare(now)
    const { deadline } = this.#lease
    switch (this.#state) {
      case 'waiting':
        if (now < this.#next) return { do: 'wait', next: this.dueAt }
        return this.#renew(now)
      case 'refused':
        this.#state = 'looking'
        return { do: 'look', next: deadline }
      case 'asking':
      case 'looking':
        return { do: 'wait', next: deadline }
      case 'resting':
        return { do: 'rest', next: deadline }
      case 'over':
        return { do: 'end' }
    }
  }

  /**
   * The renewal was answered with a record.
   *
   * @returns what it has brought; undefined: nothing is to be renewed any more.
   */
  granted(
    { grant, lease: after, record }: Extract<Renewal, { is: 'granted' }>,
    shown: Shown,
    now: number,
  ): 'extended' | 'unmoved' | undefined {
    const before = this.#answer(now)
    if (before === undefined) return undefined
    if (shown === 'stranger') this.#leave(`${STRANGE}, and a renewal with this one names ${record.claimed_by}`)
    else if (this.#isLostBy(shown)) return undefined
    else if (before.basis === 'unknown' && showsNoChange(before, after, grant))
      this.#leave(`${UNTOLD}, and a renewal extended nothing`)
    if (this.#state !== 'asking') return undefined
    this.#round = undefined
    this.#isUnconfirmed = false
    this.#lease = after
    this.#isDeclined = isUnmoved(before, after)
    if (!this.#options.renews) this.#state = 'resting'
    else if (before.basis !== 'unknown' && extendedNothing(before, after, grant))
      this.#refuse({ why: 'a renewal extended nothing', isKept: true })
    else {
      this.#state = 'waiting'
      this.#next = after.end > before.end ? this.#renewalOf(after) : this.#soonAfter(now)
    }
    this.#compare(now)
    if (this.#state !== 'waiting' && this.#state !== 'resting') return undefined
    return this.#isDeclined ? 'unmoved' : 'extended'
  }

  /** The renewal is to be repeated at once, without a length: the service takes none. */
  lengthRefused(now: number): void {
    if (this.#answer(now) === undefined) return
    this.#round?.lengthRefused()
    this.#state = 'waiting'
    this.#next = now
  }

  /**
   * The renewal failed; it may have been carried out all the same. Another one follows within the lease.
   *
   * @returns milliseconds until then.
   */
  failed({ error, lease }: Extract<Renewal, { is: 'failed' }>, now: number): number {
    const round = this.#round
    const before = this.#answer(now)
    if (before === undefined || round === undefined) return 0
    if (lease.deadline < before.deadline) this.#lease = lease
    this.#isDeclined = false
    this.#isForeign = error.failure === 'foreign'
    const wait = round.failed(error, lease, now, this.#options.random)
    this.#state = this.#options.renews || round.failures < TRIES ? 'waiting' : 'resting'
    this.#next = now + wait
    return wait
  }

  /** The service refused the renewal. A look can only prove that the claim is lost: lists show owners, not sessions. */
  refused(error: ClinkApiError, now: number): void {
    if (this.#answer(now) === undefined) return
    this.#refuse({ why: `the service answered ${error.status}`, isKept: mayBeKept(error) })
    if (!this.#options.renews) this.#leave(this.#whyLeft)
  }

  /**
   * The clink was looked at after a refusal.
   *
   * @returns the refusal, where it is to be told: the claim stands until its deadline.
   */
  looked(shown: Shown, now: number): RenewalRefusal | undefined {
    this.#compare(now)
    if (this.#state !== 'looking' || this.#isLostBy(shown)) return undefined
    if (this.#isUnconfirmed) this.#leave(this.#whyLeft)
    else this.#state = 'resting'
    // Our own completion has happened, or may have: that says nothing about renewals.
    return this.#isUnconfirmed || this.completing ? undefined : this.#refusal
  }

  /**
   * A poll of ours has claimed the clink anew, since somebody gave it back. The earlier of both ends counts.
   *
   * @returns whether the claim ends earlier than was known.
   */
  claimedAnew(lease: Lease): boolean {
    if (!shortensAnew(this.#lease, lease)) return false
    this.#lease = lease
    this.#round?.claimedAnew(lease)
    this.#next = Math.min(this.#next, this.#renewalOf(lease))
    return true
  }

  stopRenewing(): void {
    if (this.#state !== 'over') this.#state = 'resting'
  }

  /** What was on its way then: all that counts of it is that it has made the claim shorter. */
  answeredLate(renewal: Renewal): void {
    if (renewal.is === 'granted' && renewal.lease.deadline < this.#lease.deadline) this.#lease = renewal.lease
  }

  /** The claim is over by our own doing. */
  stop(): void {
    this.#state = 'over'
  }

  #renew(now: number): KeeperStep {
    const { settings, terms } = this.#options
    this.#round ??= new RenewalRound(this.#lease, now)
    const request = this.#round.ask(this.#lease, now, terms, settings.current.clink.timeout)
    // It may end earlier by the renewal, from now on until an answer comes.
    this.#lease = request.asking.unanswered
    this.#state = 'asking'
    return { do: 'renew', ...request, next: this.#lease.deadline }
  }

  /** @returns the lease as it was before the renewal; undefined: its answer counts no more. */
  #answer(now: number): Lease | undefined {
    this.#compare(now)
    const asking = this.#state === 'asking' ? this.#round?.asking : undefined
    if (asking !== undefined) this.#lease = asking.lease
    return asking?.lease
  }

  #refuse(refusal: RenewalRefusal): void {
    this.#state = 'refused'
    this.#refusal = refusal
    this.#isDeclined = true
  }

  /** True: nothing is to be renewed any more. A result of ours may be what the record shows: then its completion finds out. */
  #isLostBy(shown: Shown): boolean {
    if (shown === 'ours' || shown === 'stranger') return false
    if (shown === 'completed-elsewhere' && this.completing) {
      this.#isUnconfirmed = false
      this.#state = 'resting'
    } else this.#end({ is: 'lost', cause: shown, isUnusable: false })
    return true
  }

  /** A service that was away may renew the next claim, or one that this worker was too late to ask again; another will not. */
  #compare(now: number): void {
    const { basis, deadline } = this.#lease
    if (this.#state === 'over' || now < deadline) return
    const isLate = this.#state === 'waiting' && this.#next < deadline - SHORTEST_PAUSE
    // A short claim has no time for a refusal that has to be heard again and again before it counts.
    const isUnusable = this.#isUnconfirmed && basis === 'unknown' && this.#isForeign
    this.#end({ is: 'lost', cause: this.#isDeclined && !isLate ? 'refused' : 'expired', isUnusable })
  }

  /** The key at hand has turned out to be somebody else's (what another key has claimed may still be ours, and is only left); or its code may not go on. */
  disowned(cause: 'taken' | 'right-expired'): void {
    if (cause === 'taken' && this.#options.isStrange) this.#leave(`${STRANGE}, and this one is somebody else's`)
    else this.#end({ is: 'lost', cause, isUnusable: false })
  }

  #leave(why: string): void {
    this.#end({ is: 'left', why, isUnusable: this.#lease.basis === 'unknown' })
  }

  #end(ending: ClaimEnding): void {
    if (this.#state !== 'over') this.#ending = ending
    this.#state = 'over'
  }

  get #whyLeft(): string {
    const { isStrange, lease } = this.#options
    const reason = lease.basis === 'unknown' ? UNTOLD : isStrange ? STRANGE : FIRST
    return `${reason}, and to a renewal ${this.#refusal?.why ?? ''}`
  }

  #renewalOf({ deadline, grantedAt }: Lease): number {
    return grantedAt + (deadline - grantedAt) * START * (1 - JITTER * this.#options.random())
  }

  /** After a renewal that brought nothing, too early to call it a refusal. In its last moments a claim has no time for another one. */
  #soonAfter(now: number): number {
    const { deadline } = this.#lease
    const next = now + Math.max((deadline - now) * START, SHORTEST_PAUSE)
    return next < deadline - SHORTEST_PAUSE ? next : deadline
  }
}

const UNTOLD = 'the service does not say how long its claim lasts'
const STRANGE = 'another key made the claim'
const FIRST = 'its route has claims renewed first'
