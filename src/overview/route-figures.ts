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

interface Run {
  readonly at: number
  readonly duration: number
  readonly hasFailed: boolean
}

/** The last runs of each route, in memory. */
export class AllRouteFigures {
  readonly #runs = new Recent<{ runs: Run[]; next: number }>(ROUTES)

  readonly note = (event: WorkerEvent): void => {
    if (event.event !== 'clink.ended' || event.route === undefined) return
    const hasFailed = event.outcome === 'failed' || event.outcome === 'reject'
    const of = this.#runs.get(event.route) ?? { runs: [], next: 0 }
    if (of.runs.length === 0) this.#runs.set(event.route, of)
    of.runs[of.next] = { at: monotonicNow(), duration: event.duration, hasFailed }
    of.next = (of.next + 1) % RUNS
  }

  get all(): readonly RouteFigures[] {
    const since = monotonicNow() - HOUR
    return [...this.#runs].map(([route, { runs: kept }]) => {
      const runs = kept.filter(({ at }) => at >= since)
      const durations = runs.map(({ duration }) => duration)
      const failing = runs.length === 0 ? 0 : runs.filter(({ hasFailed }) => hasFailed).length / runs.length
      return {
        route,
        runs: runs.length,
        failing,
        p50: percentile(durations, 0.5),
        p95: percentile(durations, 0.95),
      }
    })
  }
}
