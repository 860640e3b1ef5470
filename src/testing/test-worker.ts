import { inspect } from 'node:util'
import { formatDuration, parseDuration, type Duration } from '../base/duration.ts'
import { mulberry } from '../emulator/mulberry.ts'
import {
  createEmulator,
  type Emulator,
  type FaultHandle,
  type FaultRule,
  type StoredClink,
  type Switches,
} from '../emulator/emulator.ts'
import type { WorkerEvent } from '../events.ts'
import { memoryTables } from '../ledger/memory-tables.ts'

import { Life, type LifeParts } from './life.ts'
import { Told, type Settled } from './settled.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** A clink that somebody sends to the group `ops`. */
export interface NewClink {
  readonly content: string
  /** Who sends it: `alice`, `bob` or `robot`. Default: `bob`. */
  readonly from?: string
}

/** Virtual time: `10m`, or milliseconds. */
export type Span = Duration | number

/** What follows the end of a process. */
export interface Restart {
  /** How long after its end the next process starts; `never`: none does. Default: `1s`. */
  readonly restartAfter?: Span | 'never'
}

export interface WorldOptions {
  /** Sent before the worker starts. */
  readonly clinks?: readonly (string | NewClink)[] | undefined
  /** How the service behaves where that is not known of Clink; `docs/emulator.md` lists the switches. */
  readonly service?: Partial<Switches> | undefined
  /** What is random follows from this number. Default: 1. */
  readonly seed?: number | undefined
}

/** What the worker has sent: an answer to a clink, or progress by `ctx.reply`. */
export interface SentClink {
  readonly content: string
  /** Id of the member that it is for; undefined: it is for the group. */
  readonly to: string | undefined
  /** Id of the clink that it completes. */
  readonly answers: string | undefined
}

/** How long `settled` waits, in virtual milliseconds, where nothing else is said. */
const A_DAY = 86_400_000
/** The group and the members of the embedded Clink. */
const GROUP = 'ops'
const WORKER = 'ap_worker'
const SOMEBODY_ELSE = { by: 'ap_helper', key: 'helper', session: 'somebody-else' }

/** A real worker, with its lives one after the other, on an embedded Clink and virtual time. `testWorker` makes one. */
export class TestWorker implements AsyncDisposable {
  readonly #clock: VirtualClock
  readonly #emulator: Emulator
  readonly #events: WorkerEvent[] = []
  readonly #parts: LifeParts
  readonly #told = new Told(this.#events)
  readonly #ids: string[] = []
  #life: Life
  /** Starts and ends that a test has asked for and that are still to come. */
  #toCome = 0
  #isClosed = false

  constructor(
    parts: Pick<LifeParts, 'clock' | 'config' | 'handlers'>,
    { clinks = [], seed = 1, service }: WorldOptions,
  ) {
    const { clock } = parts
    const random = mulberry(seed)
    this.#clock = clock
    this.#emulator = createEmulator({ clock: { now: () => clock.wall(), move: () => {} }, random, switches: service })
    for (const clink of clinks) this.send(clink)
    const emit = (event: WorkerEvent): void => void this.#events.push(event)
    this.#parts = { ...parts, emit, emulator: this.#emulator, random, tables: memoryTables() }
    this.#life = new Life(this.#parts)
  }

  /** Ids of all clinks that were sent, in order; those that were given at the beginning come first. */
  get ids(): readonly string[] {
    return this.#ids
  }

  /** Milliseconds of virtual time since the beginning. */
  get elapsed(): number {
    return this.#clock.now()
  }

  /** All facts so far, as `docs/events.md` lists them. */
  get events(): readonly WorkerEvent[] {
    return this.#events
  }

  get sent(): readonly SentClink[] {
    const ours = this.#emulator.clinks().filter(({ sender_id: sender }) => sender === WORKER)
    return ours.map(({ answers, content, for: to }) => ({ content, to, answers }))
  }

  /** A clink as the service has it. @param id may be left out where there is one. */
  clink(id?: string): StoredClink {
    const [first, ...others] = id === undefined ? this.#ids : [id]
    if (first === undefined) throw new Error('no clink was sent')
    if (others.length > 0) throw new Error(`which of the ${this.#ids.length} clinks? Give an id of worker.ids`)
    const found = this.#emulator.clink(first)
    if (found === undefined) throw new Error(`there is no clink ${first}`)
    return found
  }

  /** Somebody sends a clink. @returns its id. */
  send(clink: string | NewClink): string {
    const { content, from } = asNewClink(clink)
    const { clink_id: id } = this.#emulator.send(GROUP, content, { from: from ?? 'bob' })
    this.#ids.push(id)
    return id
  }

  /**
   * Lets time pass until a clink has come to its end, as far as this worker goes.
   *
   * @param id may be left out where there is one clink.
   * @throws {Error} where that takes longer than `within`, a day of virtual time by default: says how far the clink is.
   */
  async settled(id?: string, { within = A_DAY }: { readonly within?: Span } = {}): Promise<Settled> {
    const { clink_id: clinkId } = this.clink(id)
    const time = millisecondsOf(within)
    await this.#run(this.#clock.now() + time, () => this.#endOf(clinkId) !== undefined)
    const end = this.#endOf(clinkId)
    const runs = this.#told.runsOf(clinkId)
    if (end === undefined) {
      const { status } = this.clink(clinkId)
      const last = runs.at(-1)
      const run =
        last === undefined ? 'its handler was not started' : `attempt ${last.attempt}: ${last.outcome ?? 'goes on'}`
      throw new Error(
        `${clinkId} has come to no end in ${formatDuration(time)} of virtual time: it is ${status}, ${run}`,
      )
    }
    const [log, steps] = [this.#told.logOf(clinkId), this.#told.stepsOf(clinkId)]
    return { ...end, attempts: runs.length, runs, log, steps }
  }

  /** Lets so much time pass. */
  async advance(span: Span): Promise<void> {
    await this.#run(this.#clock.now() + millisecondsOf(span))
  }

  /**
   * Requests of the worker fail as fault rules say, from now on: `{ operation: 'complete_clink', times: 2, then: { status: 503 } }`.
   * `docs/emulator.md` has their form.
   */
  failRequests(rule: FaultRule): FaultHandle {
    return this.#emulator.addFault(rule)
  }

  /**
   * So much time after the beginning somebody else has the clink, and keeps it for an hour.
   *
   * @param id may be left out where there is one clink.
   */
  loseLeaseAt(time: Span, id?: string): void {
    if (id !== undefined) this.clink(id)
    this.#at(time, () => {
      const { clink_id: clinkId } = this.clink(id)
      const at = this.#clock.wall()
      this.#emulator.changeClink(clinkId, {
        status: 'claimed',
        claim: { ...SOMEBODY_ELSE, at, expires: at + 3_600_000 },
      })
    })
  }

  /** So much time after the beginning the process ends in the middle of what it does, as by SIGKILL. What it had journalled stays. */
  crashAt(time: Span, restart: Restart = {}): void {
    this.#endAt(time, () => this.#life.crash(), restart)
  }

  /** So much time after the beginning the worker is stopped, as by SIGTERM. */
  shutdownAt(time: Span, restart: Restart = {}): void {
    this.#endAt(time, () => this.#life.stop(), restart)
  }

  /** Stops the worker and gives the process its own time back. Again: does nothing. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    try {
      this.#life.stop()
      const { shutdown } = this.#parts.config
      await this.#clock.runUntil(this.#clock.now() + shutdown.timeout + 1_000, () => this.#life.isOver)
    } finally {
      this.#life.crash()
      this.#clock.uninstall()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #run(end: number, isOver?: () => boolean): Promise<void> {
    if (this.#isClosed) throw new Error('this worker is closed')
    await this.#clock.runUntil(end, isOver)
  }

  #endOf(clinkId: string): Pick<Settled, 'outcome' | 'response' | 'reason'> | undefined {
    const end = this.#told.endOf(clinkId, this.#life.isOver && this.#toCome === 0)
    // Lost to nobody: it comes back when its claim has run out.
    const { claim, status } = this.clink(clinkId)
    const isSomebodyElses = status === 'completed' || (status === 'claimed' && claim?.by !== WORKER)
    return end?.outcome === 'lost' && !isSomebodyElses ? undefined : end
  }

  #endAt(time: Span, end: () => void, { restartAfter = 1_000 }: Restart): void {
    const wait = restartAfter === 'never' ? undefined : millisecondsOf(restartAfter)
    this.#at(time, () => {
      end()
      if (wait === undefined) return
      const next = (): void => {
        // A stop takes its time.
        if (this.#life.isOver) this.#life = new Life(this.#parts)
        else this.#later(this.#clock.now() + 100, next)
      }
      this.#later(this.#clock.now() + wait, next)
    })
  }

  #at(time: Span, act: () => void): void {
    const at = millisecondsOf(time)
    if (at < this.#clock.now()) throw new Error(`${time} is over: ${formatDuration(this.#clock.now())} have passed`)
    this.#later(at, act)
  }

  #later(time: number, act: () => void): void {
    this.#toCome += 1
    this.#clock.at(time, () => {
      this.#toCome -= 1
      act()
    })
  }
}

/** @throws {Error} for what is no clink. */
function asNewClink(clink: unknown): NewClink {
  if (typeof clink === 'string') return { content: clink }
  const { content, from } = Object(clink)
  if (typeof content !== 'string' || !['string', 'undefined'].includes(typeof from))
    throw new Error(`${inspect(clink)} is no clink; write its content, or { content, from }`)
  return { content, from }
}

/** @throws {Error} for what is no duration. */
function millisecondsOf(span: unknown): number {
  const ms = typeof span === 'string' ? parseDuration(span) : span
  if (typeof ms !== 'number' || !(ms >= 0) || ms === Infinity)
    throw new Error(
      `${typeof span === 'string' ? JSON.stringify(span) : inspect(span)} is no duration; write 250ms, 30s, 5m, 1h, or milliseconds`,
    )
  return ms
}
