import { watchLateness } from '../base/lateness.ts'
import type { WorkerEvent } from '../events.ts'
import { History } from './history.ts'
import { AllRouteFigures } from './route-figures.ts'
import { Runs } from './runs.ts'
import { ServiceFigures } from './service-figures.ts'
import { Timelines } from './timelines.ts'

/** Milliseconds between two looks at how late timers are, and at how much is in hand. */
const LOOK = 1_000
/** Looks whose lateness is kept: of a minute. */
const LOOKS = 60

/**
 * What people who look at the worker want to know of its past: bounded, and in memory. It is there where there is a server, and listens
 * to events only.
 */
export class Overview {
  readonly timelines = new Timelines()
  readonly history = new History()
  readonly routes = new AllRouteFigures()
  readonly runs = new Runs()
  readonly service = new ServiceFigures()
  readonly #late: number[] = []
  #endLooks: () => void = () => {}

  /** A subscriber. */
  readonly note = (event: WorkerEvent): void => {
    this.timelines.note(event)
    this.history.note(event)
    this.routes.note(event)
    this.runs.note(event)
  }

  /** @param inHand says how many clinks are. */
  start(inHand: () => number): void {
    this.#endLooks = watchLateness(LOOK, (late) => {
      this.#late.push(late)
      if (this.#late.length > LOOKS) this.#late.shift()
      this.history.inHand(inHand())
    })
  }

  /** By how many milliseconds timers were late: the last one, and the latest of the last minute. */
  get lateness(): { readonly last: number; readonly most: number } {
    return { last: this.#late.at(-1) ?? 0, most: Math.max(0, ...this.#late) }
  }

  stop(): void {
    this.#endLooks()
  }
}
