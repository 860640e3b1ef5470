import type { Clock } from '../../base/clock.ts'
import { Recent } from '../../base/recent.ts'
import type { WorkerSignals } from '../signals.ts'
import type { Deliveries } from './deliveries.ts'

/** How many clinks are remembered whose settlement has failed. */
const REMEMBERED = 10_000
/** Milliseconds for which one failure or another says nothing. */
const PATIENCE = 5_000

export interface UnsentContext {
  readonly clock: Pick<Clock, 'now'>
  readonly signals: Pick<WorkerSignals, 'settled' | 'settlementFailed'>
}

/** Which clinks the service fails to settle. */
export class UnsentResults {
  readonly #deliveries: Pick<Deliveries, 'in'>
  readonly #clock: Pick<Clock, 'now'>
  /** By clinks: since when that fails, and why it did last. */
  readonly #failing = new Recent<{ readonly since: number; readonly why: string }>(REMEMBERED)

  constructor(deliveries: Pick<Deliveries, 'in'>, { clock, signals }: UnsentContext) {
    this.#deliveries = deliveries
    this.#clock = clock
    signals.settlementFailed.on(({ clink_id: id }, { message: why }) => {
      this.#failing.set(id, { since: this.#failing.get(id)?.since ?? clock.now(), why })
    })
    signals.settled.on(({ clink_id: id }) => this.#failing.delete(id))
  }

  /** Where the slots are full: why none of them comes free, for people. Undefined: one may. */
  get trouble(): string | undefined {
    if (this.#deliveries.in('running').length > 0) return undefined
    const before = this.#clock.now() - PATIENCE
    const failing = this.#deliveries.in('settling').map(({ clink }) => this.#failing.get(clink.clink_id))
    const [first] = failing
    if (first === undefined || !failing.every((one) => one !== undefined && one.since <= before)) return undefined
    return `all slots hold results that the service does not take: ${first.why}`
  }
}
