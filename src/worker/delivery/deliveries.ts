import { Crowd, Present } from '../../base/present.ts'
import { Recent } from '../../base/recent.ts'
import type { Clink } from '../../clink/records.ts'
import type { Route } from '../../handlers/route.ts'
import { weightOf } from '../capacity/route-limits.ts'
import type { ExecutionContext } from '../execution/context.ts'
import type { Delivery, DeliveryState } from './delivery.ts'

/** How many completed clinks are remembered: more than can end while one poll is on its way. */
const REMEMBERED = 10_000

/** One whose handler outlives each of its claims is waited for no more often. */
const OFTEN = 3
/** Milliseconds by which a claim may end later at the service than we know: what it rounds, and what a request takes. */
const LATE = 2_000

/** The deliveries of one worker, from their claim until they have ended and hold no slot. */
export class Deliveries {
  readonly #all = new Crowd<Delivery>()
  /** The same by their clinks. There are several for one where an earlier claim on it was lost. */
  readonly #byClink = new Present<string, readonly Delivery[]>()
  /** Clinks whose claims were to be released: whoever claims one of them later may be somebody else. */
  readonly #releaseTried = new Recent<true>(REMEMBERED)
  /** When clinks were completed: the answer to a poll may be older than that. */
  readonly #completed = new Recent<number>(REMEMBERED)
  readonly #lapsed = new LapsedClaims()
  /** How many there were. */
  begun = 0
  readonly #context: Pick<ExecutionContext, 'clock' | 'signals'>

  constructor(context: Pick<ExecutionContext, 'clock' | 'signals'>) {
    this.#context = context
    // What is lost finds it out for itself.
    const check = (): void => {
      for (const { handle } of this.live) handle.check()
    }
    context.signals.keyEstranged.on(check)
    context.signals.rightsLost.on(check)
  }

  /** @param wait @param isSleep as of `Delivery.start`. */
  start(delivery: Delivery, wait?: number, isSleep?: boolean): void {
    const { clink, handle } = delivery
    const id = clink.clink_id
    this.begun += 1
    const leave = this.#all.add(delivery)
    this.#byClink.set(id, [...this.#of(id), delivery])
    void delivery.settled.then(() => this.#noteLapse(delivery))
    void delivery.over.then(() => {
      // What could not be settled in the time for stopping stays: the worker names it as left behind.
      if (delivery.outcome === undefined) return
      leave()
      this.#forget(delivery)
      if (handle.releaseTried) this.#releaseTried.set(id, true)
      if (delivery.outcome?.is === 'completed') this.#completed.set(id, delivery.since)
      this.#context.signals.over.say()
      this.#context.signals.freed.say()
    })
    // What an earlier process had begun goes before what is claimed now.
    if (wait !== undefined) delivery.place?.keep()
    delivery.start(wait, isSleep)
  }

  #of(clinkId: string): readonly Delivery[] {
    return this.#byClink.get(clinkId) ?? []
  }

  #forget(delivery: Delivery): void {
    const id = delivery.clink.clink_id
    const others = this.#of(id).filter((one) => one !== delivery)
    if (others.length === 0) this.#byClink.delete(id)
    else this.#byClink.set(id, others)
  }

  #noteLapse({ clink, outcome }: Delivery): void {
    const lapsedAt = outcome?.is === 'lost' ? outcome.lapsedAt : undefined
    if (lapsedAt === undefined) this.#lapsed.forget(clink.clink_id)
    else this.#lapsed.note(clink.clink_id, lapsedAt)
  }

  /** How many clinks the service may still hold for claims that ran out here. */
  get lapsed(): number {
    return this.#lapsed.count(this.#context.clock.now())
  }

  /** Whether the clink was completed here after this local time. */
  completedSince(clinkId: string, time: number): boolean {
    return (
      this.#of(clinkId).some(({ outcome, since }) => outcome?.is === 'completed' && since >= time) ||
      (this.#completed.get(clinkId) ?? -1) >= time
    )
  }

  /** The delivery that has the claim on the clink in hand. One that lost its claim does not count, even while its code still runs. */
  withClaimOn(clinkId: string): Delivery | undefined {
    return this.#of(clinkId).find(({ outcome }) => outcome === undefined)
  }

  /** Claims that have run out are lost by now, even where their timers are late: what a request has brought of these clinks are others. */
  endLapsed(clinks: Iterable<Clink>): void {
    for (const { clink_id } of clinks) {
      const held = this.withClaimOn(clink_id)
      if (held?.handle.isReleasing === false) held.handle.check()
    }
  }

  /** A release of the clink was to be sent, whatever came of it. */
  releaseTried(clinkId: string): boolean {
    return this.#releaseTried.get(clinkId) !== undefined
  }

  /** One of the route is about to start, unless it may not. */
  isComing(route: Route): boolean {
    return this.live.some((one) => one.route.name === route.name && one.isComing)
  }

  /** Those that have not ended. */
  get live(): readonly Delivery[] {
    return [...this.#all].filter(({ outcome }) => outcome === undefined)
  }

  in(state: DeliveryState): readonly Delivery[] {
    return [...this.#all].filter((delivery) => delivery.state === state)
  }

  /** The seats of those that have them or wait for them; a lost one has its slot until its code has ended. */
  get busy(): number {
    const isBusy = ({ state }: Delivery): boolean => state !== 'backingOff' && state !== 'settled'
    return [...this.#all].reduce((sum, one) => (isBusy(one) ? sum + weightOf(one.route) : sum), 0)
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
    return [...this.#all].flatMap(({ stuckSince }) => stuckSince ?? [])
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
