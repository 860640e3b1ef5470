import { monotonicNow } from '../base/host-time.ts'
import { Recent } from '../base/recent.ts'
import type { WorkerEvent } from '../events.ts'
import { percentile } from './percentile.ts'

/** How one route has done lately. */
export interface RouteFigures {
  readonly route: string
  /** Runs of the last hour that have ended, at most so many of the last ones as are kept. */
  readonly runs: number
  /** Which part of them has failed, from 0 to 1. */
  readonly failing: number
  /** Milliseconds in which half of them had ended, and 95 % of them; null: there are none. */
  readonly p50: number | null
  readonly p95: number | null
}

const ROUTES = 200
/** Runs of one route. */
const RUNS = 500
const HOUR = 3_600_000

/** Its last runs: a ring, whose arrays are as long as it gets. */
class Ring {
  readonly #endedAt = new Float64Array(RUNS).fill(-Infinity)
  readonly #durations = new Float64Array(RUNS)
  readonly #failed = new Uint8Array(RUNS)
  #next = 0

  add(endedAt: number, duration: number, hasFailed: boolean): void {
    const at = this.#next
    this.#endedAt[at] = endedAt
    this.#durations[at] = duration
    this.#failed[at] = hasFailed ? 1 : 0
    this.#next = (at + 1) % RUNS
  }

  since(time: number): { readonly durations: readonly number[]; readonly failed: number } {
    const kept = [...this.#endedAt.keys()].filter((at) => (this.#endedAt[at] ?? -Infinity) >= time)
    const durations = kept.map((at) => this.#durations[at] ?? 0)
    return { durations, failed: kept.filter((at) => this.#failed[at] === 1).length }
  }
}

/** The last runs of each route, in memory. */
export class AllRouteFigures {
  readonly #routes = new Recent<Ring>(ROUTES)

  readonly note = (event: WorkerEvent): void => {
    if (event.event !== 'clink.ended' || event.route === undefined) return
    const hasFailed = event.outcome === 'failed' || event.outcome === 'reject'
    let ring = this.#routes.get(event.route)
    if (ring === undefined) this.#routes.set(event.route, (ring = new Ring()))
    ring.add(monotonicNow(), event.duration, hasFailed)
  }

  get all(): readonly RouteFigures[] {
    const since = monotonicNow() - HOUR
    return [...this.#routes].map(([route, ring]) => {
      const { durations, failed } = ring.since(since)
      const runs = durations.length
      const [p50, p95] = [percentile(durations, 0.5), percentile(durations, 0.95)]
      return { route, runs, failing: runs === 0 ? 0 : failed / runs, p50, p95 }
    })
  }
}
