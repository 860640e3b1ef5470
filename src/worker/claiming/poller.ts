import { equalJitter, fullJitter, waitAsAsked } from '../../base/backoff.ts'
import { steadyOf, Alarm } from '../../base/clock.ts'
import { asError } from '../../base/coded-error.ts'
import type { Service } from '../../base/service.ts'
import { BareRefusals } from '../../clink/bare-refusals.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import { orError } from '../../clink/refusals.ts'
import { forbids, looksForbidden, refusesKey } from '../../clink/verdicts.ts'
import { forMe } from '../../config/for-me.ts'
import type { Ways } from './ways.ts'
import type { AdmissionParts } from '../admission/context.ts'

type PollerParts = Pick<AdmissionParts, 'capacity' | 'context' | 'health'>

/** Why no slot comes free, where the service does not take results. */
interface HeldUp {
  readonly trouble: string | undefined
}

const SLOWEST = 30_000
/** One answer that did not come is no outage. */
const AWAY = 3
const SAID_EVERY = 60_000
/** Milliseconds that a poll waits for more slots to be freed, unless half of them are. */
const GATHER = 5
/** The most requests of one turn that follow each other, names of groups not counted: a list, a claim, and what is asked about it. */
const REQUESTS = 8

/**
 * Polls the inbox, one poll at a time, in the way of claiming that is right at that moment.
 *
 * It asks for what can start now and nothing else. Where more is known to wait, the next poll follows as soon as a slot is free;
 * otherwise it waits `poll.interval`, and longer while the inbox is empty. After a failure it waits with backoff and then looks
 * without claiming, until the service answers again. It looks at the slots from time to time even if nobody says that one is free:
 * a word that is missing may cost time, but must not end the polling.
 */
export class Poller implements Service {
  /** The service has answered a poll. */
  hasPolled = false
  /** It has answered a look where nothing may be claimed. */
  #hasLooked = false
  readonly #parts: PollerParts
  readonly #ways: Ways
  readonly #unsent: HeldUp
  readonly #stopping = new AbortController()
  readonly #giveUp = new AbortController()
  readonly #alarm: Alarm
  #running: Promise<void> = Promise.resolve()
  #wantsSlot = false
  /** Since when no slot is free though none is used. */
  #lockedOutAt: number | undefined
  /** In a row: a look without claiming that is answered says that it is worth trying, not that it works again. */
  #failures = 0
  #lastError: ClinkApiError | undefined
  /** Since the last failure the service has answered. */
  #isProbed = false
  /** Claims fail, and the one that would show whether they still do waits for its place. */
  #isHeldUp = false
  #refusals = new BareRefusals()
  #empties = 0
  #saidAt: number | undefined
  #isRetried = false
  /** Why the service, or the configuration, does not let it claim. */
  #refusal: string | undefined

  constructor(parts: PollerParts, ways: Ways, unsent: HeldUp) {
    this.#parts = parts
    this.#ways = ways
    this.#unsent = unsent
    this.#alarm = new Alarm(parts.context.clock)
    const { signals, warmth } = parts.context
    warmth.onAnswer = () => this.#warmUp()
    signals.look.on(() => this.#wake())
    signals.freed.on(() => {
      if (this.#wantsSlot) this.#wake()
    })
    signals.keyChanged.on(() => this.#retry())
  }

  start(): void {
    const { pulses, signals } = this.#parts.context
    this.#running = this.#loop()
      .catch((error: unknown) => signals.crashed.say('poll loop', asError(error)))
      .finally(() => pulses.poll.end())
  }

  /** Resolves when the poll that is on its way has ended and what it brought was admitted. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#alarm.ring()
    await this.#running
  }

  /** Gives up the poll that is on its way. What it claims at the service afterwards runs out there. */
  abandon(): void {
    this.#giveUp.abort()
  }

  /** Milliseconds for which no slot has been free though nothing has one: an accounting error of the worker's own. */
  get lockedOutFor(): number | undefined {
    const { capacity, context } = this.#parts
    if (this.#lockedOutAt === undefined || !capacity.isUnused || context.stopping.aborted) return undefined
    return context.clock.now() - this.#lockedOutAt
  }

  /** What keeps it from claiming, for people. */
  get trouble(): string | undefined {
    const isAway = this.#failures >= AWAY && this.#isFailing
    return (
      this.#refusal ?? (isAway ? `the service does not answer as it should: ${this.#lastError?.message}` : undefined)
    )
  }

  /** Polls now, unless it would have to wait for a slot, or the service is failing and nothing has changed about that. */
  #wake(): void {
    if (!this.#isFailing || this.#isHeldUp) this.#alarm.ring()
  }

  /** Asks at once although the service was failing: what it refused may be another key's matter now. */
  #retry(): void {
    this.#saidAt = undefined
    this.#isRetried = true
    this.#alarm.ring()
  }

  get #untilRetry(): number {
    const { clock, settings } = this.#parts.context
    return Math.max(settings.current.poll.interval, this.#ways.retryAt - clock.now())
  }

  get #isFailing(): boolean {
    return this.#failures > 0 && !this.#isProbed
  }

  async #loop(): Promise<void> {
    const { clock, rateLimit, pulses, settings } = this.#parts.context
    while (!this.#stopping.signal.aborted) {
      const { clink, inbox } = settings.current
      const lockedOutAt = this.#lockedOutAt ?? clock.now()
      this.#lockedOutAt = undefined
      pulses.poll.expect('poll', (REQUESTS + inbox.groups.length) * clink.timeout)
      const behind = rateLimit.pollWait
      if (behind > 0) {
        this.#parts.capacity.limits.mayClaim(0)
        await this.#wait(behind)
      } else if (this.#isFailing) {
        await this.#probe()
      } else if (this.#parts.capacity.free > 0) {
        await this.#gather()
        await this.#poll()
      } else {
        this.#wantsSlot = true
        if (this.#parts.capacity.isUnused) this.#lockedOutAt = lockedOutAt
        await this.#wait(Math.min(settings.current.poll.maxInterval, this.#untilRetry))
        if (this.#parts.capacity.free <= 0 && this.#unsent.trouble !== undefined) await this.#probeKey()
      }
    }
  }

  /** Under load slots are freed one by one, and a poll for each of them costs more than all else: it waits a moment for others. */
  async #gather(): Promise<void> {
    const { capacity, context } = this.#parts
    const { clock, settings } = context
    const end = clock.now() + GATHER
    while (this.#wantsSlot && clock.now() < end && !this.#stopping.signal.aborted) {
      if (capacity.free >= settings.current.concurrency / 2) return
      await this.#alarm.until(end)
    }
  }

  async #poll(): Promise<void> {
    const { capacity, context, health } = this.#parts
    const { random, settings, signals, warmth } = context
    const way = this.#way()
    capacity.limits.mayClaim(way === 'select' ? this.#ways.most : 0)
    if (way === undefined) return await this.#rest()
    const taken = await orError(this.#ways.take(way, this.#giveUp.signal))
    if (taken instanceof ClinkApiError) return await this.#fail(taken, way === 'select' && this.#ways.isHeldUp)
    this.hasPolled = true
    this.#refusal = undefined
    this.#saidAt = undefined
    this.#failures = 0
    this.#refusals = new BareRefusals()
    signals.polled.say(taken)
    this.#empties = taken.isNews ? 0 : this.#empties + 1
    this.#wantsSlot = taken.isMore
    if (taken.failed !== undefined) return await this.#fail(taken.failed)
    // A paused route may want another look.
    const isMore = taken.isMore || health.paused.some((route) => health.wantsLook(route, taken.sentAt))
    if (isMore && taken.isHeldUp !== true && capacity.free > 0) return
    const { interval, maxInterval } = settings.current.poll
    const wait = equalJitter(this.#empties + 1, { base: interval, max: maxInterval }, random)
    await this.#wait(Math.min(wait, warmth.longestWait, this.#untilRetry))
  }

  /** Somebody was answered: the wait of an empty inbox is cut short, no other. */
  #warmUp(): void {
    const { rateLimit, clock, warmth } = this.#parts.context
    if (!this.#isFailing && rateLimit.pollWait <= 0) this.#alarm.by(clock.now() + warmth.longestWait)
  }

  /** Undefined: nothing may be claimed as the configuration wants it, which is said. */
  #way(): 'batch' | 'select' | undefined {
    const { signals } = this.#parts.context
    const { mode } = this.#ways
    if (mode.mode !== 'none') return mode.mode
    const { reason, advice, isFinal } = mode
    // Why comes before what follows from it: a worker that stops says no more.
    this.#refuse({ reason, advice })
    if (isFinal) signals.blocked.say()
    return undefined
  }

  /** Nothing may be claimed, for now or for good. What takes no claim goes on all the same, once the service has answered. */
  async #rest(): Promise<void> {
    const { settings, signals, stopping } = this.#parts.context
    if (!this.hasPolled && !this.#hasLooked && !stopping.aborted) {
      const answer = await this.#look()
      if (answer instanceof ClinkApiError) return await this.#fail(answer)
      this.#hasLooked = true
    }
    signals.answered.say()
    await this.#wait(settings.current.poll.maxInterval)
  }

  /** Looks whether the service answers again, without claiming anything. */
  async #probe(): Promise<void> {
    const { clock, emit } = this.#parts.context
    const sentAt = clock.now()
    const answer = await this.#look()
    if (answer instanceof ClinkApiError) return await this.#fail(answer)
    this.#isProbed = true
    this.#empties = 0
    emit({ event: 'poll.probed', duration: clock.now() - sentAt })
  }

  /** No poll finds out that the key is refused while no slot comes free for one, since the service takes no results. */
  async #probeKey(): Promise<void> {
    if (this.#stopping.signal.aborted) return
    const answer = await this.#look()
    if (answer instanceof ClinkApiError && this.#isRefused(answer)) await this.#fail(answer)
  }

  async #look(): Promise<unknown> {
    const { api, pulses, settings } = this.#parts.context
    pulses.poll.expect('poll', settings.current.clink.timeout)
    const params = { limit: 1, for_me: forMe(settings.current) }
    return await orError(api.checkInbox(params, { attempts: 1, signal: this.#giveUp.signal }))
  }

  async #fail(error: ClinkApiError, isHeldUp = false): Promise<void> {
    const { emit, random, settings, signals } = this.#parts.context
    if (this.#stopping.signal.aborted) return
    this.#failures += 1
    this.#lastError = error
    this.#isProbed = false
    this.#isHeldUp = isHeldUp
    this.#parts.capacity.limits.mayClaim(isHeldUp ? 1 : 0)
    const isRefused = this.#isRefused(error)
    const { interval, maxInterval } = settings.current.poll
    const backoff = isRefused
      ? equalJitter(1, { base: Math.max(SLOWEST, maxInterval), max: Infinity }, random)
      : fullJitter(this.#failures, { base: interval, max: maxInterval }, random)
    const wait = waitAsAsked(backoff, error.retryAfter)
    emit({ event: 'poll.failed', error, wait, failures: this.#failures })
    if (isRefused && this.#refuse({ reason: error.message, advice: REFUSED_ADVICE }))
      emit({ event: 'poll.refused', error, advice: REFUSED_ADVICE })
    signals.failed.say({ error, failures: this.#failures, isRefused })
    await this.#wait(wait)
  }

  /** A 403 that stays is a refusal whoever says it: while it lasts nothing is claimed, and only people can end it. */
  #isRefused(error: ClinkApiError): boolean {
    const stays = this.#refusals.stays(error, steadyOf(this.#parts.context.clock).now())
    return refusesKey(error) || forbids(error) || (looksForbidden(error) && stays)
  }

  /** Why nothing is claimed is said once a minute. Returns whether it was. */
  #refuse(why: { readonly reason: string; readonly advice: string }): boolean {
    const { clock, signals } = this.#parts.context
    this.#refusal = `${why.reason}: ${why.advice}`
    if (clock.now() < (this.#saidAt ?? -Infinity) + SAID_EVERY) return false
    this.#saidAt = clock.now()
    signals.notReady.say(why)
    return true
  }

  async #wait(ms: number): Promise<void> {
    if (this.#stopping.signal.aborted) return
    const { clock, pulses } = this.#parts.context
    pulses.poll.expect('poll', ms)
    // It may have come while a request was on its way, when nobody waited.
    if (!this.#isRetried) await this.#alarm.until(clock.now() + ms)
    this.#isRetried = false
  }
}

const REFUSED_ADVICE =
  'either the service refuses the key: check that it is right, not suspended, and may read and write clinks; or something in front of the service (a proxy, a firewall) refuses this machine'
