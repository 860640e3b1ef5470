import { sleep, type Cancel } from '../base/clock.ts'
import type { ClinkApiError } from '../clink/errors.ts'
import { Batch } from './batch.ts'
import { claimingMode, type ClaimingMode, type Taken } from './claiming.ts'
import type { WorkerContext } from './context.ts'
import type { DeliveryShared } from './delivery-shared.ts'
import { DeliverySet } from './delivery-set.ts'
import { holdOn } from './hold-on.ts'
import { Intake } from './intake.ts'
import { liveness, type Liveness } from './liveness.ts'
import { Acknowledgements } from './acknowledgements.ts'
import { Parked } from './parked.ts'
import { Poller } from './poller.ts'
import { Reruns } from './reruns.ts'
import { RouteHealth } from './route-health.ts'
import { RunRegister } from './run-register.ts'
import { Select } from './select.ts'
import { Slots } from './slots.ts'
import { Standstill } from './standstill.ts'
import { endSurvivors } from './survivors.ts'
import { TakeUp } from './take-up.ts'

export interface WorkerOptions {
  readonly context: WorkerContext
  /** Ends the time for stopping: `context.closing` aborts with it. */
  readonly closing: AbortController
  readonly polled: (taken: Taken) => void
  /** What the configuration asks for may not be done, and nothing will be claimed. */
  readonly blocked: () => void
  readonly failed: (error: ClinkApiError, failures: number) => void
  /** A delivery has ended. */
  readonly settled: () => void
  /** A part of the heart broke: whoever owns the worker stops it and ends the process. */
  readonly crashed: (part: string, error: Error) => void
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
  /** How many clinks lost answers may have claimed. */
  readonly maybeClaimed: number
  /** Names of routes that are paused because all fails there. */
  readonly paused: readonly string[]
  /** The service's order of the inbox may keep clinks out of reach. */
  readonly starved: boolean
}

const PRUNE_EVERY = 3_600_000

/** How many clinks may be held, as a multiple of the concurrency: more would starve fresh ones of attention. */
const HELD_PER_SLOT = 4
/** The part of the time for stopping that the poll on its way may take before anything is given back, and the most. */
const POLL_PART = 0.25
const LONGEST_POLL = 2_000
/** The part of the time for stopping that is kept for telling Clink, and the most that it may be. */
const SETTLE_PART = 0.25
const LONGEST_SETTLE = 3_000

/**
 * The heart: claims what can start, has it run, and sees to it that every claim ends. Owns the deliveries, the slots and the
 * parked claims; the poller brings in, the intake decides, a delivery does the rest.
 */
export class Worker {
  readonly #context: WorkerContext
  readonly #options: WorkerOptions
  readonly #shared: DeliveryShared
  readonly #deliveries: DeliverySet
  readonly #parked: Parked
  readonly #acknowledgements: Acknowledgements
  readonly #slots: Slots
  readonly #intake: Intake
  readonly #poller: Poller
  readonly #takeUp: TakeUp
  readonly #select: Select
  readonly #reruns: Reruns
  readonly #hurried = new AbortController()
  #cancelPrune: Cancel = () => {}
  #stopped: Promise<readonly string[]> | undefined
  #faulted: Promise<void> | undefined

  constructor(options: WorkerOptions) {
    const { context, crashed, settled } = options
    this.#options = options
    this.#context = context
    this.#slots = new Slots(context.config.concurrency, () => this.#poller.slotFreed())
    this.#deliveries = new DeliverySet(() => {
      settled()
      this.#poller.slotFreed()
    })
    const shared: DeliveryShared = (this.#shared = {
      context,
      slots: this.#slots,
      runs: new RunRegister(new Standstill(context.clock, context.emit)),
      health: new RouteHealth({
        clock: context.clock,
        random: context.random,
        emit: context.emit,
        // What was listed while the route was paused is not new any more.
        onChange: () => {
          this.#select.sweepSoon()
          this.#poller.slotFreed()
        },
      }),
      memory: { asksLength: true, timesAbsent: false, refusalSaid: false },
      mayHold: () => this.#deliveries.in('holding').length < context.config.concurrency * HELD_PER_SLOT,
      crashed,
    })
    this.#reruns = new Reruns({
      ...shared,
      settled: async (clinkId) => await this.#deliveries.holding(clinkId)?.settled,
      onEnd: () => {
        settled()
        this.#poller.slotFreed()
      },
    })
    this.#parked = new Parked(context)
    this.#acknowledgements = new Acknowledgements(shared, this.#parked)
    const parts = { acknowledgements: this.#acknowledgements, deliveries: this.#deliveries, parked: this.#parked }
    this.#intake = new Intake(shared, parts)
    this.#takeUp = new TakeUp(shared, this.#intake, {
      hasRoom: () => this.#room() > 0,
      onEnd: () => this.#poller.slotFreed(),
    })
    this.#select = new Select(shared, this.#intake, this.#takeUp)
    this.#poller = new Poller({
      context,
      capacity: () => this.#room() - this.#takeUp.maybeClaimed,
      mode: () => this.#mode(),
      ways: { batch: new Batch(context, this.#intake, this.#takeUp), select: this.#select },
      polled: (taken) => {
        if (this.#stopped === undefined) this.#reruns.start()
        if (!taken.isMore && !this.#select.isStarved) void context.ledger.sightings.looked()
        options.polled(taken)
      },
      blocked: options.blocked,
      failed: options.failed,
      crashed: (error) => crashed('poll loop', error),
    })
  }

  /**
   * Holds on to what an earlier process held, then polls.
   *
   * @param resume false: the claims that the ledger knows are another worker's.
   */
  async start(resume = true): Promise<void> {
    const { clock, crashWatch, ledger, pulses } = this.#context
    const starting = pulses.begin()
    starting.expect('start', clock.now())
    const claims = ledger.heldClaims()
    await ledger.prune(this.#context.config.state.keep)
    this.#pruneLater()
    // In one commit: a crash right after it is none of what was running before.
    const noted = claims.map(async (claim) => await ledger.holdClaim({ ...claim, running: false }))
    const inHand = [...claims, ...this.#reruns.left]
    await Promise.all([crashWatch.begin(inHand, resume), ...noted, this.#reruns.restore(resume)])
    endSurvivors(this.#shared.runs, this.#context, resume)
    const parts = { shared: this.#shared, deliveries: this.#deliveries, parked: this.#parked }
    if (resume) await holdOn(claims, { ...parts, signal: this.#intake.hurried })
    else await Promise.all(claims.map(({ clink }) => ledger.dropClaim(clink.clink_id)))
    if (this.#stopped === undefined) this.#poller.start()
    starting.end()
  }

  /**
   * The clink is no longer given up: a claim on it that is parked is released, so that it comes back at once. One that can come back no
   * more is run again without a claim.
   */
  async giveBack(clinkId: string): Promise<void> {
    this.#reruns.add(clinkId)
    if (this.#context.ledger.isGivenUp(clinkId)) return
    await this.#parked.giveBack(clinkId)
    this.#select.sweepSoon()
    this.#poller.wake()
  }

  /** Another key is current: looks at everything now, whatever the service said and showed to the one before. */
  retry(): void {
    this.#select.sweepSoon()
    this.#poller.retry()
  }

  /** Polls now rather than later. */
  wake(): void {
    this.#poller.wake()
  }

  /**
   * Stops taking, gives back what waits, lets what runs finish for `shutdown.drain`, then aborts it, tells Clink about every
   * outcome, and releases the rest, all within `shutdown.timeout`.
   *
   * @returns ids of clinks whose claims are still held: the service did not take their settlement in time.
   */
  async stop(): Promise<readonly string[]> {
    this.#stopped ??= this.#stop()
    return await this.#stopped
  }

  /** A fault ends the process, be it while it stops: the next start counts it as a crash. The worker is to be stopped. */
  fault(): void {
    this.#faulted ??= this.#noteFault()
    this.hurry()
  }

  /** Skips what is left of the drain. */
  hurry(): void {
    this.#hurried.abort()
  }

  snapshot(): Snapshot {
    const count = (state: Parameters<DeliverySet['in']>[0]): number => this.#deliveries.in(state).length
    return {
      running: count('running'),
      queued: count('claimed'),
      held: count('holding'),
      settling: count('settling'),
      parked: this.#parked.size,
      stuck: this.#deliveries.stuck + this.#reruns.stuckSince.length,
      rerunning: this.#reruns.size,
      paused: this.#shared.health.paused,
      maybeClaimed: this.#takeUp.maybeClaimed,
      starved: this.#select.isStarved,
    }
  }

  liveness(): Liveness {
    const { clock, pulses } = this.#context
    const slots = this.#slots.taken
    const allStuckSince =
      slots === undefined ? undefined : this.#deliveries.allStuckSince(slots, this.#reruns.stuckSince)
    return liveness({ now: clock.now(), expected: pulses.expected, allStuckSince })
  }

  #mode(): ClaimingMode {
    const { clock, config, keys, ledger, router, siblings } = this.#context
    if (keys.refusal !== undefined) return { mode: 'none', isFinal: false, ...keys.refusal }
    const isAllOurs =
      router.takesAll &&
      this.#parked.size === 0 &&
      this.#shared.health.paused.length === 0 &&
      !ledger.hasLeftAlone(clock.wall())
    const { mayClaimById, mayTry } = siblings
    // What a claiming poll takes and parks hides nothing that lies behind it.
    const mode = claimingMode(config, { mayClaimById, mayTry, isAllOurs: isAllOurs || !this.#select.reaches })
    if (config.inbox.claim === 'auto' && !isAllOurs) siblings.want()
    return mode
  }

  /** Slots that neither a delivery uses nor a held one will want before the next poll. */
  #room(): number {
    const { clock, config, ledger, router } = this.#context
    if (!ledger.isHealthy || this.#slots.isNarrow) return 0
    const due = this.#deliveries.dueBy(clock.now() + config.poll.interval)
    const free = config.concurrency - this.#deliveries.busy - due - this.#reruns.busy
    if (!router.routes.every((route) => this.#shared.health.isPaused(route))) return free
    return Math.min(free, router.routes.filter((route) => this.#intake.isOpen(route)).length)
  }

  async #noteFault(): Promise<void> {
    const { runs } = this.#shared
    const ended = [...this.#deliveries.in('lost'), ...this.#deliveries.in('settling')]
    const running = [...this.#deliveries.in('running'), ...ended.filter(({ clink }) => runs.has(clink.clink_id))]
    const claimed = running.map(({ clink, route }) => ({ clink, route: route.name }))
    await this.#context.crashWatch.fault([...claimed, ...this.#reruns.running])
  }

  async #stop(): Promise<readonly string[]> {
    const { clock, config, crashWatch, emit, pulses } = this.#context
    const { drain, timeout } = config.shutdown
    const end = clock.now() + timeout
    const stopping = pulses.begin()
    stopping.expect('stop', end)
    const abortAt = Math.min(clock.now() + drain, end)
    const releaseAt = end - Math.min(timeout * SETTLE_PART, LONGEST_SETTLE)

    this.#cancelPrune()
    this.#intake.close()
    await this.#faulted
    const polled = Promise.all([this.#poller.stop(), this.#takeUp.stop()])
    // A clink that is given back before the poll on its way is answered may be claimed again by it.
    await this.#until(clock.now() + Math.min(timeout * POLL_PART, LONGEST_POLL), polled, this.#hurried.signal)
    this.#intake.hurry()
    for (const delivery of this.#deliveries.live) delivery.drain()
    this.#reruns.drain()
    // Nothing new after this: what a later answer brings is given back as it arrives.
    const admitted = polled.then(async () => await this.#acknowledgements.over())
    const quiet = Promise.all([admitted.then(async () => await this.#parked.close()), this.#parked.close()])
    const all = Promise.all([quiet, this.#deliveries.over(), this.#reruns.over()])

    await this.#until(abortAt, all, this.#hurried.signal)
    const running = this.#deliveries.in('running')
    const count = running.length + this.#reruns.running.length
    if (count > 0) emit({ event: 'worker.aborting', running: count })
    for (const delivery of running) delivery.abort()
    this.#reruns.abort()

    await this.#until(releaseAt, all)
    this.#poller.abandon()
    const abandoned = Promise.all(this.#deliveries.in('running').map(async (delivery) => await delivery.abandon()))
    const rerun = this.#reruns.abandon().then(async () => await this.#reruns.over())
    await this.#until(end, Promise.all([quiet, abandoned, rerun, this.#deliveries.settled()]))
    await (this.#faulted ?? crashWatch.end())
    this.#options.closing.abort()
    stopping.end()
    return [
      ...this.#deliveries.live.map(({ clink }) => clink.clink_id),
      ...this.#acknowledgements.ids,
      ...this.#parked.ids,
    ]
  }

  #pruneLater(): void {
    const { clock, config, ledger } = this.#context
    this.#cancelPrune = clock.at(clock.now() + PRUNE_EVERY, () => {
      this.#pruneLater()
      void ledger.prune(config.state.keep)
    })
  }

  async #until(time: number, work: Promise<unknown>, signal?: AbortSignal): Promise<void> {
    const { clock } = this.#context
    const over = new AbortController()
    const ended = work.then(() => over.abort())
    const signals = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal])
    await Promise.race([ended, sleep(clock, Math.max(0, time - clock.now()), signals)])
    over.abort()
  }
}
