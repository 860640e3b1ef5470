import { after, sleep, steadyOf, systemClock, type Cancel, type Clock } from '../base/clock.ts'
import { asError, EXIT, type ExitCode } from '../base/coded-error.ts'
import { Signal } from '../base/signal.ts'
import { WorkerTransport } from '../clink/worker-transport.ts'
import type { Transport } from '../clink/transport.ts'
import type { Config } from '../config/config.ts'
import { Settings, type Changes } from '../config/settings.ts'
import { compose, type Composed, type ComposeOptions } from './compose.ts'
import type { Router } from '../handlers/route.ts'
import { sessionId } from './session-id.ts'
import { RunLimits, type Ending } from './run-limits.ts'
import { UntilEmpty } from './until-empty.ts'
import type { Membership } from '../ledger/fleet.ts'
import { Ledger } from '../ledger/ledger.ts'
import type { Liveness } from '../worker/liveness/liveness.ts'
import { memoryTables } from '../ledger/memory-tables.ts'
import type { Readiness } from '../worker/liveness/readiness.ts'
import type { Ends } from '../worker/shutdown.ts'
import { Worker } from '../worker/worker.ts'
import type { AdmissionContext } from '../worker/admission/context.ts'

type Given = Pick<ComposeOptions, 'key' | 'emit' | 'boot' | 'groups' | 'runner' | 'around' | 'tasks' | 'watch'>
type Replaceable = Partial<Pick<ComposeOptions, 'transport' | 'clock' | 'random'>>

export interface DaemonParts extends Given, Replaceable {
  /** As it is at the start. */
  readonly config: Config
  /** Says also which routes there are, for the start line. */
  readonly router: Router & { describe(): readonly string[] }
  /** Work the inbox empty and end, after `maxTime` milliseconds at the latest. */
  readonly once?: { readonly maxTime?: number } | undefined
  /** When it ends by itself. */
  readonly ending?: Ending | undefined
  /** What an earlier process remembered, and a place for what this one will. Default: nothing, and memory. */
  readonly state?:
    | {
        readonly ledger: Ledger
        readonly isOurs: boolean
        readonly problem?: () => string | undefined
        readonly fleet?: Pick<Membership, 'name' | 'member'> | undefined
      }
    | undefined
}

/** Timers that were due during a sleep of the machine come about a second after it. */
const COMING_ROUND = 2_000

/** What a stop may take after `maxTime`, and at least where code that holds the event loop let it begin late, in milliseconds. */
const AFTER_MAX_TIME = 5_000
const SHORTEST_STOP = 2_000

/**
 * A worker's life in a process: configuration in, a running worker out. Decides when the process ends and with which code; does
 * not end it itself.
 */
export class Daemon {
  /** It has begun to stop, which may take so many milliseconds. */
  readonly stopping = new Signal<[timeout: number]>()
  /** From now on no log shows this text. */
  readonly masked = new Signal<[value: string]>()
  readonly settings: Settings
  readonly #parts: DaemonParts
  readonly #clock: Clock
  readonly #ended = Promise.withResolvers<ExitCode>()
  /** Resolves when everything has stopped. */
  readonly ended = this.#ended.promise
  /** Ids of clinks whose claims are still held when it has. */
  leftBehind: readonly string[] = []
  readonly worker: Worker
  readonly #composed: Composed
  readonly #once: UntilEmpty | undefined
  readonly #limits: RunLimits
  readonly ledger: Ledger
  /** What it is called at the service. */
  readonly session: string
  readonly #transport: Transport
  readonly #closeTransport: () => void = () => {}
  readonly #totals = { completed: 0, released: 0, deadLettered: 0, lost: 0 }
  #cancelMaxTime: Cancel = () => {}
  #goneBy = Infinity
  #isReady = false
  #exit: ExitCode | undefined
  #stopping: Promise<void> | undefined

  /** @throws {CodedError} KEY_MISSING or KEY_MALFORMED, before any request. */
  constructor(parts: DaemonParts) {
    this.#parts = parts
    this.settings = new Settings(this.#asOnce(parts.config))
    this.#clock = parts.clock ?? systemClock()
    this.ledger = parts.state?.ledger ?? this.#ledgerInMemory()
    this.session = sessionId(parts.config.clink.session, this.ledger, parts.state?.isOurs ?? true)
    if (parts.transport === undefined) {
      const { proxy, url } = parts.config.clink
      const own = new WorkerTransport({ url, proxy, clock: this.#clock })
      this.#closeTransport = () => own.close()
      this.#transport = own
    } else {
      this.#transport = parts.transport
    }
    const ends: Ends = { stopping: new AbortController(), closing: new AbortController() }
    this.#composed = this.#compose(ends)
    const { context } = this.#composed
    const { ending = {} } = parts
    this.worker = new Worker({ context, ends, isOnce: parts.once !== undefined, most: ending.clinks })
    this.#limits = new RunLimits({ ...context, ending, worker: this.worker, end: (why) => void this.stop(why) })
    this.#listen(context)
    if (parts.once !== undefined) this.#once = this.#makeOnce(context)
  }

  start(): void {
    const { once, router, state } = this.#parts
    const routes = router.describe()
    const { clink, concurrency } = this.settings.current
    const proxy = clink.proxy === undefined ? {} : { proxy: clink.proxy.address }
    const of = state?.fleet && { fleet: state.fleet.name, member: state.fleet.member }
    this.#parts.emit({ event: 'worker.started', session: this.session, concurrency, routes, ...of, ...proxy })
    if (once?.maxTime !== undefined) {
      this.#cancelMaxTime = after(this.#clock, once.maxTime, () => void this.stop('--max-time is over'))
      this.#goneBy = this.#steadyNow + once.maxTime + AFTER_MAX_TIME
    }
    this.#once?.start()
    this.#limits.start()
    const resume = (this.#parts.state?.isOurs ?? true) && this.#isSameOwner()
    this.worker.start(resume).catch((error: unknown) => this.fail('start', asError(error)))
  }

  /**
   * Drains and ends. Resolves when it has; a second call waits for the first.
   *
   * @param exit what the process is to exit with where nothing else has gone wrong. Default: 0.
   */
  async stop(reason: string, exit?: ExitCode): Promise<void> {
    if (this.#stopping === undefined) {
      this.#exit ??= exit
      this.#stopping = this.#stop(reason)
    }
    await this.#stopping
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined
  }

  /** Skips what is left of a drain: aborts what runs and releases it. */
  hurry(): void {
    this.worker.hurry()
  }

  /** A fault outside the worker, as an uncaught error: says so, releases what is held, and ends with 70. */
  fail(part: string, error: Error): void {
    this.#parts.emit({ event: 'worker.failed', part, error })
    this.#exit = EXIT.internal
    this.worker.fault()
    void this.stop(`the ${part} failed`)
  }

  /** Looks for a clink again that was given up until now. */
  retried(clinkId: string): void {
    this.worker.giveBack(clinkId).catch((error: unknown) => this.fail('release', asError(error)))
  }

  /** By which another key is used for new claims, once the service has said that it may be ours. */
  get keyChange(): Composed['keyChange'] {
    return this.#composed.keyChange
  }

  /** Other handlers are in use. */
  rerouted(): void {
    this.worker.rerouted()
  }

  /** Another configuration is to be used, as far as that goes without a restart. @returns what differs, and when that takes effect. */
  change(next: Config): Changes {
    return this.settings.change(this.#asOnce(next))
  }

  snapshot() {
    return this.worker.snapshot()
  }

  readonly gauges = () => this.worker.gauges()

  /** Whether its loops make progress. */
  readonly liveness = (): Liveness => this.worker.liveness()

  /**
   * As `liveness`, for whoever would end the process: what is late because the machine slept, or because a handler did not let go,
   * is given a moment to come round.
   */
  async settledLiveness(): Promise<Liveness> {
    const first = this.liveness()
    if (first.alive) return first
    await sleep(this.#clock, COMING_ROUND)
    return this.liveness()
  }

  /** Whether it takes work. */
  readiness(): Readiness {
    return this.worker.readiness(this.#parts.state?.problem?.())
  }

  /** What happened since the start. */
  totals() {
    return { ...this.#totals }
  }

  async #stop(reason: string): Promise<void> {
    const left = Math.max(SHORTEST_STOP, this.#goneBy - this.#steadyNow)
    const timeout = Math.min(this.settings.current.shutdown.timeout, left)
    this.#cancelMaxTime()
    this.#once?.stop()
    this.#limits.stop()
    const { running, queued, held, parked } = this.worker.snapshot()
    this.stopping.say(timeout)
    this.#parts.emit({ event: 'worker.stopping', reason, running, queued, held, parked, timeout })
    const [leftBehind] = await Promise.all([this.worker.stop(timeout), this.#composed.keyChange.stop()])
    this.leftBehind = leftBehind
    await this.#composed.context.runner.stop?.()
    this.#parts.emit({ event: 'worker.stopped', ...this.#totals, leftBehind })
    this.#closeTransport()
    const exit = this.#exit ?? this.#once?.exit(this.#totals.deadLettered) ?? EXIT.ok
    this.#ended.resolve(leftBehind.length > 0 && exit === EXIT.ok ? EXIT.internal : exit)
  }

  /** A wall clock that is set shortens no stop. */
  get #steadyNow(): number {
    return steadyOf(this.#clock).now()
  }

  #ledgerInMemory(): Ledger {
    return new Ledger(
      memoryTables(),
      undefined,
      () => this.#clock.wall(),
      () => this.#steadyNow,
    )
  }

  /** To work the inbox empty, each look must be at all of it. */
  #asOnce(config: Config): Config {
    return this.#parts.once === undefined ? config : { ...config, poll: { ...config.poll, sweep: 0 } }
  }

  #makeOnce(context: AdmissionContext): UntilEmpty {
    return new UntilEmpty({
      context,
      worker: this.worker,
      end: (exit, why) => {
        const state = exit === EXIT.busy ? this.#parts.state?.problem?.() : undefined
        void this.stop(state ?? why, exit === EXIT.ok ? undefined : exit)
      },
    })
  }

  #listen({ keys, signals, stopping }: AdmissionContext): void {
    signals.crashed.on((part, error) => this.fail(part, error))
    signals.masked.on((value) => this.masked.say(value))
    signals.notReady.on((why) => {
      this.#isReady = false
      if (!stopping.aborted) this.#parts.emit({ event: 'worker.notReady', ...why })
    })
    signals.deadLettered.on(() => (this.#totals.deadLettered += 1))
    signals.settled.on((_, { is }) => {
      if (is === 'completed' || is === 'released' || is === 'lost') this.#totals[is] += 1
    })
    signals.polled.on(() => {
      if (this.#isReady || stopping.aborted || keys.refusal !== undefined || !this.readiness().ready) return
      this.#parts.emit({ event: 'worker.ready' })
      this.#isReady = true
    })
  }

  #compose({ closing, stopping }: Ends): Composed {
    const { random = Math.random } = this.#parts
    return compose({
      ...this.#parts,
      settings: this.settings,
      session: this.session,
      transport: this.#transport,
      ledger: this.ledger,
      clock: this.#clock,
      random,
      stopping: stopping.signal,
      closing: closing.signal,
    })
  }

  /** Claims of another owner cannot be held on to: they run out. */
  #isSameOwner(): boolean {
    const { identity } = this.settings.current.clink
    const before = this.#composed.formerIdentity
    if (before !== undefined) this.#parts.emit({ event: 'worker.identityReplaced', identity, before })
    return before === undefined
  }
}
