import { sleep, steadyOf, type Timeline } from '../base/clock.ts'
import type { WorkerParts } from './parts.ts'
import type { Startup } from './startup.ts'

/** The beginning and the end of the time for stopping: `context.stopping` and `context.closing` abort with them. */
export interface Ends {
  readonly stopping: AbortController
  readonly closing: AbortController
}

export type ShutdownParts = WorkerParts & { readonly startup: Startup; readonly ends: Ends }

/** The part of the time for stopping that the poll on its way may take before anything is given back, and the most. */
const POLL_PART = 0.25
const LONGEST_POLL = 2_000
/** The part of the time for stopping that is kept for telling Clink, and the most that it may be. */
const SETTLE_PART = 0.25
const LONGEST_SETTLE = 3_000
/** What the drain leaves of the time for stopping, and of a time so short that this would be most of it. */
const AFTER_DRAIN = 2_000
const AFTER_DRAIN_PART = 0.5
/** What is killed has so long to be gone: for a program that is a look at all processes. */
const KILLED = 500
/** What handlers have to heed their abort after somebody has asked twice. */
const HURRIED = 2_000

/** The order in which a worker ends. */
export class Shutdown {
  readonly #parts: ShutdownParts
  readonly #hurried = new AbortController()
  /** Clinks whose claims were left to expire since the stop began. */
  readonly #leftToExpire = new Set<string>()
  #stopped: Promise<readonly string[]> | undefined
  #faulted: Promise<void> | undefined

  constructor(parts: ShutdownParts) {
    this.#parts = parts
  }

  /**
   * Stops taking, gives back what waits, lets what runs finish for `shutdown.drain`, then aborts it, tells Clink about every
   * outcome, and releases the rest, all within the time that it has. A second call waits for the first.
   *
   * @param timeout milliseconds that it may take.
   * @returns ids of clinks whose claims are still held: the service did not take their settlement in time, or they are left to expire.
   */
  async stop(timeout: number): Promise<readonly string[]> {
    this.#stopped ??= this.#stop(timeout)
    return await this.#stopped
  }

  /** A fault ends the process, be it while it stops: the next start counts it as a crash. */
  fault(): void {
    this.#faulted ??= this.#noteFault()
    this.hurry()
  }

  /** Skips what is left of the drain. */
  hurry(): void {
    this.#hurried.abort()
  }

  async #noteFault(): Promise<void> {
    const { deliveries, reruns, shared } = this.#parts
    const { context, runs } = shared
    const ended = [...deliveries.in('lost'), ...deliveries.in('settling')]
    const running = [...deliveries.in('running'), ...ended.filter(({ clink }) => runs.has(clink.clink_id))]
    const claimed = running.map(({ clink, route }) => ({ clink, route: route.name }))
    await context.crashWatch.fault([...claimed, ...reruns.running])
  }

  async #stop(timeout: number): Promise<readonly string[]> {
    const { acknowledgements, deliveries, ends, intake, parked, poller, reruns, select, shared } = this.#parts
    const { startup, lostClaims, undecided } = this.#parts
    const { crashWatch, emit, pulses, settings } = shared.context
    const clock = this.#steady
    const { drain } = settings.current.shutdown
    const end = clock.now() + timeout
    const stopping = pulses.begin()
    stopping.expect('stop', timeout)
    const abortAt = end - Math.max(timeout - drain, Math.min(AFTER_DRAIN, timeout * AFTER_DRAIN_PART))
    // Where the drain has left little, handlers have half of that to heed their abort.
    const releaseAt = Math.max(end - Math.min(timeout * SETTLE_PART, LONGEST_SETTLE), (abortAt + end) / 2)

    this.#watchEnds()
    ends.stopping.abort()
    intake.close()
    await this.#faulted
    const polled = Promise.all([startup.over(), poller.stop().then(async () => await select.over()), lostClaims.stop()])
    // A clink that is given back before the poll on its way is answered may be claimed again by it.
    await this.#until(clock.now() + Math.min(timeout * POLL_PART, LONGEST_POLL), polled, this.#hurried.signal)
    intake.hurry()
    undecided.hurry()
    // With that, what is asked about claims of an earlier process ends too: what is held on to by now is given back with the rest.
    await this.#until(abortAt, startup.over())
    for (const delivery of deliveries.live) delivery.drain()
    acknowledgements.drain()
    reruns.drain()
    // Nothing new after this: what a later answer brings is given back as it arrives.
    const acknowledged = polled.then(async () => {
      await undecided.over()
      await acknowledgements.over()
    })
    const quiet = Promise.all([acknowledged.then(async () => await parked.close()), parked.close()])
    const all = Promise.all([quiet, deliveries.over(), reruns.over()])

    await this.#until(abortAt, all, this.#hurried.signal)
    const running = deliveries.in('running')
    const count = running.length + reruns.running.length
    if (count > 0) emit({ event: 'worker.aborting', running: count })
    for (const delivery of running) delivery.abort()
    reruns.abort()

    await this.#until(releaseAt, all, this.#hurried.signal)
    if (this.#hurried.signal.aborted) await this.#until(Math.min(releaseAt, clock.now() + HURRIED), all)
    // It is given back when nothing of it runs, where that can be had.
    const killed = deliveries.in('running').map((delivery) => delivery.kill())
    if (killed.includes(true)) await this.#until(clock.now() + Math.min(KILLED, (end - clock.now()) / 2), all)
    poller.abandon()
    const abandoned = Promise.all(deliveries.in('running').map(async (delivery) => await delivery.abandon()))
    const rerun = reruns.abandon().then(async () => await reruns.over())
    await this.#until(end, Promise.all([quiet, abandoned, rerun, deliveries.settled()]))
    if (shared.capacity.limits.fleet !== undefined) await this.#until(end, shared.capacity.limits.fleet.close())
    // On a slow disk it is written when the journal is closed.
    await this.#until(end, this.#faulted ?? crashWatch.end())
    ends.closing.abort()
    // What surely was not given back is journalled as held, for the next start.
    await this.#until(end, deliveries.settled())
    stopping.end()
    return [...new Set([...this.#held, ...this.#leftToExpire])]
  }

  get #held(): readonly string[] {
    const { acknowledgements, deliveries, parked, startup, undecided } = this.#parts
    const worked = deliveries.live.map(({ clink }) => clink.clink_id)
    return [...worked, ...startup.left, ...undecided.ids, ...acknowledgements.ids, ...parked.ids]
  }

  #watchEnds(): void {
    this.#parts.shared.context.signals.settled.on(({ clink_id: id }, { is }) => {
      if (is === 'left-to-expire') this.#leftToExpire.add(id)
      else this.#leftToExpire.delete(id)
    })
  }

  /** A wall clock that is set meanwhile does not shorten the time for stopping. */
  get #steady(): Timeline {
    return steadyOf(this.#parts.shared.context.clock)
  }

  async #until(time: number, work: Promise<unknown>, signal?: AbortSignal): Promise<void> {
    const { clock } = this.#parts.shared.context
    const over = new AbortController()
    const ended = work.then(() => over.abort())
    const signals = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal])
    await Promise.race([ended, sleep(clock, Math.max(0, time - this.#steady.now()), signals)])
    over.abort()
  }
}
