import type { Cancel, Clock } from '../../base/clock.ts'
import type { Route } from '../../handlers/route.ts'
import type { WorkerContext } from '../context.ts'
import type { WorkerSignals } from '../signals.ts'

/** Whether a claim by id takes nobody's work; undefined: nobody knows yet. */
interface Verdict {
  readonly mayClaimById: boolean | undefined
}

/** Seats of claims: from before they are sent until what they brought is in hand, and for as long as they may have been made unknown to us. */
export class Seats {
  count: number
  /** The route that the claim on its way is for, where that is one. */
  route: Route | undefined
  readonly #all: Set<Seats>
  readonly #freed: WorkerSignals['freed']
  readonly #clock: Clock
  #cancel: Cancel = () => {}
  #keptUntil = -Infinity
  #siblings: Verdict | undefined

  constructor(count: number, all: Set<Seats>, { clock, signals }: Pick<WorkerContext, 'clock' | 'signals'>) {
    this.count = count
    this.#all = all
    this.#freed = signals.freed
    this.#clock = clock
    all.add(this)
  }

  /** A claim is on its way. */
  get isSent(): boolean {
    return this.#keptUntil === -Infinity
  }

  /** Local time until which they are kept though no claim is on its way any more. */
  get keptUntil(): number {
    return this.#keptUntil
  }

  /** Whether it is known which clinks they are for. */
  get isKnown(): boolean {
    return this.#siblings === undefined
  }

  /** Whether what they are kept for would be worked: what may be a sibling's is not. */
  get mayBeUsed(): boolean {
    return this.#siblings === undefined || this.#siblings.mayClaimById === true
  }

  /**
   * No answer came: so many are kept until this local time.
   *
   * @param siblings where nobody knows which clinks were claimed: they are taken up by claims by id, once these may be made.
   */
  keep(count: number, until: number, siblings?: Verdict): void {
    this.count = count
    this.#keptUntil = until
    this.#siblings = siblings
    // What waits for them is told of their end, too.
    this.#cancel()
    this.#cancel = this.#clock.at(until, () => this.#freed.say())
    this.#freed.say()
  }

  free(): void {
    this.#cancel()
    this.#all.delete(this)
    this.#freed.say()
  }
}
