import { equalJitter, type Random } from '../../base/backoff.ts'
import { after, steadyOf, type Cancel, type Clock } from '../../base/clock.ts'
import type { RetryPolicy } from '../../config/config.ts'
import type { WorkerSignals } from '../signals.ts'
import type { Blame, Tried } from './blame.ts'

/** Waits between probes grow up to this, in milliseconds. */
const LONGEST_WAIT = 60_000
/** A fresh clink is looked for no longer than this before one that has failed already probes. */
const LONGEST_LOOK = 10_000

export interface RoutePauseOptions {
  readonly clock: Clock
  readonly random: Random
  readonly retry: RetryPolicy
  readonly blame: Blame
  /** A probe is due and no fresh clink waits here: one is to be looked for in the inbox. */
  readonly look: WorkerSignals['look']
  /** Milliseconds before which no probe is of use. */
  readonly wait: number
}

/** A clink that waits here for its turn to probe. */
export interface Turn {
  /** Resolves when the clink may start. It is a hint: whoever starts asks `wait` first. */
  readonly come: Promise<void>
  /** It waits no more. */
  leave(): void
}

/**
 * A route that is paused because everything on it fails: one clink at a time probes it, with growing waits.
 *
 * - Before `dueAt` nothing starts.
 * - Then a fresh clink may start: one that waits here, or one that the inbox gives. A clink that has failed before may be at fault itself, so
 *   its failure would say nothing about the route.
 * - When the inbox was looked at and gave none, or after `LONGEST_LOOK`, one that has failed starts as well. Where that goes on, not every
 *   such look is at everything: probes may follow each other faster than a large inbox can be gone through.
 * - While a probe runs, nothing else starts. Its end sets the next `dueAt`.
 *
 * All of this goes by the steady clock: a jump of the wall clock shortens no pause.
 */
export class RoutePause {
  readonly #options: RoutePauseOptions
  /** Those that wait here, the longest waiting first. */
  readonly #waiting = new Map<string, { readonly tried: Tried; readonly wake: () => void }>()
  /** Clinks of which a probe has failed, the last one last. */
  readonly #tried = new Set<string>()
  readonly #since: number
  #probe: string | undefined
  #probes = 0
  #dueAt = 0
  /** What is known of the inbox since a probe is due. `overdue`: a look has taken too long. */
  #look: 'open' | 'overdue' | 'none' = 'open'
  /** The look was opened again, for a clink that had got its place late; and when that took too long as well. */
  #isAgain = false
  #overdueAgainAt = -Infinity
  /** No fresh clink has probed since a look brought none. */
  #isExhausted = false
  #cancel: Cancel = () => {}

  constructor(options: RoutePauseOptions) {
    this.#options = options
    this.#since = this.#now
    this.#later(options.wait)
  }

  /** Milliseconds for which it has lasted. */
  get lasted(): number {
    return this.#now - this.#since
  }

  /**
   * Milliseconds after which it is worth while to ask again; 0: the clink may start now.
   *
   * @param hasQueued its route had no place for it: a look that took too long may have found a fresh clink, for which there was none either. One that is
   * opened again then, while the place is free, counts for a moment: the place may come late each time.
   */
  wait(tried: Tried, hasQueued: boolean): number {
    if (this.#probe !== undefined) return LONGEST_WAIT
    if (this.#options.blame.isFresh(tried)) return Math.max(0, this.#dueAt - this.#now)
    const isLate = hasQueued && this.#now - this.#overdueAgainAt > LONGEST_LOOK
    const isOver = this.#look === 'none' || (this.#look === 'overdue' && !isLate)
    return this.isDue && isOver ? 0 : LONGEST_WAIT
  }

  /** A probe is due and none runs: whatever is held, a fresh clink of the inbox may start. */
  get isDue(): boolean {
    return this.#probe === undefined && this.#dueAt <= this.#now
  }

  /** The inbox has not yet shown whether it has a fresh clink for the next probe. */
  get isLooking(): boolean {
    return this.#probe === undefined && this.#look === 'open'
  }

  /** Whether each of these clinks has failed a probe. */
  hasTried(clinkIds: readonly string[]): boolean {
    return clinkIds.every((id) => this.#tried.has(id))
  }

  turn(tried: Tried): Turn {
    const { clinkId } = tried
    const { promise, resolve: wake } = Promise.withResolvers<void>()
    this.#waiting.delete(clinkId)
    this.#waiting.set(clinkId, { tried, wake })
    if (this.isDue && this.#look === 'overdue') {
      this.#look = 'open'
      this.#isAgain = true
      this.#due()
    }
    const leave = (): void => {
      if (this.#waiting.get(clinkId)?.wake === wake) this.#waiting.delete(clinkId)
    }
    return { come: promise, leave }
  }

  started(tried: Tried): void {
    this.#probe = tried.clinkId
    if (this.#options.blame.isFresh(tried)) this.#isExhausted = false
  }

  isProbe(clinkId: string): boolean {
    return this.#probe === clinkId
  }

  /**
   * @param said `nothing`: its run tells nothing about the route, and the next may start at once.
   * @param wait milliseconds before which the next is of no use.
   */
  probed(clinkId: string, said: 'failed' | 'other' | 'nothing', wait = 0): void {
    this.#probe = undefined
    this.#tried.delete(clinkId)
    if (said === 'failed') this.#tried.add(clinkId)
    if (said !== 'nothing') return this.#later(wait)
    // What the inbox has shown before it is old by now.
    this.#dueAt = this.#now
    this.#open()
    this.#due()
  }

  /** A look at the inbox, asked for at this local time, has brought none. */
  looked(sentAt: number): void {
    if (!this.isDue || this.#isBeforeDue(sentAt)) return
    this.#isExhausted = true
    this.#endLook('none')
  }

  /** The last look was asked for at this local time, before a probe was due. */
  wantsLook(sentAt: number): boolean {
    return this.#look === 'open' && this.isDueSince(sentAt)
  }

  /** A probe is due, and was not yet at this local time. */
  isDueSince(localTime: number): boolean {
    return this.isDue && this.#isBeforeDue(localTime)
  }

  #isBeforeDue(localTime: number): boolean {
    const jumped = this.#options.clock.now() - this.#now
    return localTime - jumped < this.#dueAt
  }

  /** All that wait may look for themselves whether they may start. */
  wakeAll(): void {
    for (const { wake } of this.#waiting.values()) wake()
    this.#waiting.clear()
  }

  /** The route is paused no more. */
  end(): void {
    this.#cancel()
    this.wakeAll()
  }

  #later(least: number): void {
    const { clock, random, retry } = this.#options
    const { backoff, maxBackoff } = retry
    this.#probes += 1
    const max = Math.min(maxBackoff, LONGEST_WAIT)
    const wait = Math.max(equalJitter(this.#probes, { base: Math.min(backoff, max), max }, random), least)
    this.#dueAt = this.#now + wait
    this.#open()
    this.#cancel()
    this.#cancel = after(clock, wait, () => this.#due())
  }

  #open(): void {
    this.#look = 'open'
    this.#isAgain = false
    this.#overdueAgainAt = -Infinity
  }

  #due(): void {
    const { blame, clock, look } = this.#options
    this.#cancel()
    if (!this.isDue) return
    const fresh = [...this.#waiting.values()].find(({ tried }) => blame.isFresh(tried))
    if (fresh !== undefined) return this.#wake(fresh.tried.clinkId)
    if (this.#look !== 'open') return this.#endLook(this.#look)
    this.#cancel = after(clock, LONGEST_LOOK, () => this.#endLook('overdue'))
    look.say(this.#isExhausted ? 'news' : 'everything')
  }

  /** One that has failed probes then: the one whose last probe is the longest ago. */
  #endLook(as: 'overdue' | 'none'): void {
    if (!this.isDue) return
    this.#look = as
    if (this.#isAgain) this.#overdueAgainAt = this.#now
    const untried = [...this.#waiting.keys()].find((id) => !this.#tried.has(id))
    const next = untried ?? [...this.#tried].find((id) => this.#waiting.has(id))
    if (next !== undefined) this.#wake(next)
  }

  #wake(clinkId: string): void {
    this.#waiting.get(clinkId)?.wake()
    this.#waiting.delete(clinkId)
  }

  get #now(): number {
    return steadyOf(this.#options.clock).now()
  }
}
