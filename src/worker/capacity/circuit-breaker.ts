import type { Clink } from '../../clink/records.ts'
import { policyOf } from '../../handlers/policy.ts'
import type { Route, Router } from '../../handlers/route.ts'
import type { WorkerContext } from '../context.ts'
import type { WorkerSignals } from '../signals.ts'
import { Blame, type Tried } from './blame.ts'
import { RoutePause, type Turn } from './route-pause.ts'

/** So many starts in a row, over at least so many clinks, that all failed, are not the clinks' fault. */
const STARTS = 10
const CLINKS = 5

export interface CircuitBreakerOptions extends Pick<WorkerContext, 'clock' | 'emit' | 'random' | 'settings'> {
  /** The worker ends when the inbox is empty: a pause is over for its clinks when each of the route's clinks here has failed a probe. */
  readonly clinksHere?: { readonly live: readonly { readonly clink: Clink; readonly route: Route }[] } | undefined
  readonly router: Pick<Router, 'generation' | 'routes'>
  /** A paused route wants a fresh clink of the inbox, or is paused no more: what was listed meanwhile is not new any more. */
  readonly look: WorkerSignals['look']
}

/**
 * What the end of a run says about its route: why where it failed or could not be begun; `done`, which alone shows that the route works; `other` where the handler wanted something else; `nothing` where it was aborted
 * because its claim was lost or the worker stops.
 */
export type RunVerdict = Broken | 'done' | 'other' | 'nothing'

interface Broken {
  readonly reason: string
  readonly said?: string
  readonly error: Error
  /** No clink is at fault, and one is enough to know. */
  readonly isUnavailable?: true
  /** Milliseconds before which asking again is useless. */
  readonly retryAfter?: number | undefined
}

interface Health {
  readonly generation: number
  /** A run of these handlers, or of earlier ones, costs nothing when it fails: the route was paused when they were replaced. */
  readonly freeUpTo: number
  /** Clinks of the last starts that failed, none in between having ended otherwise. */
  failures: string[]
  readonly blame: Blame
  pause: RoutePause | undefined
  last: { readonly id: string; readonly reason: string } | undefined
  /** The pause lasts for too long: it is over for the clinks that have failed. */
  isOutlasted: boolean
}

/**
 * Notices a handler that fails whatever it is given, as when the application or the database behind it is away. Its route is paused and
 * probed until a run is done; until then failures cost no attempt. A pause that outlasts `retry.outage` is over for the clinks that
 * have failed: they run as usual, and end as dead letters. A reload of the handler opens the route, and so does a restart: what was broken may
 * have been repaired.
 *
 * A few clinks that always fail must not pass for a broken route: once another clink was done after their failure, theirs count no more.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions
  readonly #routes = new Map<string, Health>()

  constructor(options: CircuitBreakerOptions) {
    this.#options = options
  }

  get paused(): readonly Route[] {
    return this.#options.router.routes.filter((route) => this.isPaused(route))
  }

  isPaused(route: Route): boolean {
    return this.#of(route).pause !== undefined
  }

  /** What has failed last on a route that is paused. */
  lastFailure(route: Route): Health['last'] {
    const { last, pause } = this.#of(route)
    return pause === undefined ? undefined : last
  }

  /** Whether the clink has to wait for a probe, or for its turn to be one. The pause may have lasted too long for it. */
  isPausedFor(route: Route, clinkId: string): boolean {
    return this.#isPaused(this.#of(route), clinkId)
  }

  /** Whether a fresh clink of the inbox may start: the route is open, or wants a probe. */
  isOpen(route: Route): boolean {
    return this.#of(route).pause?.isDue ?? true
  }

  /** Milliseconds until the clink may start; 0: now. @param hasQueued its route had no place for it until now. */
  wait(route: Route, tried: Tried, hasQueued = false): number {
    const health = this.#of(route)
    return this.#isPaused(health, tried.clinkId) ? (health.pause?.wait(tried, hasQueued) ?? 0) : 0
  }

  /** The place of a clink that has to wait; undefined: the route is open. */
  turn(route: Route, tried: Tried): Turn | undefined {
    return this.#of(route).pause?.turn(tried)
  }

  /** A look at everything in the inbox, asked for at this local time, has brought no clink of the route. */
  looked(route: Route, sentAt: number): void {
    this.#of(route).pause?.looked(sentAt)
  }

  /** Whether the route's next probe is due, and the last look at the inbox was asked for before. */
  wantsLook(route: Route, sentAt: number): boolean {
    return this.#of(route).pause?.wantsLook(sentAt) === true
  }

  /** Whether the route's next probe is due, and was not yet at this local time. */
  isDueSince(route: Route, localTime: number): boolean {
    return this.#of(route).pause?.isDueSince(localTime) === true
  }

  /** Whether it is still to be seen if the inbox has a fresh clink for the route's next probe. */
  isLooking(route: Route): boolean {
    return this.#of(route).pause?.isLooking ?? false
  }

  /** Other routes are in use: what waits for one that has been reloaded, or is gone, may start by those. */
  rerouted(): void {
    const { generation, routes } = this.#options.router
    for (const route of routes) this.#of(route)
    const names = new Set(routes.map(({ name }) => name))
    for (const [name, health] of this.#routes)
      if (!names.has(name) && health.generation < generation) this.#begin({ name, generation }, health)
  }

  started(route: Route, tried: Tried): void {
    const health = this.#of(route)
    if (this.#isPaused(health, tried.clinkId)) health.pause?.started(tried)
  }

  /** Whether a failure of what runs now costs an attempt. */
  costsAttempt(route: Route): boolean {
    return this.#costsAttempt(route, this.#of(route))
  }

  /** A run has ended. Returns whether its failure costs an attempt. */
  ended(route: Route, clinkId: string, verdict: RunVerdict): boolean {
    const health = this.#of(route)
    // Of what a reload has replaced: it tells nothing about what is in use.
    if (route.generation < health.generation) return !isAway(verdict) && this.#costsAttempt(route, health)
    const { blame, pause } = health
    const isProbe = pause?.isProbe(clinkId) === true
    if (typeof verdict === 'object') health.last = { id: clinkId, reason: wordsOf(verdict) }
    if (typeof verdict === 'object' && !isAway(verdict)) {
      const counts = blame.note(clinkId)
      if (isProbe) pause.probed(clinkId, 'failed')
      if (pause !== undefined) this.#lookWhetherOutlasted(route, health, pause)
      else if (counts) this.#note(route, health, clinkId, verdict)
      return pause === undefined || health.isOutlasted
    }
    if (typeof verdict === 'object') {
      if (isProbe) pause.probed(clinkId, 'other', verdict.retryAfter)
      else if (pause === undefined) this.#pause(route, health, [clinkId], verdict, verdict.retryAfter)
      return false
    }
    if (verdict === 'done') this.#done(route, health, clinkId)
    else if (isProbe) pause.probed(clinkId, verdict)
    if (verdict === 'other') health.failures = []
    return pause === undefined
  }

  #note(route: Route, health: Health, clinkId: string, verdict: Broken): void {
    health.failures = [...health.failures, clinkId].slice(-STARTS)
    if (health.failures.length < STARTS || new Set(health.failures).size < CLINKS) return
    this.#pause(route, health, health.failures, verdict)
  }

  #pause(route: Route, health: Health, failed: readonly string[], verdict: Broken, wait = 0): void {
    const { clock, emit, look, random, settings } = this.#options
    const { retry } = policyOf(route, settings.current)
    health.pause = new RoutePause({ clock, random, retry, blame: health.blame, look, wait })
    const clinks = new Set(failed).size
    const { isUnavailable: _, retryAfter: __, ...why } = verdict
    emit({ event: 'route.paused', route: route.name, failures: failed.length, clinks, ...why, advice: ADVICE })
  }

  /** The route works: whatever has failed on it until now is at fault itself. */
  #done(route: Route, health: Health, clinkId: string): void {
    health.blame.done(clinkId)
    health.failures = []
    this.#open(route, health)
  }

  /** A failure that costs nothing could go on for ever. */
  #lookWhetherOutlasted(route: Route, health: Health, pause: RoutePause): void {
    const { clinksHere, settings } = this.#options
    const here = clinksHere?.live.filter((one) => one.route.name === route.name).map(({ clink }) => clink.clink_id)
    const isTried = here !== undefined && pause.hasTried(here)
    if (health.isOutlasted || (pause.lasted < settings.current.retry.outage && !isTried)) return
    health.isOutlasted = true
    pause.wakeAll()
  }

  #costsAttempt({ generation }: Route, { freeUpTo, generation: inUse, isOutlasted, pause }: Health): boolean {
    return generation < inUse ? generation > freeUpTo : pause === undefined || isOutlasted
  }

  #isPaused(health: Health, clinkId: string): boolean {
    if (health.pause === undefined) return false
    return !health.isOutlasted || !health.blame.has(clinkId)
  }

  #open(route: Pick<Route, 'name'>, health: Health): void {
    const { emit, look } = this.#options
    const { pause } = health
    if (pause === undefined) return
    health.pause = undefined
    health.isOutlasted = false
    pause.end()
    emit({ event: 'route.resumed', route: route.name, duration: pause.lasted })
    look.say('everything')
  }

  #of(route: Route): Health {
    const known = this.#routes.get(route.name)
    return known !== undefined && known.generation >= route.generation ? known : this.#begin(route, known)
  }

  #begin(route: Pick<Route, 'generation' | 'name'>, known: Health | undefined): Health {
    const isFree = known?.pause !== undefined && !known.isOutlasted
    const fresh: Health = {
      generation: route.generation,
      freeUpTo: isFree ? known.generation : (known?.freeUpTo ?? 0),
      failures: [],
      blame: new Blame(),
      pause: undefined,
      last: undefined,
      isOutlasted: false,
    }
    this.#routes.set(route.name, fresh)
    if (known !== undefined) this.#open(route, known)
    return fresh
  }
}

function wordsOf({ reason, said }: Broken): string {
  return said === undefined || reason.includes(said) ? reason : `${reason}: ${said}`
}

/** What runs the handler is away, which is no failure of a clink. */
function isAway(verdict: RunVerdict): boolean {
  return typeof verdict === 'object' && verdict.isUnavailable === true
}

const ADVICE =
  'the clinks are not at fault: look at what the handler depends on. One clink at a time tries again, and none loses an attempt'
