import type { Cancel } from '../base/clock.ts'
import { asError } from '../base/coded-error.ts'
import type { Deliveries } from './delivery/deliveries.ts'
import type { InboxList } from './claiming/inbox-watch.ts'
import { liveness, type Liveness } from './liveness/liveness.ts'
import type { Expected } from './liveness/pulses.ts'
import type { Pauses } from './capacity/pauses.ts'
import { readiness, type Readiness } from './liveness/readiness.ts'
import { cancel, type Cancelled } from './cancel.ts'
import { Drain } from './drain.ts'
import { report, type WorkerReport } from './report.ts'
import { Shutdown, type Ends } from './shutdown.ts'
import type { Taken } from './signals.ts'
import { Startup } from './startup.ts'
import type { AdmissionContext } from './admission/context.ts'
import { makeParts, type WorkerParts } from './parts.ts'

export interface WorkerOptions {
  readonly context: AdmissionContext
  readonly ends: Ends
  /** It ends when the inbox is empty. */
  readonly isOnce: boolean
  /** It takes so many clinks in all. */
  readonly most?: number | undefined
}

const PRUNE_EVERY = 3_600_000

/**
 * The heart: claims what can start, has it run, and sees to it that every claim ends. Owns the deliveries, the slots and the
 * parked claims; the poller brings in, the intake decides, a delivery does the rest.
 */
export class Worker {
  readonly #context: AdmissionContext
  readonly #parts: WorkerParts
  readonly #startup: Startup
  readonly #shutdown: Shutdown
  readonly drain: Drain
  #cancelPrune: Cancel = () => {}

  constructor(options: WorkerOptions) {
    const { context, ends, isOnce, most } = options
    this.#context = context
    const parts = (this.#parts = makeParts(context, isOnce, most))
    // And the wait until the next poll may be another one.
    context.settings.changed.on(() => this.rerouted())
    context.signals.unpaused.on(() => this.rerouted())
    context.signals.polled.on((taken) => this.#polled(taken))
    context.signals.narrowed.on(() => {
      // Said with the first of them: the others come in the same turn, or while it runs.
      if (parts.shared.capacity.suspects > 1) return
      context.signals.notReady.say({ reason: this.#whyNarrow ?? '', advice: ALONE_ADVICE })
    })
    context.signals.answered.on(() => {
      this.#answered()
      // The inbox gives a paused route none.
      this.#looked(context.clock.now())
    })
    context.signals.settled.on(({ clink_id: id }, { is }) => {
      if (is === 'completed' || is === 'elsewhere') parts.intake.notices.forget(id)
    })
    parts.inboxWatch.shown.on((ids, at) => {
      parts.intake.notices.looked((id) => ids.has(id) || parts.parked.has(id), at)
    })
    // It tells no more about fresh clinks than a look that brings none.
    context.signals.failed.on(() => this.#looked(context.clock.now()))
    this.#startup = new Startup(parts)
    this.drain = new Drain(parts)
    this.#shutdown = new Shutdown({ ...parts, startup: this.#startup, ends })
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
    // The process before this one may have had another configuration.
    if (this.#parts.parked.size > 0) this.#giveBackWanted()
  }

  get pauses(): Pauses {
    return this.#parts.shared.pauses
  }

  /** It has taken as many clinks as it takes in all. */
  get isFull(): boolean {
    return this.#parts.quota.left === 0
  }

  /** Why an operator wants nothing claimed, for people; undefined: none does. */
  get whyHeld(): string | undefined {
    return this.pauses.why(this.#context.router.routes)
  }

  report(): WorkerReport {
    return report(this.#parts)
  }

  get isStopping(): boolean {
    return this.#context.stopping.aborted
  }

  /** @param reason for people: who wants it, and why. */
  cancel(clinkId: string, to: 'release' | 'reject', reason: string): Cancelled {
    return cancel(clinkId, to, reason, this.#parts.deliveries)
  }

  /** Routes, or the configuration, are others now: what was left alone may be wanted, also what is parked. */
  rerouted(): void {
    this.#parts.shared.health.rerouted()
    this.pauses.rerouted()
    this.#lookAgain()
    this.#giveBackWanted()
  }

  #giveBackWanted(): void {
    const { intake, parked } = this.#parts
    const { crashed } = this.#context.signals
    parked
      .giveBackIf(async (clink) => await intake.judging.isWanted(clink))
      .then((isAny) => isAny && this.#lookAgain())
      .catch((error: unknown) => crashed.say('release', asError(error)))
  }

  /** Another worker is gone. @param ago milliseconds for which it has surely made no claim longer. */
  departed(ago: number): void {
    this.#context.signals.departed.say(ago)
  }

  /**
   * The clink is no longer given up: a claim on it that is parked is released, so that it comes back at once. One that can come back no
   * more is run again without a claim.
   */
  async giveBack(clinkId: string): Promise<void> {
    this.#parts.reruns.add(clinkId)
    if (this.#context.ledger.letters.has(clinkId)) return
    this.#parts.intake.notices.forget(clinkId)
    await this.#parts.parked.giveBack(clinkId)
    this.#lookAgain()
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

  /** What is in hand at one moment. */
  snapshot() {
    const { acknowledgements, deliveries, intake, lostClaims, parked, reruns, shared, undecided, ways } = this.#parts
    const count = (state: Parameters<Deliveries['in']>[0]): number => deliveries.in(state).length
    const { health } = shared
    return {
      running: count('running'),
      queued: count('waiting') + undecided.ids.length,
      held: count('backingOff'),
      settling: count('settling'),
      parked: parked.size,
      /** How many clinks were left alone since no route takes them. */
      unrouted: intake.notices.unrouted,
      stuck: deliveries.stuck + reruns.stuckSince.length,
      /** Clinks that are run again by hand, without a claim. */
      rerunning: reruns.size,
      /** Names of routes that are paused because all fails there. */
      paused: health.paused.map(({ name }) => name),
      /** How many of them wait to see whether the inbox has a clink for their next probe. */
      probing: health.paused.filter((route) => health.isLooking(route)).length,
      /** How many clinks may be claimed though none of them is in hand: by lost answers, or by claims that ran out here. */
      maybeClaimed: lostClaims.maybeClaimed + deliveries.lapsed,
      /** Clinks may be out of reach, by the service's order of the inbox or by claims that run out too soon. */
      starved: ways.isStarved,
      /** What cannot be told about clinks that wait, so that none of them is worked, for people. */
      doubts: [...intake.doubts.reasons, ...this.#context.scope.doubts],
      /** Circles of workers that were ended here. */
      circlesEnded: acknowledgements.circlesEnded,
    }
  }

  /** What is measured beside what `snapshot` says. */
  gauges() {
    const { inboxWatch, reruns, shared } = this.#parts
    const { ledger, router, settings } = this.#context
    return {
      slots: settings.current.concurrency,
      inFlight: shared.capacity.holders + reruns.running.length,
      deadLetters: ledger.letters.count,
      isJournalWritable: ledger.isHealthy,
      /** Operators want nothing to be claimed. */
      isPaused: this.whyHeld !== undefined,
      /** Whether each route is paused since all fails there. */
      circuits: router.routes.map((route) => ({ route: route.name, isOpen: shared.health.isPaused(route) })),
      inbox: inboxWatch.count,
    }
  }

  /** What waits in the inbox, as far as it is known; asking keeps it known. */
  get inbox(): InboxList | undefined {
    return this.#parts.inboxWatch.list
  }

  /** Resolves when a look at what waits in the inbox that is due has been made, or cannot be made. */
  async lookAtInbox(): Promise<void> {
    await this.#parts.inboxWatch.looked()
  }

  /** What its loops do, and by when they mean to have got further. */
  get loops(): readonly Expected[] {
    return this.#context.pulses.expected
  }

  /** @param state what keeps the state directory from being used, for people. */
  readiness(state: string | undefined): Readiness {
    const { stopping, terms } = this.#context
    const { doubts, paused } = this.snapshot()
    const { poller, shared, unsent } = this.#parts
    const { capacity } = shared
    const { hasPolled } = poller
    const full = capacity.taken === undefined ? undefined : unsent.trouble
    const trouble = terms.trouble ?? poller.trouble ?? this.#whyNarrow ?? full
    const held = this.whyHeld
    return readiness({ isStopping: stopping.aborted, hasPolled, held, trouble, doubts, state, paused })
  }

  /** Why nothing is claimed though all is well, for people. */
  get #whyNarrow(): string | undefined {
    const { suspects } = this.#parts.shared.capacity
    return suspects === 0 ? undefined : this.#context.crashWatch.why(suspects)
  }

  liveness(): Liveness {
    const { clock, pulses } = this.#context
    const { capacity } = this.#parts.shared
    // What is saved for a clink that takes several is not free.
    const slots = this.#parts.select.areSaved ? capacity.holders : capacity.taken
    const allStuckSince =
      slots === undefined ? undefined : this.#parts.deliveries.allStuckSince(slots, this.#parts.reruns.stuckSince)
    const allStuckFor = allStuckSince === undefined ? undefined : clock.now() - allStuckSince
    return liveness({ expected: pulses.expected, allStuckFor, lockedOutFor: this.#parts.poller.lockedOutFor })
  }

  #lookAgain(): void {
    this.#context.signals.look.say('everything')
  }

  #answered(): void {
    if (!this.#context.stopping.aborted) this.#parts.reruns.start()
  }

  #polled(taken: Taken): void {
    const { ledger } = this.#context
    this.#answered()
    if (taken.isWhole && !this.#parts.select.isStarved) void ledger.sightings.looked(this.#parts.parked.ids)
    if (!taken.isMore) this.#looked(taken.sentAt)
  }

  /**
   * Everything that the inbox has was looked at, as far as may be: what it gave of paused routes is here, unless it waits for its place. Then
   * the look has not brought none.
   */
  #looked(sentAt: number): void {
    const { deliveries, select, shared } = this.#parts
    for (const route of shared.health.paused)
      if (!deliveries.isComing(route) && !select.waitsForPlace(route)) shared.health.looked(route, sentAt)
  }

  #pruneLater(): void {
    const { clock, ledger, settings } = this.#context
    this.#cancelPrune = clock.at(clock.now() + PRUNE_EVERY, () => {
      this.#pruneLater()
      void ledger.prune(settings.current.state.keep)
    })
  }
}

const ALONE_ADVICE =
  'nothing is to be done about it: claiming goes on by itself, and `clink-worker status` says how many are left'
