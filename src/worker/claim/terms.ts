import type { ServiceTime } from '../../clink/service-time.ts'
import type { WorkerContext } from '../context.ts'
import {
  claimedLease,
  DOCUMENTED_TIMEOUT,
  firstLease,
  renewedLease,
  shortenedLease,
  tellsFraction,
  type Grant,
  type ClaimSettings,
  type Lease,
  type LeasePolicy,
} from './lease.ts'

/** How many claims of unknown length the service must refuse to renew, one after the other, until nothing more is claimed for a while. */
const REFUSALS = 3
/** Milliseconds. */
const AGAIN = 60_000

/** A question about a claim that is ours, by claiming it again. */
export interface Asking {
  /** As it was before. */
  readonly lease: Lease
  /** Local time. */
  readonly sentAt: number
  /** Milliseconds that are asked for; undefined: the request leaves it to the service. */
  readonly asked: number | undefined
  /** The same as a parameter of the request. */
  readonly length: { readonly timeout_seconds?: number }
  /** What is left of the lease from now on until an answer comes, and if none comes. */
  readonly unanswered: Lease
}

/** On what terms the service lets clinks be claimed, as far as its answers have told. All claims of a worker share it. */
export class ClaimTerms {
  /** False once the service refused a request for a certain length: requests then leave it to the service. */
  asksLength = true
  #timesAbsent = false
  #isUntoldSaid = false
  #isRefusalSaid = false
  #longest = 0
  #tellsFractions = false
  #refusals = 0
  #refusedAt = -Infinity
  readonly #context: WorkerContext
  readonly #serviceTime: ServiceTime
  #isUnusable = false
  #areTold: boolean | undefined
  #areRenewed: boolean | undefined

  constructor(context: WorkerContext, serviceTime: ServiceTime) {
    this.#context = context
    this.#serviceTime = serviceTime
    context.signals.started.on(() => (this.#isUnusable = false))
  }

  /** Why what is claimed is not run, for people: until one of them starts. */
  get trouble(): string | undefined {
    return this.#isUnusable ? `${UNUSABLE.reason}: ${UNUSABLE.advice}` : undefined
  }

  /**
   * The length to ask for, in seconds; undefined: the service does not take one. Where it does not tell what it gives, no more is asked
   * for than would be believed.
   */
  secondsFor(lease: Pick<Lease, 'basis' | 'settings'>): number | undefined {
    if (!this.asksLength) return undefined
    const { timeout } = this.settingsOf(lease)
    return Math.ceil((lease.basis === 'told' ? timeout : Math.min(timeout, DOCUMENTED_TIMEOUT)) / 1_000)
  }

  /** As `secondsFor`, of a clink on which there is no claim yet. */
  get seconds(): number | undefined {
    return this.secondsFor({ basis: this.#timesAbsent ? 'assumed' : 'told' })
  }

  /** What a claim goes by for as long as it lasts. */
  settingsOf({ settings = this.#context.settings.current.claim }: Pick<Lease, 'settings'>): ClaimSettings {
    return settings
  }

  /** The last answer to a renewal told no end of its claim. */
  get timesAbsent(): boolean {
    return this.#timesAbsent
  }

  /** Whether answers say how long a claim lasts. Undefined: none has come yet. */
  get areTold(): boolean | undefined {
    return this.#areTold
  }

  /** Whether the service renews claims. Undefined: nothing has shown it yet. */
  get areRenewed(): boolean | undefined {
    return this.#areRenewed
  }

  /** Milliseconds: the longest claim of which the service has told believably. 0: of none. */
  get longest(): number {
    return this.#longest
  }

  /** The lease of a claim that a poll has made. */
  first(grant: Grant): Lease {
    return this.#learn(grant, (policy) => firstLease(grant, policy))
  }

  /** The lease of a claim that was made by id: see `claimedLease`. */
  claimed(grant: Grant, askedAt: number): Lease {
    const lease = this.#learn(grant, (policy) => claimedLease(grant, askedAt, policy))
    if (lease.basis === 'assumed') this.#sayUntold(lease)
    return lease
  }

  /** What an answer to a claim on what is ours already leaves of its lease. */
  renewed(lease: Lease, grant: Grant): Lease {
    this.#timesAbsent = typeof grant.expiresAt !== 'string'
    // Of a poll that did not tell when it claimed this is the first word of that.
    if (lease.basis === 'unknown') this.#serviceTime.note(grant.claimedAt, lease.firstSent)
    const after = this.#learn(grant, (policy) => renewedLease(lease, grant, policy), lease)
    if (lease.basis === 'unknown' && after.basis === 'assumed') this.#sayUntold(after)
    if (after.basis === 'told' && after.end > lease.end) this.#areRenewed = true
    return after
  }

  /** The one way to ask for a claim that is ours: what it asks for and what that leaves of the lease have to be about the same length. */
  ask(lease: Lease, sentAt: number, asksLength = true): Asking {
    const seconds = asksLength ? this.secondsFor(lease) : undefined
    const length = seconds === undefined ? {} : { timeout_seconds: seconds }
    const asked = seconds === undefined ? undefined : seconds * 1_000
    return { lease, sentAt, asked, length, unanswered: shortenedLease(lease, sentAt, asked) }
  }

  /** The service's own word that it does not renew a claim: it will renew no other either. Said once. */
  renewsNothing(why: string): void {
    if (!this.#isRefusalSaid) this.#context.emit({ event: 'worker.renewalUnsupported', why })
    this.#isRefusalSaid = true
    this.#areRenewed = false
  }

  /** A claim of unknown length was renewed before its clink was run, or a poll has made one whose length the service tells. */
  confirmed(): void {
    this.#refusals = 0
  }

  /** The service does not renew a claim of unknown length, so that its clink is not run. */
  unconfirmed(): void {
    this.#refusals += 1
    this.#refusedAt = this.#context.clock.now()
    if (!this.areUnusable) return
    this.#isUnusable = true
    this.#context.emit({ event: 'worker.claimsUnusable', ...UNUSABLE })
  }

  /** One more was made to see whether that is so still: what comes of it may take as long as it lasts. */
  tried(): void {
    if (this.areUnusable) this.#refusedAt = this.#context.clock.now()
  }

  /** Claims that are made come to nothing, and only keep clinks from others: one in a while is enough. */
  get areUnusable(): boolean {
    return this.#refusals >= REFUSALS
  }

  /** Local time before which nothing is to be claimed. */
  get unusableUntil(): number {
    return this.areUnusable ? this.#refusedAt + AGAIN : -Infinity
  }

  #learn(grant: Grant, make: (policy: LeasePolicy) => Lease, before: Pick<Lease, 'settings'> = {}): Lease {
    const settings = this.settingsOf(before)
    this.#tellsFractions ||= tellsFraction(grant)
    const lease = make({ ...settings, longest: this.#longest, tellsFractions: this.#tellsFractions })
    if (lease.basis !== 'unknown') this.#areTold = lease.basis === 'told'
    if (lease.basis === 'told') this.#longest = Math.max(this.#longest, lease.end - grant.sentAt)
    // One that has not changed stays the same: it need not be journalled again.
    return lease.settings === settings ? lease : { ...lease, settings }
  }

  #sayUntold({ end, firstSent }: Lease): void {
    if (this.#isUntoldSaid) return
    this.#isUntoldSaid = true
    this.#context.emit({ event: 'worker.claimLengthUntold', assumed: end - firstSent, advice: UNTOLD })
  }
}

/** Why nothing is claimed for a while. */
export const UNUSABLE = {
  reason: 'the service does not say how long a claim lasts, and does not renew it',
  advice:
    'clinks are left to others until it does: one is tried a minute; tell whoever runs the service that a claim needs claimed_at and claim_expires_at',
}
const UNTOLD =
  'the service does not say how long a claim lasts: it is taken to last as long as was asked for, five minutes at most; where the service gives less, a clink may be run twice'
