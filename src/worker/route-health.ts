import { equalJitter, type Random } from '../base/backoff.ts'
import type { Cancel, Clock } from '../base/clock.ts'
import type { Emit } from '../events.ts'
import type { Route } from '../handlers/route.ts'

/** So many starts in a row, over at least so many clinks, that all failed, are not the clinks' fault. */
const STARTS = 10
const CLINKS = 5

export interface RouteHealthOptions {
  readonly clock: Clock
  readonly random: Random
  readonly emit: Emit
  /** A paused route may be probed now, or is paused no more. */
  readonly onChange: () => void
}

interface Pause {
  readonly since: number
  /** The clink that probes the route now. */
  probe: string | undefined
  /** Local time at which the next probe may start. */
  dueAt: number
  probes: number
  cancel: Cancel
  readonly over: PromiseWithResolvers<void>
}

interface Health {
  readonly generation: number
  /** Clinks of the last starts that failed, none in between having ended otherwise. */
  failures: string[]
  pause: Pause | undefined
}

/**
 * Notices a handler that fails whatever it is given, as when the application or the database behind it is away. Its route is
 * paused: one clink at a time probes it, with growing waits in between, and failures cost no attempt until a run ends otherwise.
 * A reload of the handler opens the route, and so does a restart: what was broken may have been repaired.
 */
export class RouteHealth {
  readonly #options: RouteHealthOptions
  readonly #routes = new Map<string, Health>()

  constructor(options: RouteHealthOptions) {
    this.#options = options
  }

  /** Names of those of the routes that are paused: one that a reload has taken away is nobody's trouble any more. */
  paused(routes: readonly Route[]): readonly string[] {
    return routes.filter((route) => this.isPaused(route)).map(({ name }) => name)
  }

  isPaused(route: Route): boolean {
    return this.#of(route).pause !== undefined
  }

  /** Milliseconds until a clink of the route may start; 0: now. */
  wait(route: Route): number {
    const { pause } = this.#of(route)
    if (pause === undefined) return 0
    const left = pause.dueAt - this.#options.clock.now()
    return pause.probe === undefined ? Math.max(0, left) : Math.max(route.retry.backoff, left)
  }

  /** Resolves when the route is paused no more; at once if it is not. */
  async opened(route: Route): Promise<void> {
    await this.#of(route).pause?.over.promise
  }

  started(route: Route, clinkId: string): void {
    const { pause } = this.#of(route)
    if (pause === undefined) return
    pause.probe = clinkId
  }

  /**
   * A run has ended.
   *
   * @param result its error where it failed, `fine` where it came to any other end, `nothing` where it tells nothing: it was
   *   aborted because its claim was lost or the worker stops.
   * @returns whether the failure costs an attempt.
   */
  ended(route: Route, clinkId: string, result: Error | 'fine' | 'nothing'): boolean {
    const health = this.#of(route)
    const { pause } = health
    const isProbe = pause?.probe === clinkId
    if (pause !== undefined && isProbe) pause.probe = undefined
    if (result === 'fine') {
      health.failures = []
      if (pause !== undefined) this.#open(route, health)
    } else if (result === 'nothing') {
      if (isProbe) this.#options.onChange()
    } else if (pause === undefined) {
      health.failures = [...health.failures, clinkId].slice(-STARTS)
      if (isBroken(health.failures)) this.#pause(route, health, result)
    } else if (isProbe) {
      pause.probes += 1
      this.#probeLater(route, pause)
    }
    return pause === undefined
  }

  #pause(route: Route, health: Health, error: Error): void {
    const { clock, emit } = this.#options
    const now = clock.now()
    const over = Promise.withResolvers<void>()
    health.pause = { since: now, probe: undefined, dueAt: now, probes: 1, cancel: () => {}, over }
    this.#probeLater(route, health.pause)
    const clinks = new Set(health.failures).size
    emit({ event: 'route.paused', route: route.name, failures: health.failures.length, clinks, error, advice: ADVICE })
  }

  #probeLater(route: Route, pause: Pause): void {
    const { clock, onChange, random } = this.#options
    const { backoff, maxBackoff } = route.retry
    pause.dueAt = clock.now() + equalJitter(pause.probes, { base: backoff, max: maxBackoff }, random)
    pause.cancel()
    pause.cancel = clock.at(pause.dueAt, onChange)
  }

  #open(route: Route, health: Health): void {
    const { clock, emit, onChange } = this.#options
    const { pause } = health
    if (pause === undefined) return
    health.pause = undefined
    pause.cancel()
    pause.over.resolve()
    emit({ event: 'route.resumed', route: route.name, duration: clock.now() - pause.since })
    onChange()
  }

  #of(route: Route): Health {
    const known = this.#routes.get(route.name)
    if (known !== undefined && known.generation >= route.generation) return known
    const fresh: Health = { generation: route.generation, failures: [], pause: undefined }
    this.#routes.set(route.name, fresh)
    if (known !== undefined) this.#open(route, known)
    return fresh
  }
}

function isBroken(failures: readonly string[]): boolean {
  return failures.length >= STARTS && new Set(failures).size >= CLINKS
}

const ADVICE =
  'every clink fails, so it is not the clinks: look at what the handler depends on. One clink at a time tries again, and none loses an attempt'
