import { steadyOf, type Clock, type Timeline } from '../../base/clock.ts'

/** What has to get further all the time. */
export type LoopName = 'start' | 'poll' | 'renewal' | 'settlement' | 'hold' | 'stop'

/** What one loop does, in milliseconds before now. */
export interface Expected {
  readonly loop: LoopName
  /** The clink that it is about. */
  readonly clinkId: string | undefined
  readonly since: number
  /** When it was to have got further; below 0: it still has so long. */
  readonly dueBy: number
}

/** The loops that are under way. */
export class Pulses {
  /** A jump of the wall clock makes nothing late: it is no time in which a loop could have got further. */
  readonly #time: Timeline
  readonly #all = new Set<Pulse>()
  /** The poll loop's own, which what it calls may extend. */
  readonly poll: Pulse

  constructor(clock: Clock) {
    this.#time = steadyOf(clock)
    this.poll = this.begin()
  }

  /** A loop that expects nothing of itself yet. */
  begin(clinkId?: string): Pulse {
    const pulse = new Pulse(this.#time, clinkId, this.#all)
    this.#all.add(pulse)
    return pulse
  }

  get expected(): readonly Expected[] {
    const now = this.#time.now()
    return [...this.#all].flatMap((pulse) => pulse.expectedAt(now) ?? [])
  }
}

/**
 * One loop's word about itself. At each step it says by when the next will be there, however long it means to wait: what counts is
 * that it comes back by then, not that it works.
 */
export class Pulse {
  readonly #time: Timeline
  readonly #clinkId: string | undefined
  /** Those that are under way. */
  readonly #all: Set<Pulse>
  #loop: LoopName | undefined
  #since = 0
  #dueBy = 0
  #isOver = false

  constructor(time: Timeline, clinkId: string | undefined, all: Set<Pulse>) {
    this.#time = time
    this.#clinkId = clinkId
    this.#all = all
  }

  /** Undefined: it expects nothing of itself. */
  expectedAt(now: number): Expected | undefined {
    if (this.#loop === undefined) return undefined
    return { loop: this.#loop, clinkId: this.#clinkId, since: now - this.#since, dueBy: now - this.#dueBy }
  }

  /** @param within milliseconds. What is late as it begins is late from then on, and not from before. */
  expect(loop: LoopName, within: number): void {
    if (this.#isOver) return
    this.#loop = loop
    this.#since = this.#time.now()
    this.#dueBy = this.#since + Math.max(0, within)
  }

  /** The step that is under way may take so many milliseconds from now on. */
  extend(within: number): void {
    this.#dueBy = Math.max(this.#dueBy, this.#time.now() + within)
  }

  /** Something else decides what comes next, as a handler that runs. */
  rest(): void {
    this.#loop = undefined
  }

  end(): void {
    this.#isOver = true
    this.#loop = undefined
    this.#all.delete(this)
  }
}
