import type { Boot } from '../../src/base/boot.ts'
import type { Clock } from '../../src/base/clock.ts'
import { asError } from '../../src/base/coded-error.ts'
import { Secret } from '../../src/base/secret.ts'
import {
  TransportError,
  type Transport,
  type TransportFailure,
  type TransportRequest,
  type TransportResponse,
} from '../../src/clink/transport.ts'
import type { Config } from '../../src/config/config.ts'
import type { Changes } from '../../src/config/settings.ts'
import { Daemon } from '../../src/daemon/daemon.ts'
import type { Ending } from '../../src/daemon/run-limits.ts'
import { createEmulator, type Emulator } from '../../src/emulator/emulator.ts'
import type { Switches } from '../../src/emulator/switches.ts'
import type { WorkerEvent } from '../../src/events.ts'
import type { HandlerContext } from '../../src/handlers/handler.ts'
import type { Limits, Route } from '../../src/handlers/route.ts'
import type { Clink } from '../../src/clink/records.ts'
import type { Fleet } from '../../src/ledger/fleet.ts'
import { Ledger, type LedgerTables } from '../../src/ledger/ledger.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { Chance } from '../simulation/chance.ts'
import { VirtualTime } from '../simulation/virtual-time.ts'
import { makeConfig, type Settings } from './settings.ts'

/** What becomes of one request: `hang` until its timeout; `deaf`: for good, as if the timeout were broken; or an answer. */
export type Weather = 'hang' | 'deaf' | 'reset' | TransportResponse

/** One request as it was sent. */
export interface Sent {
  readonly path: string
  readonly at: number
}

export interface VirtualOptions {
  readonly settings?: Settings
  /** Nobody listens to its events. */
  readonly isSilent?: boolean
  /** After so many milliseconds a timer looks whether the machine slept. Default: never. */
  readonly longestTimer?: number
  readonly switches?: Partial<Switches>
  /** Undefined: it reaches the service. */
  readonly weather?: (request: TransportRequest, now: number) => Weather | undefined
  /** Stands between the worker and the service, and may change what is answered. */
  readonly spoil?: (inner: Transport) => Transport
  /** What an earlier process remembered. Default: nothing. */
  readonly tables?: LedgerTables
  /** With whom it remembers. Default: nobody. */
  readonly fleet?: Fleet
  /** Milliseconds that it takes to find the route of a clink; throws where that fails. Undefined: none. */
  readonly finding?: (clink: Clink, now: number) => number | undefined
  /** Of the route of each clink, but for those that begin with `free`. */
  readonly limits?: Limits
  /** The boot that its processes run in. Default: this machine's, whose time is another one. */
  readonly boot?: (bench: VirtualBench) => Boot
  /** It works the inbox empty. */
  readonly once?: { readonly maxTime?: number }
  /** When it ends by itself. */
  readonly ending?: Ending
  /** Whether what is noted is kept. Default: always. */
  readonly isHealthy?: () => boolean
  readonly handle: (clink: Clink, ctx: HandlerContext, bench: VirtualBench) => Promise<unknown>
}

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
const WALL = Date.UTC(2026, 0, 5, 8)
const LATENCY = 5

/** A worker and an embedded Clink in this process whose time passes as fast as it can be computed. */
export class VirtualBench {
  readonly time = new VirtualTime(new Chance(1))
  readonly emulator: Emulator
  daemon: Daemon
  readonly ledger: Ledger
  readonly events: WorkerEvent[] = []
  readonly sent: Sent[] = []
  /** What is added to the wall clock. */
  wallJump = 0
  /** Milliseconds for which the machine slept. */
  slept = 0
  /** Other handlers are in use from now on. @param changed what is other of the one route. */
  reload: (changed: Partial<Route>) => void = () => {}
  readonly #options: VirtualOptions
  readonly #longestTimer: number
  readonly #random: () => number

  constructor(options: VirtualOptions) {
    this.#options = options
    this.#longestTimer = options.longestTimer ?? Infinity
    const chance = new Chance(2)
    const random = (): number => chance.next()
    let moved = 0
    const clock = { now: () => WALL + this.time.now + moved, move: (ms: number) => void (moved += ms) }
    this.emulator = createEmulator({ clock, random, ...(options.switches && { switches: options.switches }) })
    this.#random = random
    const tables = options.fleet?.tables ?? options.tables ?? memoryTables()
    this.ledger = new Ledger(tables, options.isHealthy, () => this.clock.wall(), undefined, options.fleet)
    this.daemon = this.begin()
  }

  /** Another process on what the one before remembered, which has ended. */
  begin(): Daemon {
    const { handle, once, settings } = this.#options
    const config = configOf(settings)
    const route: Route = {
      name: 'test',
      file: 'test',
      generation: 1,
      target: { is: 'module', handle: async (clink, ctx) => await handle(clink, ctx, this) },
      with: {},
      limits: this.#options.limits,
    }
    const free: Route = { ...route, name: 'free', limits: undefined }
    const router = {
      generation: 1,
      takesAll: true,
      routes: this.#options.limits === undefined ? [route] : [route, free],
      find: (clink: Clink) => {
        const [first = route, ...others] = router.routes
        const taken = others.find(({ name }) => clink.content.startsWith(name)) ?? first
        const found = { route: taken, match: { route: taken.name, text: '', groups: {} } }
        const { finding } = this.#options
        return finding === undefined ? found : this.#find(found, () => finding(clink, this.time.now))
      },
      describe: () => ['test'],
    }
    this.reload = (changed) => {
      router.generation += 1
      router.routes = [{ ...route, ...changed, generation: router.generation }]
      this.daemon.rerouted()
    }
    this.daemon = new Daemon({
      config,
      state: { ledger: this.ledger, isOurs: true },
      key: new Secret(this.emulator.key),
      router,
      emit: this.#options.isSilent === true ? () => {} : (event) => this.events.push(event),
      transport: this.#transport(),
      clock: this.clock,
      random: this.#random,
      ...(once && { once }),
      ending: this.#options.ending,
      boot: this.#options.boot?.(this),
    })
    this.daemon.start()
    return this.daemon
  }

  /** The sections that are given replace those of the start. */
  change(settings: Settings): Changes {
    return this.daemon.change(configOf({ ...this.#options.settings, ...settings }))
  }

  /** As the machine's: a timer that was set before a sleep is late by as much as it looks again. */
  get clock(): Clock {
    const now = (): number => this.time.now + this.slept
    return {
      now,
      wall: () => WALL + now() + this.wallJump,
      at: (time, run) => {
        let cancel = (): void => {}
        const wait = (): void => {
          const left = time - now()
          if (left <= 0) run()
          else cancel = this.time.at(this.time.now + Math.min(left, this.#longestTimer), wait)
        }
        cancel = this.time.at(this.time.now + Math.max(0, Math.min(time - now(), this.#longestTimer)), wait)
        return () => cancel()
      },
    }
  }

  send(text: string): string {
    return this.emulator.send('ops', text, { from: 'bob' }).clink_id
  }

  all<Name extends WorkerEvent['event']>(name: Name): Extract<WorkerEvent, { event: Name }>[] {
    return this.events.filter((event): event is Extract<WorkerEvent, { event: Name }> => event.event === name)
  }

  async pass(ms: number): Promise<void> {
    // A turn at least, for what waits for nothing but that.
    this.time.at(this.time.now, () => {})
    await this.time.runUntil(this.time.now + ms, () => false)
  }

  /** Lets time pass and looks each minute. */
  async watch(ms: number, look: () => void): Promise<void> {
    const end = this.time.now + ms
    while (this.time.now < end) {
      await this.pass(MINUTE)
      look()
    }
  }

  /** A handler's wait. Rejects when its run is aborted. */
  async take(ms: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const cancel = this.time.at(this.time.now + ms, resolve)
      signal.addEventListener('abort', () => {
        cancel()
        reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
      })
    })
  }

  async stop(): Promise<void> {
    this.daemon.hurry()
    void this.daemon.stop('the test is over')
    await this.pass(MINUTE)
  }

  #find<Found>(found: Found, takes: () => number | undefined): Found | Promise<Found> {
    try {
      const ms = takes()
      if (ms === undefined) return found
      return new Promise((resolve) => this.time.at(this.time.now + ms, () => resolve(found)))
    } catch (error) {
      return Promise.reject(asError(error))
    }
  }

  #transport(): Transport {
    const direct = { send: async (request: TransportRequest) => await this.#send(request) }
    return this.#options.spoil?.(direct) ?? direct
  }

  async #send(request: TransportRequest): Promise<TransportResponse> {
    const { now } = this.time
    this.sent.push({ path: request.path, at: now })
    const weather = this.#options.weather?.(request, now)
    if (weather === 'deaf') return await new Promise(() => {})
    return await new Promise<TransportResponse>((resolve, reject) => {
      const fail = (kind: TransportFailure): void => reject(new TransportError(kind, 'maybe', `simulated: ${kind}`))
      const end = Math.min(now + request.timeout, request.deadline ?? Infinity)
      const cancel = this.time.at(end, () => fail('timeout'))
      request.signal?.addEventListener('abort', () => fail('aborted'))
      if (weather === 'hang') return
      this.time.at(now + LATENCY, () => {
        cancel()
        if (weather === 'reset') fail('reset')
        else if (weather !== undefined) resolve(weather)
        else void this.emulator.handle(request).then(resolve, reject)
      })
    })
  }
}

/** As one who starts it would, but for the seconds. */
function configOf(settings: Settings = {}): Config {
  return makeConfig('http://127.0.0.1:1', {
    ...settings,
    clink: { timeout: 30_000, ...settings.clink },
    poll: { interval: 1_000, maxInterval: 15_000, ...settings.poll },
    claim: { timeout: 5 * MINUTE, ...settings.claim },
  })
}

/** An answer of somebody between us and the service. */
export function answer(status: number, headers: Readonly<Record<string, string>> = {}): TransportResponse {
  return { status, headers, body: '{"success":false,"error":"away","message":"away"}' }
}
