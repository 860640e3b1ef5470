import type { Clock } from '../../base/clock.ts'
import { Recent } from '../../base/recent.ts'
import type { Route } from '../../handlers/route.ts'
import type { WorkerSignals } from '../signals.ts'
import type { DeliveryContext } from './context.ts'
import type { Delivery, DeliveryState } from './delivery.ts'

/** How many completed clinks are remembered: more than can end while one poll is on its way. */
const REMEMBERED = 10_000

/** One whose handler outlives each of its claims is waited for no more often. */
const OFTEN = 3
/** Milliseconds by which a claim may end later at the service than we know: what it rounds, and what a request takes. */
const LATE = 2_000

/** The deliveries of one worker, from their claim until they have ended and hold no slot. */
export class Deliveries {
  readonly #all = new Set<Delivery>()
  /** Clinks whose claims were to be released: whoever claims one of them later may be somebody else. */
  readonly #letGo = new Recent<true>(REMEMBERED)
  /** When clinks were completed: the answer to a poll may be older than that. */
  readonly #completed = new Recent<number>(REMEMBERED)
  readonly #lapsed = new LapsedClaims()
  readonly #clock: Clock
  readonly #signals: WorkerSignals

  constructor({ clock, signals }: Pick<DeliveryContext, 'clock' | 'signals'>) {
    this.#clock = clock
    this.#signals = signals
  }

  add(delivery: Delivery): void {
    this.#all.add(delivery)
    void delivery.settled.then(() => this.#noteLapse(delivery))
    void delivery.over.then(() => {
      this.#all.delete(delivery)
      if (delivery.wasLetGo) this.#letGo.set(delivery.clink.clink_id, true)
      if (delivery.completedAt !== undefined) this.#completed.set(delivery.clink.clink_id, delivery.completedAt)
      this.#signals.over.say()
      this.#signals.freed.say()
    })
  }

  #noteLapse({ clink, lease, state }: Delivery): void {
    const hasLapsed = state === 'lost' && this.#clock.now() >= lease.deadline
    if (hasLapsed) this.#lapsed.note(clink.clink_id, lease.end)
    else this.#lapsed.forget(clink.clink_id)
  }

  /** How many clinks the service may still hold for claims that ran out here. */
  get lapsed(): number {
    return this.#lapsed.count(this.#clock.now())
  }

  /** Whether the clink was completed here after this local time. */
  completedSince(clinkId: string, time: number): boolean {
    return (
      [...this.#all].some(({ clink, completedAt }) => clink.clink_id === clinkId && (completedAt ?? -1) >= time) ||
      (this.#completed.get(clinkId) ?? -1) >= time
    )
  }

  /** The delivery that has the claim on the clink in hand. One that lost its claim does not count, even while its code still runs. */
  holding(clinkId: string): Delivery | undefined {
    return this.live.find(({ clink }) => clink.clink_id === clinkId)
  }

  wasLetGo(clinkId: string): boolean {
    return this.#letGo.get(clinkId) !== undefined
  }

  /** Those of the route that have not ended. */
  of({ name }: Route): readonly Delivery[] {
    return this.live.filter(({ route }) => route.name === name)
  }

  /** One of the route is about to start, unless it may not. */
  isComing(route: Route): boolean {
    return this.of(route).some(({ isComing }) => isComing)
  }

  /** Those that have not ended. */
  get live(): readonly Delivery[] {
    return [...this.#all].filter(({ hasEnded }) => !hasEnded)
  }

  in(state: DeliveryState): readonly Delivery[] {
    return [...this.#all].filter((delivery) => delivery.state === state)
  }

  /** Those that have a slot or wait for one; a lost one has its slot until its code has ended. */
  get busy(): number {
    return [...this.#all].filter(({ state }) => state !== 'holding' && state !== 'settled').length
  }

  /** Held clinks that are due by this local time. */
  dueBy(time: number): readonly Delivery[] {
    return this.in('holding').filter(({ dueAt }) => dueAt !== undefined && dueAt <= time)
  }

  get stuck(): number {
    return this.#stuckSince.length
  }

  /**
   * Local time since which so many slots are held by handlers that are stuck.
   *
   * @param others since when those are stuck that have a slot and are no deliveries.
   */
  allStuckSince(slots: number, others: readonly number[]): number | undefined {
    const all = [...this.#stuckSince, ...others].sort((a, b) => a - b)
    return all.length >= slots ? all.at(-1) : undefined
  }

  get #stuckSince(): readonly number[] {
    return [...this.#all].flatMap(({ stuckSince }) => stuckSince ?? []).sort((a, b) => a - b)
  }

  /** Resolves when every delivery that is in the set now has ended and its code too. */
  async over(): Promise<void> {
    await Promise.all([...this.#all].map(async ({ over }) => await over))
  }

  /** Resolves when every delivery that is in the set now is settled or lost, whether or not its code has ended. */
  async settled(): Promise<void> {
    await Promise.all([...this.#all].map(async ({ settled }) => await settled))
  }
}

/** Claims that ran out here and may still stand at the service: until they end there no poll shows their clinks. */
class LapsedClaims {
  readonly #clinks = new Recent<{ readonly until: number; readonly times: number }>(REMEMBERED)

  /** @param end local time until which the claim certainly stood. */
  note(clinkId: string, end: number): void {
    const { times = 0 } = this.#clinks.get(clinkId) ?? {}
    this.#clinks.set(clinkId, { until: end + LATE, times: times + 1 })
  }

  forget(clinkId: string): void {
    this.#clinks.delete(clinkId)
  }

  /** How many clinks will show again. */
  count(now: number): number {
    return [...this.#clinks.entries()].filter(([, { times, until }]) => until > now && times <= OFTEN).length
  }
}
