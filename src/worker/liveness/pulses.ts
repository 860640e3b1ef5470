import { steadyOf, type Clock } from '../../base/clock.ts'

/** What has to get further all the time. */
export type LoopName = 'start' | 'poll' | 'renewal' | 'settlement' | 'hold' | 'stop'

/** What one loop does, and by when it will have got further. Local times. */
export interface Expected {
  readonly loop: LoopName
  /** The clink that it is about. */
  readonly clinkId: string | undefined
  readonly since: number
  readonly dueBy: number
}

/** The loops that are under way. */
export class Pulses {
  readonly #clock: Clock
  readonly #all = new Set<Pulse>()
  /** The poll loop's own, which what it calls may extend. */
  readonly poll: Pulse

  constructor(clock: Clock) {
    this.#clock = clock
    this.poll = this.begin()
  }

  /** A loop that expects nothing of itself yet. */
  begin(clinkId?: string): Pulse {
    const pulse = new Pulse(this.#clock, clinkId, this.#all)
    this.#all.add(pulse)
    return pulse
  }

  get expected(): readonly Expected[] {
    return [...this.#all].flatMap(({ expected }) => (expected === undefined ? [] : [expected]))
  }
}

/**
 * One loop's word about itself. At each step it says by when the next will be there, however long it means to wait: what counts is
 * that it comes back by then, not that it works.
 */
export class Pulse {
  readonly #clock: Clock
  readonly #clinkId: string | undefined
  /** Those that are under way. */
  readonly #all: Set<Pulse>
  #expected: Expected | undefined
  /** What local time had jumped by when that was said. */
  #jumpedBefore = 0
  #isOver = false

  constructor(clock: Clock, clinkId: string | undefined, all: Set<Pulse>) {
    this.#clock = clock
    this.#clinkId = clinkId
    this.#all = all
  }

  /** A jump of the wall clock makes nothing late: it is no time in which a loop could have got further. */
  get expected(): Expected | undefined {
    if (this.#expected === undefined) return undefined
    const { dueBy, since, ...rest } = this.#expected
    const jumped = this.#jumped - this.#jumpedBefore
    return { ...rest, since: since + jumped, dueBy: dueBy + jumped }
  }

  get #jumped(): number {
    return this.#clock.now() - steadyOf(this.#clock).now()
  }

  expect(loop: LoopName, dueBy: number): void {
    if (this.#isOver) return
    this.#expected = { loop, clinkId: this.#clinkId, since: this.#clock.now(), dueBy }
    this.#jumpedBefore = this.#jumped
  }

  /** The step that is under way may take until then. */
  extend(dueBy: number): void {
    const { expected } = this
    if (expected === undefined || expected.dueBy >= dueBy) return
    this.#expected = { ...expected, dueBy }
    this.#jumpedBefore = this.#jumped
  }

  /** Something else decides what comes next, as a handler that runs. */
  rest(): void {
    this.#expected = undefined
  }

  end(): void {
    this.#isOver = true
    this.#expected = undefined
    this.#all.delete(this)
  }
}
