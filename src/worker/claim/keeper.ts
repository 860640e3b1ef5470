import { equalJitter } from '../../base/backoff.ts'
import { Alarm, type Cancel, type Clock } from '../../base/clock.ts'
import { asError } from '../../base/coded-error.ts'
import { BareRefusals } from '../../clink/bare-refusals.ts'
import type { ClinkApiError } from '../../clink/errors.ts'
import type { Clink } from '../../clink/records.ts'
import { isAnswered, isRateLimited, mayBeKept } from '../../clink/verdicts.ts'
import type { DeliveryFacts, LostCause } from '../../events.ts'
import type { ClinkApi } from '../../clink/clink-api.ts'
import { extendedNothing, isUnmoved, showsNoChange, type Lease, type LeaseHolder } from './lease.ts'
import { findClink, lossShownBy } from './observe.ts'
import type { Pulse } from '../liveness/pulses.ts'
import { renew, type Renewal, type RenewalLimits } from './renewal.ts'
import type { ClaimContext } from './context.ts'

export interface KeeperOptions {
  readonly clink: Clink
  readonly lease: Lease
  /** Asks with the key that claimed it. */
  readonly api: ClinkApi
  readonly context: ClaimContext
  /** Of a claim that another key has made: takes in whom the first renewal names as its owner. False: that is somebody else. */
  readonly acceptOwner?: ((record: Clink) => boolean) | undefined
  readonly facts: () => DeliveryFacts
  readonly on: {
    /** The lease is another one now. Resolves when that is noted. */
    readonly changed: () => Promise<void>
    /** Called once; nothing may be sent for the claim any more. */
    readonly lost: (cause: LostCause) => void
    /** The claim is not to be worked, since the service has not confirmed it: it is left to expire. */
    readonly unconfirmed: (why: string) => void
    /** The keeper itself broke. */
    readonly crashed: (error: Error) => void
  }
}

/** Renewal starts at a third of the lease, less some of it, so that claims of one page do not renew in one moment. */
const START = 1 / 3
const JITTER = 0.2
/** Four tries that hang and the waits between them fit what is left of the lease. */
const TRY = 1 / 4.5
const LONGEST_WAIT = 1 / 28
/** After a failure that was an answer, be it something's in front of the service: it comes at once, and is often the same for long. */
const LONGEST_ANSWERED_WAIT = 1 / 8
/** Milliseconds between two renewals of which the first came too early to tell anything. */
const SHORTEST_PAUSE = 250

/**
 * Renews one claim until it is told to stop, the service refuses, or the lease is gone. One request at a time; a try that
 * failed is followed by others, none of which outlasts the deadline. The deadline is watched beside the renewal, since a
 * renewal may hang.
 */
export class LeaseKeeper implements LeaseHolder {
  readonly #options: KeeperOptions
  readonly #clock: Clock
  /** A completion is on its way, or may have been: that the clink shows as completed may be its own doing, and is for it to judge. */
  completing = false
  readonly #stopping = new AbortController()
  /** Aborts with the claim: a renewal that still waits for a socket then would claim anew what nobody here works any more. */
  readonly #over = new AbortController()
  readonly #alarm: Alarm
  readonly #pulse: Pulse
  readonly #confirmed = Promise.withResolvers<void>()
  /** Nothing may be run for the claim before a renewal was answered. */
  #isUnconfirmed: boolean
  #lease: Lease
  #isLost = false
  /** The last renewal that came to an end was answered, and brought nothing. */
  #isDeclined = false
  /** It was answered by something that may stand in front of the service. */
  #isForeign = false
  /** Local time of the next renewal; while one is on its way there is none. */
  #next = Infinity
  #inFlight: Promise<unknown> = Promise.resolve()
  #cancelDeadline: Cancel = () => {}

  constructor(options: KeeperOptions) {
    this.#options = options
    this.#clock = options.context.clock
    this.#alarm = new Alarm(this.#clock)
    this.#pulse = options.context.pulses.begin(options.clink.clink_id)
    this.#lease = options.lease
    this.#isUnconfirmed = options.lease.basis === 'unknown' || options.acceptOwner !== undefined
    if (!this.#isUnconfirmed) this.#confirmed.resolve()
  }

  /** Resolves when the claim may be worked, or is over. */
  get confirmed(): Promise<void> {
    return this.#confirmed.promise
  }

  get isUnconfirmed(): boolean {
    return this.#isUnconfirmed
  }

  get lease(): Lease {
    return this.#lease
  }

  /** Whether the claim may still be acted on. Compares the clock, so it is right even where a timer is late. */
  get stands(): boolean {
    if (!this.#isLost && this.#clock.now() >= this.#lease.deadline) this.#expire()
    return !this.#isLost
  }

  start(): void {
    this.#watchDeadline()
    this.#loop()
      .catch((error: unknown) => this.#options.on.crashed(asError(error)))
      .finally(() => this.#pulse.end())
  }

  /** The claim is over: ends renewal, also one on its way, and the watch on the deadline. */
  stop(): void {
    this.#stopping.abort()
    this.#over.abort()
    this.#pulse.end()
    this.#cancelDeadline()
    this.#alarm.ring()
    this.#confirmed.resolve()
  }

  /**
   * Ends renewal and resolves when no renewal is on its way any more, or the lease is gone: a release that overtakes a renewal
   * would be undone by it.
   */
  async quiet(): Promise<void> {
    this.#stopping.abort()
    this.#pulse.end()
    this.#alarm.ring()
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.at(this.#lease.deadline, resolve)
      void this.#inFlight.finally(() => {
        cancel()
        resolve()
      })
    })
  }

  /** Milliseconds until the deadline. */
  get #left(): number {
    return this.#lease.deadline - this.#clock.now()
  }

  async #loop(): Promise<void> {
    this.#next = this.#firstRenewal()
    for (;;) {
      await this.#waitUntil(this.#next)
      if (this.#stopping.signal.aborted || !this.stands) return
      this.#next = Infinity
      const before = this.#lease
      const goesOn = await this.#round()
      if (!goesOn) return
      this.#next = this.#lease.end > before.end ? this.#nextRenewal() : this.#soonAgain()
    }
  }

  /** One renewal: tries until one is answered. False: there is nothing more to renew. */
  async #round(): Promise<boolean> {
    const { context, facts } = this.#options
    const refusals = new BareRefusals(this.#left)
    let asksLength = true
    let since = this.#clock.now()
    for (let failures = 1; !this.#stopping.signal.aborted && this.stands; failures += 1) {
      const before = this.#lease
      const sentAt = this.#clock.now()
      const isShorter = await this.#expectShorter(asksLength)
      if (this.#stopping.signal.aborted || !this.stands) return false
      const left = this.#lease.deadline - (isShorter ? sentAt : since)
      const timeout = Math.min(context.config.clink.timeout, left * TRY)
      const renewal = await this.#send(before, { asksLength, refusals, timeout })
      if (this.#stopping.signal.aborted || !this.stands) return false
      void this.#hold(renewal.is === 'failed' ? renewal.lease : before)
      if (renewal.is === 'granted') return await this.#take(renewal)
      if (renewal.is === 'refused') return await this.#refused(renewal.error)
      if (renewal.is === 'again') {
        asksLength = false
        continue
      }
      const { error } = renewal
      this.#isDeclined = false
      this.#isForeign = error.failure === 'foreign'
      context.emit({ event: 'clink.renewalFailed', ...facts(), error, left: this.#left })
      if (renewal.lease !== before) since = sentAt
      const part = isAnswered(error) ? LONGEST_ANSWERED_WAIT : LONGEST_WAIT
      const longest = (this.#lease.deadline - since) * part
      const pause = equalJitter(failures, { base: longest * 0.25, max: longest }, context.random)
      const wait = Math.max(pause, Math.min(error.retryAfter ?? 0, this.#left / 2))
      if (isRateLimited(error)) context.rateLimit.refused(wait)
      await this.#waitUntil(this.#clock.now() + wait)
    }
    return false
  }

  /** The claim may end earlier by the renewal that is about to be sent, from then on until an answer comes. True: it may. */
  async #expectShorter(asksLength: boolean): Promise<boolean> {
    const { terms } = this.#options.context
    const shorter = terms.shortened(this.#lease, this.#clock.now(), asksLength)
    if (shorter === this.#lease) return false
    await this.#hold(shorter)
    return true
  }

  async #send(lease: Lease, limits: RenewalLimits & { readonly timeout: number }): Promise<Renewal> {
    const { api, clink, context } = this.#options
    this.#pulse.expect('renewal', this.#clock.now() + limits.timeout)
    const claim = { api, clink, lease }
    const request = renew(claim, { ...limits, signal: this.#over.signal }, context)
    this.#inFlight = request.catch(() => undefined)
    return await request
  }

  async #hold(lease: Lease): Promise<void> {
    if (lease === this.#lease) return
    this.#lease = lease
    this.#watchDeadline()
    await this.#options.on.changed()
  }

  /** Takes an answer to a renewal. False: renewal is over. */
  async #take({ grant, lease: after, record }: Extract<Renewal, { is: 'granted' }>): Promise<boolean> {
    const { acceptOwner, context, facts } = this.#options
    const before = this.#lease
    if (this.#isUnconfirmed && acceptOwner?.(record) === false)
      return this.#decline(`another key made the claim, and a renewal with this one names ${record.claimed_by}`)
    const cause = this.#lossIn(record)
    if (cause !== undefined) {
      this.#lose(cause)
      return false
    }
    if (record.status === 'completed') return this.#leaveToCompletion()
    if (before.basis === 'unknown' && showsNoChange(before, after, grant))
      return this.#decline('the service does not say how long its claim lasts, and a renewal extended nothing')
    const headroom = this.#left
    const isAsked = before.basis === 'unknown' && after.basis !== 'unknown'
    void this.#hold(after)
    if (!isAsked && extendedNothing(before, after, grant)) return await this.#extendedNothing()
    this.#isDeclined = isUnmoved(before, after)
    if (!this.stands) return false
    if (!this.#isDeclined) context.emit({ event: 'clink.renewed', ...facts(), left: this.#left, headroom })
    this.#confirm()
    return true
  }

  #confirm(): void {
    if (this.#isUnconfirmed) this.#options.context.terms.confirmed()
    this.#isUnconfirmed = false
    this.#confirmed.resolve()
  }

  /** A result of ours is what the service shows, or may be: the completion finds out. */
  #leaveToCompletion(): false {
    this.#isUnconfirmed = false
    this.#confirmed.resolve()
    return false
  }

  /** The claim is not worked: nothing shows that it is ours, or for how long. */
  #decline(why: string): false {
    const { context, on } = this.#options
    if (this.#lease.basis === 'unknown') context.terms.unconfirmed()
    on.unconfirmed(why)
    return false
  }

  /** Renewal is over; the lease stands until its deadline, but for a claim that has to be confirmed by it. */
  async #refused(error: ClinkApiError): Promise<false> {
    const why = `the service answered ${error.status}`
    const record = await this.#look()
    if (record === 'over') return false
    if (this.completing && record?.status === 'completed') return this.#leaveToCompletion()
    if (this.#isUnconfirmed) return this.#decline(`${this.#doubt}, and to a renewal ${why}`)
    this.#sayRefused(why, mayBeKept(error))
    return false
  }

  get #doubt(): string {
    return this.#lease.basis === 'unknown'
      ? 'the service does not say how long its claim lasts'
      : 'another key made the claim'
  }

  async #extendedNothing(): Promise<false> {
    if ((await this.#look()) !== 'over') this.#sayRefused('a renewal extended nothing', true)
    return false
  }

  /**
   * The clink as it is shown after a refusal; `over`: the claim is, by then. A look can only prove that the claim is lost: lists show
   * owners, not sessions.
   */
  async #look(): Promise<Clink | undefined | 'over'> {
    const { api, clink } = this.#options
    this.#isDeclined = true
    this.#pulse.expect('renewal', this.#lease.deadline)
    const seen = await findClink(clink, api, this.#lease.deadline)
    const record = seen === 'failed' ? undefined : seen
    if (this.#stopping.signal.aborted || !this.stands) return 'over'
    const cause = record === undefined ? undefined : this.#lossIn(record)
    if (cause === undefined) return record
    this.#lose(cause)
    return 'over'
  }

  #sayRefused(why: string, isKept: boolean): void {
    // Our own completion has happened, or may have: that says nothing about renewals.
    if (this.completing) return
    const { context, facts } = this.#options
    const { terms } = context
    context.emit({ event: 'clink.renewalRefused', ...facts(), why, left: this.#left })
    if (isKept && !terms.refusalSaid) context.emit({ event: 'worker.renewalUnsupported', why })
    terms.refusalSaid ||= isKept
  }

  #lossIn(record: Clink): LostCause | undefined {
    const cause = lossShownBy(record, this.#options.context.identity)
    return this.completing && cause === 'completed-elsewhere' ? undefined : cause
  }

  /** A service that was away may renew the next claim, or one that this worker was too late to ask again; another will not. */
  #expire(): void {
    const isLate = this.#next < this.#lease.deadline - SHORTEST_PAUSE
    // A short claim has no time for a refusal that has to be heard again and again before it counts.
    if (this.#isUnconfirmed && this.#lease.basis === 'unknown' && this.#isForeign)
      this.#options.context.terms.unconfirmed()
    this.#lose(this.#isDeclined && !isLate ? 'refused' : 'expired')
  }

  #lose(cause: LostCause): void {
    if (this.#isLost) return
    this.#isLost = true
    this.stop()
    this.#options.on.lost(cause)
  }

  #watchDeadline(): void {
    this.#cancelDeadline()
    this.#cancelDeadline = this.#clock.at(this.#lease.deadline, () => this.#expire())
  }

  /** What has to be confirmed is renewed at once: it may be shorter than is known. */
  #firstRenewal(): number {
    return this.#isUnconfirmed ? this.#clock.now() : this.#nextRenewal()
  }

  #nextRenewal(): number {
    const { grantedAt, deadline } = this.#lease
    return grantedAt + (deadline - grantedAt) * START * (1 - JITTER * this.#options.context.random())
  }

  /** After a renewal that brought nothing, too early to call it a refusal. */
  #soonAgain(): number {
    return this.#clock.now() + Math.max(this.#left * START, SHORTEST_PAUSE)
  }

  async #waitUntil(time: number): Promise<void> {
    if (this.#stopping.signal.aborted) return
    this.#pulse.expect('renewal', time)
    await this.#alarm.until(time)
  }
}
