import { equalJitter, fullJitter } from '../base/backoff.ts'
import { Alarm } from '../base/clock.ts'
import { asError } from '../base/coded-error.ts'
import type { Service } from '../base/service.ts'
import type { InboxPage } from '../clink/client.ts'
import { ClinkApiError } from '../clink/errors.ts'
import type { WorkerContext } from './context.ts'
import type { Admitted } from './intake.ts'

/** A claiming poll that was answered. */
export interface PollReport {
  readonly sentAt: number
  readonly asked: number
  readonly received: number
  readonly claimed: number
  readonly runnable: number
  readonly fresh: number
}

export interface PollerOptions {
  readonly context: WorkerContext
  /** How many clinks could start now. */
  readonly capacity: () => number
  readonly admit: (page: InboxPage, sentAt: number) => Promise<Admitted>
  readonly polled: (report: PollReport) => void
  /** @param failures in a row, this one included. */
  readonly failed: (error: ClinkApiError, failures: number) => void
  readonly crashed: (error: Error) => void
}

/** The most that one poll asks for: the service documents no inbox limit, but 100 for its other listing. */
const LARGEST_PAGE = 100
const SLOWEST = 30_000
const SAID_EVERY = 60_000

/**
 * Polls the inbox, one poll at a time.
 *
 * It asks for what can start now and nothing else, and waits without a timer while nothing can. A page that came full, or that
 * brought only what is not run, is followed by the next as soon as a slot is free; otherwise it waits `poll.interval`, and
 * longer while the inbox is empty. After a failure it waits with backoff and then looks without claiming, until the service
 * answers again. A claiming poll is never repeated by itself: it may have claimed.
 */
export class Poller implements Service {
  readonly #options: PollerOptions
  readonly #stopping = new AbortController()
  readonly #giveUp = new AbortController()
  readonly #alarm: Alarm
  #running: Promise<void> = Promise.resolve()
  #wantsSlot = false
  #failures = 0
  #empties = 0
  #refusalSaidAt: number | undefined

  constructor(options: PollerOptions) {
    this.#options = options
    this.#alarm = new Alarm(options.context.clock)
  }

  start(): void {
    this.#running = this.#loop().catch((error: unknown) => this.#options.crashed(asError(error)))
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

  /** Polls now, unless it would have to wait for a slot or the service is failing. */
  wake(): void {
    if (this.#failures === 0) this.#alarm.ring()
  }

  /** Polls now if more is known to wait. */
  slotFreed(): void {
    if (this.#wantsSlot) this.wake()
  }

  async #loop(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const asked = Math.min(LARGEST_PAGE, this.#options.capacity())
      const behind = this.#options.context.budget.pollWait
      if (behind > 0) {
        await this.#wait(behind)
      } else if (this.#failures > 0) {
        await this.#probe()
      } else if (asked > 0) {
        await this.#poll(asked)
      } else {
        this.#wantsSlot = true
        await this.#wait(undefined)
      }
    }
  }

  async #poll(asked: number): Promise<void> {
    const { admit, context, polled } = this.#options
    const { api, clock, config, emit } = context
    const sentAt = clock.now()
    let page: InboxPage
    try {
      const params = { claim: true, limit: asked, for_me: config.inbox.for !== 'anyone' }
      page = await api.checkInbox(params, { attempts: 1, signal: this.#giveUp.signal })
    } catch (error) {
      if (!(error instanceof ClinkApiError)) throw error
      if (error.mayHaveHappened) emit({ event: 'poll.lost', asked, error })
      await this.#fail(error)
      return
    }
    const received = page.clinks.length + page.malformed.length
    const { claimed, runnable, fresh } = await admit(page, sentAt)
    emit({ event: 'poll.succeeded', asked, received, claimed, duration: clock.now() - sentAt })
    polled({ sentAt, asked, received, claimed, runnable, fresh })
    this.#empties = fresh > 0 ? 0 : this.#empties + 1
    // A page of what is not run hides what lies behind it, however short the page is.
    this.#wantsSlot = claimed > 0 && (received >= asked || runnable === 0)
    if (this.#wantsSlot && this.#options.capacity() > 0) return
    const { interval, maxInterval } = config.poll
    await this.#wait(equalJitter(this.#empties + 1, { base: interval, max: maxInterval }, context.random))
  }

  /** Looks whether the service answers again, without claiming anything. */
  async #probe(): Promise<void> {
    const { api, clock, config, emit } = this.#options.context
    const sentAt = clock.now()
    try {
      const params = { limit: 1, for_me: config.inbox.for !== 'anyone' }
      await api.checkInbox(params, { attempts: 1, signal: this.#giveUp.signal })
    } catch (error) {
      if (!(error instanceof ClinkApiError)) throw error
      await this.#fail(error)
      return
    }
    this.#failures = 0
    this.#empties = 0
    emit({ event: 'poll.probed', duration: clock.now() - sentAt })
  }

  async #fail(error: ClinkApiError): Promise<void> {
    const { context, failed } = this.#options
    const { clock, config, emit, random } = context
    if (this.#stopping.signal.aborted) return
    this.#failures += 1
    const refused = error.status === 401 || error.status === 403
    const { interval, maxInterval } = config.poll
    const backoff = refused
      ? equalJitter(1, { base: Math.max(SLOWEST, maxInterval), max: Infinity }, random)
      : fullJitter(this.#failures, { base: interval, max: maxInterval }, random)
    const wait = Math.max(backoff, error.retryAfter ?? 0)
    emit({ event: 'poll.failed', error, wait, failures: this.#failures })
    if (refused && clock.now() >= (this.#refusalSaidAt ?? -Infinity) + SAID_EVERY) {
      this.#refusalSaidAt = clock.now()
      emit({ event: 'poll.refused', error, advice: REFUSED_ADVICE })
    }
    failed(error, this.#failures)
    await this.#wait(wait)
  }

  /** @param ms undefined: until woken. */
  async #wait(ms: number | undefined): Promise<void> {
    if (this.#stopping.signal.aborted) return
    const { clock } = this.#options.context
    await this.#alarm.until(ms === undefined ? undefined : clock.now() + ms)
  }
}

const REFUSED_ADVICE =
  'the service refuses the key: check that it is right, not suspended, and may read and write clinks'
