import type { ExitCode } from '../../src/base/coded-error.ts'
import type { Clock } from '../../src/base/clock.ts'
import { Secret } from '../../src/base/secret.ts'
import { WorkerTransport } from '../../src/clink/worker-transport.ts'
import type { Clink } from '../../src/clink/records.ts'
import type { Transport } from '../../src/clink/transport.ts'
import type { Config } from '../../src/config/config.ts'
import { Daemon } from '../../src/daemon/daemon.ts'
import { movableClock } from '../../src/emulator/clock.ts'
import {
  startEmulator,
  type Emulator,
  type EmulatorOptions,
  type FaultAction,
  type FaultHandle,
  type FaultRule,
} from '../../src/emulator/emulator.ts'
import type { WorkerEvent } from '../../src/events.ts'
import { HandlerAborted, type HandleFunction, type HandlerContext } from '../../src/handlers/handler.ts'
import type { Route, Target } from '../../src/handlers/route.ts'
import type { ProcessGroups } from '../../src/runners/process-group.ts'
import type { Runner } from '../../src/runners/runner.ts'
import type { Ledger } from '../../src/ledger/ledger.ts'
import { patientClock, patientDelay } from './patient-time.ts'
import type { Traces } from '../../src/traces/traces.ts'
import { makeConfig, type Settings } from './settings.ts'
import { until } from './until.ts'

export { until }

/** One start of the handler, in the handler's own record. Times are wall milliseconds. */
export interface Run {
  readonly id: string
  readonly content: string
  readonly attempt: number
  readonly start: number
  end?: number
  aborted?: { readonly code: string; readonly at: number }
}

export interface WorkOptions {
  readonly settings?: Settings
  /** Name of a key of the emulator's seed. */
  readonly key?: string
  readonly once?: { readonly maxTime?: number }
  /** Puts something between the worker and the network. */
  readonly wrap?: (inner: Transport) => Transport
  readonly clock?: Clock
  readonly start?: boolean
  /** Throws or answers in place of the one route that takes everything. */
  readonly route?: (clink: Clink) => void
  /** Names of routes: a clink takes the one whose name its text begins with, or the first. Default: one. */
  readonly routes?: readonly string[]
  /** Of all routes. */
  readonly mark?: 'never'
  readonly renewFirst?: true
  /** Which clinks have a route. Default: all. */
  readonly takes?: (clink: Clink) => boolean | Promise<boolean>
  /** That goes by the slugs of groups. */
  readonly namesGroups?: boolean
  /** What an earlier process remembered. */
  readonly ledger?: Ledger
  /** False: another worker wrote it. */
  readonly isOurs?: boolean
  readonly groups?: ProcessGroups
  readonly runner?: Runner
  readonly traces?: Traces | undefined
  /** In place of the handler. */
  readonly target?: Target
  /** The same for routes by their names. */
  readonly targets?: Readonly<Record<string, Target>>
}

export type EventOf<Name extends WorkerEvent['event']> = Extract<WorkerEvent, { event: Name }>

/** Rejects as an obedient handler does when its signal aborts. */
export async function obey(ctx: HandlerContext): Promise<never> {
  return await new Promise<never>((_, reject) => {
    const abort = (): void => reject(ctx.signal.reason instanceof Error ? ctx.signal.reason : new Error('aborted'))
    if (ctx.signal.aborted) abort()
    else ctx.signal.addEventListener('abort', abort)
  })
}

/** Takes so long, and ends at once when aborted. */
export async function take(ms: number, ctx: HandlerContext): Promise<void> {
  await patientDelay(ms, ctx.signal)
}

/** A worker in this process with a record of what its handler saw. */
export class Station {
  readonly daemon: Daemon
  readonly events: WorkerEvent[] = []
  readonly runs: Run[] = []
  readonly #transport: WorkerTransport
  /** With which code it ended, once it has. */
  exit: ExitCode | undefined
  /** The largest number of handlers that ran at the same time. */
  mostRunning = 0
  #running = 0
  readonly #time: Clock

  /** Its records go by `time`, as its worker does if it is given no clock of its own. */
  constructor(emulator: Emulator, time: Clock, handle: HandleFunction, options: WorkOptions) {
    const config = makeConfig(emulator.url, options.settings)
    const { clock = time } = options
    this.#time = time
    this.#transport = new WorkerTransport({ url: config.clink.url, clock })
    this.daemon = new Daemon({
      config,
      key: new Secret(keyOf(emulator, options.key)),
      router: this.#router(config, handle, options),
      emit: (event) => {
        this.events.push(event)
        options.traces?.note(event)
      },
      watch: options.traces?.request,
      around: options.traces?.around,
      transport: options.wrap?.(this.#transport) ?? this.#transport,
      clock,
      ...(options.once === undefined ? {} : { once: options.once }),
      ...(options.ledger === undefined ? {} : { state: { ledger: options.ledger, isOurs: options.isOurs ?? true } }),
      ...(options.groups === undefined ? {} : { groups: options.groups }),
      ...(options.runner && { runner: options.runner }),
    })
    void this.daemon.ended.then((exit) => (this.exit = exit))
  }

  runsOf(id: string): readonly Run[] {
    return this.runs.filter((run) => run.id === id)
  }

  all<Name extends WorkerEvent['event']>(name: Name, id?: string): EventOf<Name>[] {
    const has = (event: WorkerEvent): event is EventOf<Name> =>
      event.event === name && (id === undefined || ('clink' in event && event.clink.clink_id === id))
    return this.events.filter(has)
  }

  async seen<Name extends WorkerEvent['event']>(name: Name, id?: string, timeout?: number): Promise<EventOf<Name>> {
    await until(() => this.all(name, id).length > 0, `${name} ${id ?? ''}`, timeout)
    const [first] = this.all(name, id)
    if (first === undefined) throw new Error('unreachable')
    return first
  }

  async ended(timeout?: number): Promise<ExitCode> {
    await until(() => this.exit !== undefined, 'the worker ends', timeout)
    return await this.daemon.ended
  }

  async close(): Promise<void> {
    this.daemon.hurry()
    await this.daemon.stop('the test is over')
    this.#transport.close()
  }

  #router(
    config: Config,
    handle: HandleFunction,
    {
      mark,
      renewFirst,
      route: guard,
      routes: names = ['test'],
      takes,
      target,
      targets,
      namesGroups = false,
    }: WorkOptions,
  ) {
    const routes = names.map((name): Route => ({
      name,
      file: name,
      generation: 1,
      target: targets?.[name] ??
        target ?? { is: 'module', handle: async (clink, ctx) => await this.#record(clink, ctx, handle) },
      with: {},
      timeout: config.handlers.timeout,
      retry: config.retry,
      ...(mark && { mark }),
      ...(renewFirst && { renewFirst }),
    }))
    return {
      generation: 1,
      namesGroups,
      takesAll: takes === undefined,
      routes,
      find: (clink: Clink) => {
        guard?.(clink)
        const route = routes.find(({ name }) => clink.content.startsWith(name)) ?? routes[0]
        if (route === undefined) return undefined
        const routed = { route, match: { route: route.name, text: '', groups: {} } }
        const isTaken = takes?.(clink) ?? true
        if (isTaken instanceof Promise) return isTaken.then((is) => (is ? routed : undefined))
        return isTaken ? routed : undefined
      },
      describe: () => names,
    }
  }

  async #record(clink: Clink, ctx: HandlerContext, handle: HandleFunction) {
    const run: Run = { id: clink.clink_id, content: clink.content, attempt: ctx.attempt, start: this.#time.wall() }
    this.runs.push(run)
    this.#running += 1
    this.mostRunning = Math.max(this.mostRunning, this.#running)
    ctx.signal.addEventListener('abort', () => {
      const code = ctx.signal.reason instanceof HandlerAborted ? ctx.signal.reason.code : 'no code'
      run.aborted = { code, at: this.#time.wall() }
    })
    try {
      return await handle(clink, ctx)
    } finally {
      run.end = this.#time.wall()
      this.#running -= 1
    }
  }
}

/** An emulator of its own for one test, and the workers on it. `await using` closes all of it. */
export class Bench implements AsyncDisposable {
  readonly emulator: Emulator
  readonly clock: Clock
  readonly #stations: Station[] = []

  constructor(emulator: Emulator, clock: Clock) {
    this.emulator = emulator
    this.clock = clock
  }

  /** By patient time; a test that blocks the event loop needs the machine's clock. */
  static async open(options: EmulatorOptions = {}, clock = patientClock()): Promise<Bench> {
    return new Bench(await startEmulator({ clock: movableClock(0, () => clock.wall()), ...options }), clock)
  }

  /** Sends a clink from a member (bob, unless said otherwise) to `ops` and returns its id. */
  send(text: string, options: { from?: string; for?: string } = {}): string {
    return this.emulator.send('ops', text, { from: 'bob', ...options }).clink_id
  }

  sendMany(count: number, options: { from?: string; for?: string } = {}): string[] {
    return Array.from({ length: count }, (_, n) => this.send(`task ${n}`, options))
  }

  fault(where: Omit<FaultRule, 'then'>, what: FaultAction): FaultHandle {
    return this.emulator.addFault({ ...where, then: what })
  }

  work(handle: HandleFunction, options: WorkOptions = {}): Station {
    const station = new Station(this.emulator, this.clock, handle, options)
    this.#stations.push(station)
    if (options.start !== false) station.daemon.start()
    return station
  }

  status(id: string): string | undefined {
    return this.emulator.clink(id)?.status
  }

  async completed(ids: string | readonly string[], timeout?: number): Promise<void> {
    for (const id of [ids].flat()) {
      await until(
        () => this.status(id) === 'completed',
        () => `${id} completed, it is ${this.status(id)}`,
        timeout,
      )
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#stations.map(async (station) => await station.close()))
    await this.emulator.close()
  }
}

function keyOf(emulator: Emulator, name: string | undefined): string {
  const key = name === undefined ? emulator.key : emulator.keys[name]
  if (key === undefined) throw new Error(`the seed has no key ${name}`)
  return key
}
