import { after, steadyOf, type Cancel, type Clock } from '../../base/clock.ts'
import { Signal } from '../../base/signal.ts'
import type { Pause } from '../../ledger/pauses.ts'

/** A pause of this process. */
interface Standing {
  readonly pause: Pause
  /** By the steady clock; undefined: it has no end. */
  readonly endsAt: number | undefined
  readonly cancel: Cancel
}

/** A pause, and the milliseconds that are left of it; undefined: it has no end. */
export type LeftOfPause = Pause & { readonly left: number | undefined }

/** Pauses that stand in this process: one of everything, and one of each route. They last by the steady clock. */
export class StandingPauses {
  /** The time of one is over; it stands until somebody ends it. */
  readonly over = new Signal<[Pause]>()
  readonly #clock: Clock
  readonly #all = new Map<string | undefined, Standing>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#all.size
  }

  /** @param route undefined: everything. */
  has(route: string | undefined): boolean {
    return this.#all.has(route)
  }

  get pauses(): readonly Pause[] {
    return [...this.#all.values()].map(({ pause }) => pause)
  }

  get list(): readonly LeftOfPause[] {
    const now = steadyOf(this.#clock).now()
    return [...this.#all.values()].map(({ endsAt, pause }) => ({
      ...pause,
      left: endsAt === undefined ? undefined : Math.max(0, endsAt - now),
    }))
  }

  /** In place of an earlier one of the same route. */
  stand(pause: Pause, left: number | undefined): void {
    this.end(pause.route)
    const cancel = left === undefined ? () => {} : after(this.#clock, left, () => this.over.say(pause))
    const endsAt = left === undefined ? undefined : steadyOf(this.#clock).now() + left
    this.#all.set(pause.route, { pause, endsAt, cancel })
  }

  end(route: string | undefined): void {
    this.#all.get(route)?.cancel()
    this.#all.delete(route)
  }
}
