import { equalJitter } from '../base/backoff.ts'
import { Alarm, type Cancel, type Clock } from '../base/clock.ts'
import { asError } from '../base/coded-error.ts'
import { BareRefusals } from '../clink/bare-refusals.ts'
import { ClinkApiError } from '../clink/errors.ts'
import type { Clink } from '../clink/records.ts'
import { isRateLimited, mayBeKept, refusesClaim, refusesNumber } from '../clink/verdicts.ts'
import type { DeliveryFacts, LostCause } from '../events.ts'
import type { ClinkApi } from '../clink/clink-api.ts'
import type { WorkerContext } from './context.ts'
import { extendedNothing, renewedLease, type Lease, type LeaseHolder } from './lease.ts'
import { lookFor, lossIn } from './look.ts'
import type { Pulse } from './pulses.ts'

/** What keepers of one worker learn from the service and share. */
export interface RenewalMemory {
  /** False once the service refused a request for a certain length: renewals then leave it to the service. */
  asksLength: boolean
  /** Answers to claims were seen to carry no times: asking at once for what a poll left out is useless. */
  timesAbsent: boolean
  /** A refused renewal was reported. */
  refusalSaid: boolean
}

export interface KeeperOptions {
  readonly clink: Clink
  readonly lease: Lease
  /** Asks with the key that claimed it. */
  readonly api: ClinkApi
  readonly context: WorkerContext
  readonly memory: RenewalMemory
  readonly facts: () => DeliveryFacts
  readonly on: {
    readonly renewed: () => void
    /** Called once; nothing may be sent for the claim any more. */
    readonly lost: (cause: LostCause) => void
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
  #lease: Lease
  #isLost = false
  /** The last renewal that came to an end was answered, and brought nothing. */
  #isDeclined = false
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
      this.#next = this.#lease.deadline > before.deadline ? this.#nextRenewal() : this.#soonAgain()
    }
  }

  /** One renewal: tries until one is answered. False: there is nothing more to renew. */
  async #round(): Promise<boolean> {
    const { context, facts, memory } = this.#options
    const { claim, clink } = context.config
    const left = this.#left
    const refusals = new BareRefusals()
    let asksLength = true
    for (let failures = 1; !this.#stopping.signal.aborted && this.stands; failures += 1) {
      const seconds = asksLength && memory.asksLength ? Math.ceil(claim.timeout / 1_000) : undefined
      const sentAt = this.#clock.now()
      try {
        const record = await this.#send(seconds, Math.min(clink.timeout, left * TRY))
        if (this.#stopping.signal.aborted || !this.stands) return false
        return await this.#take(record, sentAt, seconds)
      } catch (thrown) {
        if (this.#stopping.signal.aborted || !this.stands) return false
        if (!(thrown instanceof ClinkApiError)) throw asError(thrown)
        const error = refusals.weigh(thrown, this.#clock.now())
        if (refusesClaim(error)) return await this.#refused(`the service answered ${error.status}`, mayBeKept(error))
        if (refusesNumber(error) && seconds !== undefined) {
          asksLength = false
          if (mayBeKept(error)) memory.asksLength = false
          continue
        }
        this.#isDeclined = false
        context.emit({ event: 'clink.renewalFailed', ...facts(), error, left: this.#left })
        const pause = equalJitter(
          failures,
          { base: left * LONGEST_WAIT * 0.25, max: left * LONGEST_WAIT },
          context.random,
        )
        const asked = Math.min(error.retryAfter ?? 0, this.#left / 2)
        const wait = Math.max(pause, asked)
        if (isRateLimited(error)) context.budget.refused(wait)
        await this.#waitUntil(this.#clock.now() + wait)
      }
    }
    return false
  }

  async #send(seconds: number | undefined, timeout: number): Promise<Clink> {
    const { api, clink } = this.#options
    this.#pulse.expect('renewal', this.#clock.now() + timeout)
    const request = api.claimClink(
      { clink_id: clink.clink_id, ...(seconds === undefined ? {} : { timeout_seconds: seconds }) },
      { deadline: this.#lease.deadline, timeout, attempts: 1, signal: this.#over.signal },
    )
    this.#inFlight = request.catch(() => undefined)
    return await request
  }

  /** Takes an answer to a renewal. False: renewal is over. */
  async #take(record: Clink, sentAt: number, seconds: number | undefined): Promise<boolean> {
    const { context, facts, memory, on } = this.#options
    const cause = this.#lossIn(record)
    if (cause !== undefined) {
      this.#lose(cause)
      return false
    }
    if (record.status === 'completed') return false
    memory.timesAbsent = typeof record.claim_expires_at !== 'string'
    const grant = {
      sentAt,
      asked: seconds === undefined ? undefined : seconds * 1_000,
      claimedAt: record.claimed_at,
      expiresAt: record.claim_expires_at,
    }
    const headroom = this.#left
    const after = renewedLease(this.#lease, grant, context.config.claim)
    if (extendedNothing(this.#lease, after, grant)) return await this.#refused('a renewal extended nothing')
    this.#isDeclined = after === this.#lease
    if (this.#isDeclined) return true // too early to tell whether anything was extended
    this.#lease = after
    this.#watchDeadline()
    if (!this.stands) return false
    context.emit({ event: 'clink.renewed', ...facts(), left: this.#left, headroom })
    on.renewed()
    return true
  }

  /** Renewal is over; the lease stands until its deadline. A look at the clink can only prove that the claim is lost: lists show owners, not sessions. */
  async #refused(why: string, isKept = true): Promise<false> {
    const { api, clink, context, facts, memory } = this.#options
    this.#isDeclined = true
    this.#pulse.expect('renewal', this.#lease.deadline)
    const record = await lookFor(clink, api, this.#lease.deadline)
    if (this.#stopping.signal.aborted || !this.stands) return false
    const cause = record === undefined ? undefined : this.#lossIn(record)
    if (cause !== undefined) {
      this.#lose(cause)
      return false
    }
    // Our own completion has happened, or may have: that says nothing about renewals.
    if (this.completing) return false
    context.emit({ event: 'clink.renewalRefused', ...facts(), why, left: this.#left })
    if (isKept && !memory.refusalSaid) context.emit({ event: 'worker.renewalUnsupported', why })
    memory.refusalSaid ||= isKept
    return false
  }

  #lossIn(record: Clink): LostCause | undefined {
    const cause = lossIn(record, this.#options.context.identity)
    return this.completing && cause === 'completed-elsewhere' ? undefined : cause
  }

  /** A service that was away may renew the next claim, or one that this worker was too late to ask again; another will not. */
  #expire(): void {
    const isLate = this.#next < this.#lease.deadline - SHORTEST_PAUSE
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

  /** A claim whose end the service has not said is renewed at once, to learn it: it may be shorter than is known. */
  #firstRenewal(): number {
    const unknown = this.#lease.serverEnd === undefined && !this.#options.memory.timesAbsent
    return unknown ? this.#clock.now() : this.#nextRenewal()
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
