import type { Cancel, Clock } from '../../src/base/clock.ts'
import type { Config } from '../../src/config/config.ts'
import type { ExitCode } from '../../src/base/coded-error.ts'
import { Secret } from '../../src/base/secret.ts'
import type { Transport } from '../../src/clink/transport.ts'
import { askedWorker } from '../../src/daemon/asked-worker.ts'
import { Reloads } from '../../src/daemon/reloads.ts'
import type { Asked } from '../../src/control/asked.ts'
import { Daemon, type DaemonParts } from '../../src/daemon/daemon.ts'
import { beMember } from '../../src/daemon/member.ts'
import { enterFleet, leaveFleet } from '../../src/daemon/take-state.ts'
import type { WorkerEvent } from '../../src/events.ts'
import type { HandleFunction } from '../../src/handlers/handler.ts'
import type { Route } from '../../src/handlers/route.ts'
import type { FleetLedger } from '../../src/fleet/fleet-ledger.ts'
import type { SharedStore } from '../../src/fleet/store.ts'
import type { Fleet } from '../../src/ledger/fleet.ts'
import type { Ledger, LedgerTables } from '../../src/ledger/ledger.ts'
import type { Emulator } from '../../src/emulator/emulator.ts'
import { leftToLostMembers, waitsForProof } from './asked.ts'
import type { Chance } from './chance.ts'
import { makeHandle } from './handlers.ts'
import { ProcessTransport, type NetworkParts } from './network.ts'
import { NO_ROUTE, type WorkerPlan } from './plan.ts'
import type { Program } from './program.ts'
import { newLife, type LifeRecord, type Record, type RunRecord } from './record.ts'
import { joinSimulated } from './membership.ts'
import { configAt } from './settings.ts'
import type { SimulatedStore } from './shared-store.ts'
import { SimulatedRunner } from './runner.ts'
import type { StateDirectory } from './state-directory.ts'
import type { Host, VirtualTime } from './virtual-time.ts'
import type { World } from './world.ts'

/** What one process of a worker leaves to the next one. */
export interface Carried {
  readonly state: StateDirectory
  /** Of the machine, whose clock people have set. */
  readonly wallJump: number
  /** The start of the machine that it runs in. */
  readonly boot: number
}

/** Ways to break a worker on purpose, to see that the judge notices. */
export interface Breakage {
  transport?(real: Transport): Transport
  handle?(real: HandleFunction): HandleFunction
  clock?(real: Clock): Clock
  parts?(real: DaemonParts): DaemonParts
  /** What it says of itself. */
  readiness?(): { readonly ready: boolean; readonly reasons: readonly string[] }
  /** Of each process anew, over the journal that all of them share. */
  tables?(real: LedgerTables): LedgerTables
  /** What its fleet shares, as each process uses it. */
  store?(real: SharedStore): SharedStore
  /** How it tells its fleet, and asks it. */
  fleet?(real: Fleet): Fleet
}

export interface LifeParts {
  readonly time: VirtualTime
  readonly emulator: Emulator
  readonly record: Record
  readonly network: NetworkParts
  readonly plan: WorkerPlan
  /** What its key file holds at the start. */
  readonly key: string
  readonly lease: number
  readonly world: World
  readonly chance: Chance
  readonly wallStart: number
  readonly breakage: Breakage
  /** Nobody listens to what it says. */
  readonly isSilent: boolean
  /** Of its fleet. */
  readonly shared: SimulatedStore | undefined
  /** A handler ends the process, or it is ended in the middle of what it does. @param after milliseconds until the next one starts. */
  killed(life: Life, after?: number): void
}

/** What a process has done is in its journal after so many milliseconds in which it ran. */
export const JOURNALLED = 50
/** Milliseconds after a sleep by which every timer that was due in it has come. */
const COMING_ROUND = 3_000
/** Local time begins anywhere. */
const EPOCH = 2 ** 20

/** One process of a worker: from a start to a stop or a crash. */
export class Life implements Host {
  readonly name: string
  asleepUntil = 0
  isDead = false
  readonly #parts: LifeParts
  readonly #record: LifeRecord
  readonly #carried: Carried
  readonly #daemon: Daemon
  readonly #ledger: Ledger
  /** Absent: it remembers alone. */
  readonly #fleet: FleetLedger | undefined
  readonly #config: Config
  #wallJump = 0
  #localJump = 0
  readonly #timers = new Set<() => void>()

  constructor(parts: LifeParts, count: number, carried: Carried) {
    const { plan, record, time } = parts
    this.#parts = parts
    this.#carried = carried
    this.#wallJump = carried.wallJump
    this.name = `${plan.name}.${count}`
    this.#record = newLife({
      name: this.name,
      worker: plan.name,
      state: carried.state.name,
      isOfFleet: parts.shared !== undefined,
      boot: carried.boot,
      startedAt: time.now,
    })
    this.#config = configAt(plan, time.now)
    // Nothing has happened in it before.
    if (this.#config !== plan.config) this.#record.changes.push({ at: time.now - 1, config: this.#config })
    record.lives.set(this.name, this.#record)
    const { fleet, ledger } = this.#openLedger()
    this.#ledger = ledger
    this.#fleet = fleet
    this.#daemon = new Daemon(this.#daemonParts())
    beMember(fleet, this.#daemon)
    void this.#daemon.ended.then((exit) => this.#ended(exit))
  }

  get isOver(): boolean {
    return this.#record.stoppedAt !== undefined || this.isDead
  }

  get remembersAlone(): boolean {
    return this.#fleet === undefined
  }

  /**
   * Whether it has something in hand, by its own account: only for deciding when a seed may end.
   *
   * @param isRefusing it may not work, and says so: what it has claimed to try may wait for a word of the service's until its claim ends.
   */
  isBusy(isRefusing: boolean): boolean {
    const { running, queued, held, settling, rerunning } = this.#daemon.snapshot()
    const { record } = this.#parts
    const reruns = waitsForProof(record, this.#record) ? 0 : rerunning - leftToLostMembers(record, this.#record)
    return running + (isRefusing ? 0 : queued) + held + settling + reruns > 0
  }

  /** Which of its loops stand still, by its own account. Just after a sleep some are late. */
  get standing(): readonly string[] {
    if (this.isOver || this.#parts.time.now < this.asleepUntil + COMING_ROUND) return []
    return this.#daemon.liveness().reasons.filter((reason) => /stands still|though nothing runs/.test(reason))
  }

  /** Whether it takes work, by its own account. */
  get readiness(): { readonly ready: boolean; readonly reasons: readonly string[] } {
    return this.#parts.breakage.readiness?.() ?? this.#daemon.readiness()
  }

  /** The dead letters, of the process or of what it has left, until they are closed. */
  openLetters(): Asked & { close(): void } {
    if (!this.isDead) return { ledger: this.#ledger, worker: this.#asked(), close: () => {} }
    const { ledger, close } = this.#carried.state.visit(() => this.#clock().wall())
    return { ledger, worker: undefined, close }
  }

  /** As commands reach it over its socket. */
  #asked(): Asked['worker'] {
    const clock = this.#clock()
    return askedWorker(this.#daemon, {
      routes: [],
      isOnce: false,
      logLevel: { set: () => {} },
      reloads: new Reloads(() => {}),
      emit: () => {},
      server: () => null,
      wall: () => clock.wall(),
      seen: {
        hasLog: () => false,
        past: undefined,
        journalSize: async () => await Promise.resolve(0),
        log: async () => await Promise.resolve([]),
      },
    })
  }

  start(): void {
    this.#parts.record.say(this.name, 'process starts')
    if (this.#fleet === undefined) this.#daemon.start()
    else void this.#startIn(this.#fleet)
  }

  /** What it remembers and what its fleet does are brought together first. */
  async #startIn(fleet: FleetLedger): Promise<void> {
    await enterFleet(fleet, this.#clock())
    if (!this.#daemon.isStopping) this.#daemon.start()
  }

  stop(): void {
    if (this.isOver || this.#record.stopAskedAt !== undefined) return
    this.#record.stopAskedAt = this.#parts.time.now
    void this.#daemon.stop('told to')
  }

  /** Its key file was written: it reads that, once it is awake. */
  keyWritten(read: () => string): void {
    const { time } = this.#parts
    const changed = (): void => {
      if (!this.isOver) void this.#daemon.keyChange.offer(new Secret(read()), 'the key file')
    }
    time.at(time.now, changed, this)
  }

  /** Somebody has written another configuration: it takes that over, once it is awake. */
  change(): void {
    const { plan, record, time } = this.#parts
    const changed = (): void => {
      if (this.isOver) return
      const config = configAt(plan, time.now)
      this.#record.changes.push({ at: time.now, config })
      const changes = this.#daemon.change(config)
      record.say(this.name, `has other settings: ${Object.values(changes).flat().join(' ')}`)
    }
    time.at(time.now, changed, this)
  }

  hurry(): void {
    if (this.isOver) return
    this.#record.hurriedAt ??= this.#parts.time.now
    this.#daemon.hurry()
  }

  /** It is gone: no timer, answer or handler of it ever goes on. */
  crash(): void {
    if (this.isOver) return
    const { record, time } = this.#parts
    this.isDead = true
    this.#record.crashedAt = time.now
    const slept = this.#record.sleeps.find(({ to }) => to >= time.now - JOURNALLED)
    this.#forget((slept?.from ?? time.now) - JOURNALLED)
    record.say(this.name, 'process crashes')
  }

  /** The next process does not know how runs have ended since then, or since nothing was written any more. */
  #forget(since: number): void {
    const { failedSince = Infinity, unwrittenSince = Infinity } = this.#carried.state.unwritten
    this.#record.unwrittenSince = unwrittenSince
    this.#record.failedSince = failedSince
    const from = Math.min(since, unwrittenSince)
    const { runs } = this.#parts.record
    // A run is over when its steps are.
    const goesOn = ({ openSteps = 0 }: RunRecord): boolean => openSteps > 0
    for (const run of runs)
      if (run.life === this.name && ((run.endedAt ?? 0) >= from || goesOn(run))) run.isCutShort = true
    for (const start of this.#parts.record.awayStarts)
      if (start.life === this.name && (start.endedAt ?? 0) >= from) start.isCutShort = true
  }

  /** What the next process finds. */
  get carried(): Carried {
    return { ...this.#carried, wallJump: this.#wallJump }
  }

  /** Time goes on, nothing of it does. */
  sleep(ms: number): void {
    const { time, record } = this.#parts
    // One sleep may begin in another.
    const from = this.asleepUntil > time.now ? this.#record.sleeps.at(-1)?.from : undefined
    this.asleepUntil = Math.max(this.asleepUntil, time.now + ms)
    this.#record.sleeps.push({ from: from ?? time.now, to: this.asleepUntil })
    record.say(this.name, `process sleeps for ${Math.round(ms)} ms`)
  }

  /** The wall clock is set. Forward, local time goes with it: it may be all that a paused machine shows of its pause. */
  jumpWall(ms: number): void {
    const { time, record } = this.#parts
    record.say(this.name, `wall clock jumps by ${Math.round(ms)} ms`)
    this.#wallJump += ms
    if (ms < 0) {
      this.#record.setBacks.push({ at: time.now, ms })
      return
    }
    this.#localJump += Math.ceil(ms)
    this.#record.jumps.push({ at: time.now, ms })
    for (const set of this.#timers) set()
  }

  #clock(host: Host = this): Clock {
    const { time, plan, wallStart } = this.#parts
    return {
      now: () => time.now + EPOCH + this.#localJump,
      wall: () => Math.floor(wallStart + time.now + plan.wallSkew + this.#wallJump),
      at: (at, run) => this.#at(at, run, host),
      steady: { now: () => time.now, at: (at, run) => time.at(at, run, host) },
    }
  }

  #at(at: number, run: () => void, host: Host): Cancel {
    let cancel: Cancel = () => {}
    const set = (): void => {
      cancel()
      cancel = this.#parts.time.at(at - EPOCH - this.#localJump, fire, host)
    }
    const end = (): void => {
      cancel()
      this.#timers.delete(set)
    }
    const fire = (): void => {
      end()
      run()
    }
    this.#timers.add(set)
    set()
    return end
  }

  #daemonParts(): DaemonParts {
    const { network, chance, breakage } = this.#parts
    const clock = breakage.clock?.(this.#clock()) ?? this.#clock()
    const transport = new ProcessTransport(network, this.#carried.state, this.name, this, this.#clock())
    const random = chance.fork(`random ${this.name}`)
    const route: Route = {
      name: 'sim',
      file: 'sim',
      generation: 1,
      target: { is: 'module', handle: this.#handle() },
      with: {},
      idle: this.#parts.world.idle,
      limits: this.#parts.world.limits,
    }
    const parts: DaemonParts = {
      config: this.#config,
      key: new Secret(this.#parts.key),
      router: {
        generation: 1,
        takesAll: false,
        routes: [route],
        find: ({ clink_id: id, content }) => {
          const found = content.startsWith(NO_ROUTE)
            ? undefined
            : { route, match: { route: 'sim', text: '', groups: {} } }
          return this.#isLate(id) ? this.#later(id, found) : found
        },
        describe: () => ['sim'],
      },
      emit: this.#parts.isSilent ? () => {} : (event) => this.#note(event),
      transport: breakage.transport?.(transport) ?? transport,
      runner: this.#runner(),
      clock,
      random: () => random.next(),
      boot: { id: `boot ${this.#carried.boot}`, uptime: () => this.#parts.time.now },
      state: {
        ledger: this.#ledger,
        isOurs: true,
        ...(this.#fleet !== undefined && { problem: () => this.#fleet?.problem }),
      },
    }
    return breakage.parts?.(parts) ?? parts
  }

  /** @param program the process of its own in which it runs. */
  #handle(program?: Program): HandleFunction {
    const { breakage, chance, lease, plan, record, world } = this.#parts
    const handle = makeHandle({
      life: this.name,
      clock: this.#clock(program),
      record,
      chance,
      lease,
      world,
      owner: plan.owner,
      ...(program !== undefined && { program }),
      outage: plan.config.retry.outage,
      sleep: (ms) => this.sleep(ms),
      crash: () => this.#parts.killed(this),
    })
    return breakage.handle?.(handle) ?? handle
  }

  #runner(): SimulatedRunner | undefined {
    const { chance, lease, record, time, world } = this.#parts
    const { runner: plan } = world
    if (plan === undefined) return undefined
    const handle = (program: Program): HandleFunction => this.#handle(program)
    const draws = chance.fork('runner')
    const { outage } = this.#parts.plan.config.retry
    return new SimulatedRunner({
      life: this.name,
      host: this,
      time,
      record,
      chance: draws,
      plan,
      lease,
      outage,
      handle,
    })
  }

  #isLate(clinkId: string): boolean {
    const { chance, record, world } = this.#parts
    const { part = 0, until = 0 } = world.patterns ?? {}
    return record.now < until && chance.fork(`pattern ${clinkId}`).is(part)
  }

  /** A pattern takes as long for a clink each time, and fails now and then. */
  async #later<Found>(clinkId: string, found: Found): Promise<Found> {
    const { chance, record, time, world } = this.#parts
    const { failing = 0, slowest = 0 } = world.patterns ?? {}
    const ms = chance.fork(`pattern of ${clinkId}`).logarithmic(1, slowest)
    await new Promise<void>((resolve) => time.at(time.now + ms, resolve, this))
    if (chance.fork(`try ${clinkId} ${record.now}`).is(failing)) throw new Error('the pattern could not be tried')
    return found
  }

  #openLedger(): { readonly ledger: Ledger; readonly fleet: FleetLedger | undefined } {
    const { time, chance, breakage, world } = this.#parts
    const clock = this.#clock()
    const fork = chance.fork(`journal ${this.name}`)
    let fleet: FleetLedger | undefined
    const join = (local: LedgerTables): Fleet => {
      fleet = this.#join(local)
      return breakage.fleet?.(fleet) ?? fleet
    }
    const ledger = this.#carried.state.open(
      { time, host: this, chance: fork, plan: world.store, ...(this.#parts.shared !== undefined && { join }) },
      () => clock.wall(),
      (real) => breakage.tables?.(real) ?? real,
    )
    return { ledger, fleet }
  }

  #join(local: LedgerTables): FleetLedger {
    const { breakage, chance, lease, plan, record, shared } = this.#parts
    if (shared === undefined) throw new Error(`${this.name} has no fleet`)
    const draws = chance.fork(`store ${this.name}`)
    const restart = (): number => draws.fork('restart').logarithmic(100, 3 * lease)
    return joinSimulated(
      {
        life: this.name,
        worker: plan.name,
        host: this,
        chance: draws,
        clock: this.#clock(),
        record,
        shared,
        broken: (real) => breakage.store?.(real) ?? real,
        kill: () => {
          if (!this.isOver) this.#parts.killed(this, restart())
        },
      },
      local,
    )
  }

  #note(event: WorkerEvent): void {
    if (this.isDead) return
    const { record } = this.#parts
    record.addEvent(this.name, event)
    if (record.isTracing) record.say(this.name, `* ${describe(event)}`)
    if (event.event === 'worker.stopped') this.#record.leftBehind = event.leftBehind
  }

  #ended(exit: ExitCode): void {
    if (this.isDead) return
    const { emulator, time } = this.#parts
    this.#record.exit = exit
    this.#record.stoppedAt = time.now
    this.#record.heldAtStop = emulator
      .clinks()
      .filter(({ status, claim }) => status === 'claimed' && claim?.session === this.#carried.state.name)
      .map(({ clink_id }) => clink_id)
    // What its handlers would still do ends with it; what it has journalled by then is written.
    const left = (): void => {
      time.at(time.now + JOURNALLED, () => {
        this.isDead = true
        this.#carried.state.end()
        this.#forget(Infinity)
      })
    }
    if (this.#fleet === undefined) left()
    else void leaveFleet(this.#fleet, this.#clock()).then(left)
  }
}

function describe(event: WorkerEvent): string {
  const { event: name, ...facts } = event
  if (event.event === 'worker.started') return name
  const texts = Object.entries(facts).map(([key, value]) => {
    if (key === 'clink') return (value as { clink_id: string }).clink_id
    return value instanceof Error ? `${key}=${value.message}` : `${key}=${JSON.stringify(value)}`
  })
  return `${name} ${texts.join(' ')}`
}
