import type { Cancel } from '../base/clock.ts'
import { Acknowledgements } from './admission/acknowledgements.ts'
import { Batch } from './claiming/batch.ts'
import { Deliveries } from './delivery/deliveries.ts'
import { HeldBefore } from './claiming/held-before.ts'
import { Intake } from './admission/intake.ts'
import { liveness, type Liveness } from './liveness/liveness.ts'
import { readiness, type Readiness } from './liveness/readiness.ts'
import { Parked } from './admission/parked.ts'
import { Poller } from './claiming/poller.ts'
import { Reruns } from './rerun/reruns.ts'
import { CircuitBreaker } from './capacity/circuit-breaker.ts'
import { RunRegister } from './execution/run-register.ts'
import { Select } from './claiming/select.ts'
import { Shutdown, type Ends } from './shutdown.ts'
import type { Taken } from './signals.ts'
import { Capacity } from './capacity/capacity.ts'
import { Standstill } from './liveness/standstill.ts'
import { Startup } from './startup.ts'
import { Ways } from './claiming/ways.ts'
import { LostClaims } from './claiming/lost-claims.ts'
import type { AdmissionContext, AdmissionParts } from './admission/context.ts'

export interface WorkerOptions {
  readonly context: AdmissionContext
  readonly ends: Ends
  /** It ends when the inbox is empty. */
  readonly isOnce: boolean
}

/** What is in hand at one moment. */
export interface Snapshot {
  readonly running: number
  readonly queued: number
  readonly held: number
  readonly settling: number
  readonly parked: number
  readonly stuck: number
  /** Clinks that are run again by hand, without a claim. */
  readonly rerunning: number
  /** How many clinks may be claimed though none of them is in hand: by lost answers, or by claims that ran out here. */
  readonly maybeClaimed: number
  /** Names of routes that are paused because all fails there. */
  readonly paused: readonly string[]
  /** How many of them wait to see whether the inbox has a clink for their next probe. */
  readonly probing: number
  /** The service's order of the inbox may keep clinks out of reach. */
  readonly starved: boolean
  /** What cannot be told about clinks that wait, so that none of them is worked, for people. */
  readonly doubts: readonly string[]
  /** Circles of workers that were ended here. */
  readonly circlesEnded: number
}

const PRUNE_EVERY = 3_600_000

/**
 * The heart: claims what can start, has it run, and sees to it that every claim ends. Owns the deliveries, the slots and the
 * parked claims; the poller brings in, the intake decides, a delivery does the rest.
 */
export class Worker {
  readonly #context: AdmissionContext
  readonly #shared: AdmissionParts
  readonly #deliveries: Deliveries
  readonly #parked: Parked
  readonly #acknowledgements: Acknowledgements
  readonly #intake: Intake
  readonly #poller: Poller
  readonly #lostClaims: LostClaims
  readonly #select: Select
  readonly #reruns: Reruns
  readonly #startup: Startup
  readonly #shutdown: Shutdown
  #cancelPrune: Cancel = () => {}

  constructor(options: WorkerOptions) {
    const { context } = options
    this.#context = context
    this.#deliveries = new Deliveries(context)
    const health = this.#makeHealth(options)
    const { router } = context
    const shared: AdmissionParts = (this.#shared = {
      context,
      capacity: new Capacity({ context, router, health, inHand: this.#deliveries }),
      runs: new RunRegister(new Standstill(context.clock, context.emit)),
      health,
    })
    this.#reruns = new Reruns({ ...shared, deliveries: this.#deliveries })
    this.#parked = new Parked(context)
    this.#acknowledgements = new Acknowledgements(shared, this.#parked)
    const places = { acknowledgements: this.#acknowledgements, deliveries: this.#deliveries, parked: this.#parked }
    this.#intake = new Intake(shared, places)
    const heldBefore = new HeldBefore(context)
    this.#lostClaims = new LostClaims(shared, this.#intake, heldBefore)
    const batch = new Batch(shared, this.#intake, this.#lostClaims, heldBefore)
    this.#select = new Select(shared, this.#intake)
    const ways = new Ways(shared, { batch, select: this.#select, intake: this.#intake, parked: this.#parked })
    this.#poller = new Poller(shared, ways)
    // What was left alone may be wanted now, and the wait until the next poll another one.
    context.settings.changed.on(() => context.signals.look.say('everything'))
    context.signals.polled.on((taken) => this.#polled(taken))
    // It tells no more about fresh clinks than a look that brings none.
    context.signals.failed.on(() => this.#looked(context.clock.now()))
    this.#startup = new Startup({ shared, ...places, poller: this.#poller, reruns: this.#reruns })
    this.#shutdown = new Shutdown({
      shared,
      ...places,
      startup: this.#startup,
      intake: this.#intake,
      lostClaims: this.#lostClaims,
      select: this.#select,
      poller: this.#poller,
      reruns: this.#reruns,
      ends: options.ends,
    })
  }

  #makeHealth({ context, isOnce }: WorkerOptions): CircuitBreaker {
    const { clock, emit, ledger, random, router, settings, signals } = context
    return new CircuitBreaker({
      clock,
      random,
      emit,
      settings,
      clinksHere: isOnce ? this.#deliveries : undefined,
      router,
      ledger,
      look: signals.look,
    })
  }

  /**
   * Holds on to what an earlier process held, then polls.
   *
   * @param resume false: the claims that the ledger knows are another worker's.
   */
  async start(resume = true): Promise<void> {
    const { ledger, settings } = this.#context
    // Nothing waits for it.
    void ledger.prune(settings.current.state.keep)
    this.#pruneLater()
    await this.#startup.begin(resume)
  }

  /**
   * The clink is no longer given up: a claim on it that is parked is released, so that it comes back at once. One that can come back no
   * more is run again without a claim.
   */
  async giveBack(clinkId: string): Promise<void> {
    this.#reruns.add(clinkId)
    if (this.#context.ledger.letters.has(clinkId)) return
    await this.#parked.giveBack(clinkId)
    this.#context.signals.look.say('everything')
  }

  /**
   * @param timeout milliseconds that it may take.
   * @returns ids of clinks whose claims are still held: the service did not take their settlement in time.
   */
  async stop(timeout = this.#context.settings.current.shutdown.timeout): Promise<readonly string[]> {
    this.#cancelPrune()
    return await this.#shutdown.stop(timeout)
  }

  /** A fault ends the process, be it while it stops: the next start counts it as a crash. The worker is to be stopped. */
  fault(): void {
    this.#shutdown.fault()
  }

  /** Skips what is left of the drain. */
  hurry(): void {
    this.#shutdown.hurry()
  }

  snapshot(): Snapshot {
    const count = (state: Parameters<Deliveries['in']>[0]): number => this.#deliveries.in(state).length
    return {
      running: count('running'),
      queued: count('waiting'),
      held: count('backingOff'),
      settling: count('settling'),
      parked: this.#parked.size,
      stuck: this.#deliveries.stuck + this.#reruns.stuckSince.length,
      rerunning: this.#reruns.size,
      paused: this.#shared.health.paused.map(({ name }) => name),
      probing: this.#shared.health.paused.filter((route) => this.#shared.health.isLooking(route)).length,
      maybeClaimed: this.#lostClaims.maybeClaimed + this.#deliveries.lapsed,
      starved: this.#select.isStarved,
      doubts: [...this.#intake.doubts.reasons, ...this.#context.scope.doubts],
      circlesEnded: this.#acknowledgements.circlesEnded,
    }
  }

  /** @param state what keeps the state directory from being used, for people. */
  readiness(state: string | undefined): Readiness {
    const { stopping, terms } = this.#context
    const { doubts, paused } = this.snapshot()
    const trouble = terms.trouble ?? this.#poller.trouble
    return readiness({
      isStopping: stopping.aborted,
      hasPolled: this.#poller.hasPolled,
      trouble,
      doubts,
      state,
      paused,
    })
  }

  liveness(): Liveness {
    const { clock, pulses } = this.#context
    const slots = this.#shared.capacity.taken
    const allStuckSince =
      slots === undefined ? undefined : this.#deliveries.allStuckSince(slots, this.#reruns.stuckSince)
    return liveness({ now: clock.now(), expected: pulses.expected, allStuckSince })
  }

  #polled(taken: Taken): void {
    const { ledger, stopping } = this.#context
    if (!stopping.aborted) this.#reruns.start()
    if (taken.isWhole && !this.#select.isStarved) void ledger.sightings.looked(this.#parked.ids)
    if (!taken.isMore) this.#looked(taken.sentAt)
  }

  /** Everything that the inbox has was looked at, as far as may be: what it gave of paused routes is here. */
  #looked(sentAt: number): void {
    for (const route of this.#shared.health.paused)
      if (!this.#deliveries.isComing(route)) this.#shared.health.looked(route, sentAt)
  }

  #pruneLater(): void {
    const { clock, ledger, settings } = this.#context
    this.#cancelPrune = clock.at(clock.now() + PRUNE_EVERY, () => {
      this.#pruneLater()
      void ledger.prune(settings.current.state.keep)
    })
  }
}
