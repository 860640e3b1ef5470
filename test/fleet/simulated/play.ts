import type { Clock } from '../../../src/base/clock.ts'
import type { Clink } from '../../../src/clink/records.ts'
import { FleetLedger } from '../../../src/fleet/fleet-ledger.ts'
import type { SharedStore } from '../../../src/fleet/store.ts'
import type { Fleet } from '../../../src/ledger/fleet.ts'
import { Ledger } from '../../../src/ledger/ledger.ts'
import type { Memory } from '../../../src/ledger/memory.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { Chance } from '../../simulation/chance.ts'
import { VirtualTime, type Host } from '../../simulation/virtual-time.ts'
import { clink as sample } from '../../support/sample-records.ts'
import { SharedMemory } from './shared-memory.ts'

/** Ways to break the memory of a fleet on purpose, to see that it is noticed. */
export interface Breakage {
  fleet?(real: Fleet): Fleet
  store?(real: SharedStore): SharedStore
  /** Handlers are started whatever the ledger says. */
  readonly startsAlways?: boolean
}

const MEMBERS = ['a', 'b', 'c'] as const
const CLINKS = 6
const ATTEMPTS = 3
const LEASE = 20_000
/** Nothing disturbs any more, and when all must have come to its end. */
const CALM = 240_000
const END = 600_000
const WALL = Date.UTC(2026, 0, 5)

/** What Clink knows of a clink. */
interface Claimable {
  readonly clink: Clink
  /** It never succeeds. */
  readonly isPoison: boolean
  claim: { readonly by: Process; readonly at: number; readonly until: number } | undefined
  isDone: boolean
}

interface Start {
  readonly clinkId: string
  readonly member: string
  readonly at: number
  /** It costs nothing: it was taken back, or its process was killed and the next one knows that. */
  isFree: boolean
  isOver: boolean
}

/** Three members, each a row of processes that are killed, over one store. Every start and every settlement is looked at as it happens. */
export class Play {
  readonly time: VirtualTime
  readonly breaches: string[] = []
  readonly starts: Start[] = []
  readonly inbox: readonly Claimable[]
  readonly store: SharedMemory
  readonly chance: Chance
  readonly breakage: Breakage
  readonly #members: readonly Member[]

  constructor(seed: number, breakage: Breakage = {}) {
    this.breakage = breakage
    this.chance = new Chance(seed)
    this.time = new VirtualTime(this.chance.fork('order'))
    const weather = this.chance.fork('weather')
    const outages = Array.from({ length: weather.integer(0, 3) }, () => {
      const from = weather.between(0, CALM)
      return { from, to: from + weather.logarithmic(100, 40_000) }
    })
    const failing = weather.is(0.5) ? weather.between(0, 0.15) : 0
    this.store = new SharedMemory(this.time, { slowest: weather.logarithmic(5, 3_000), failing, outages, until: CALM })
    this.inbox = Array.from({ length: CLINKS }, (_, n) => {
      const clink = { ...sample, clink_id: `msg_${n}` }
      return { clink, isPoison: this.chance.is(0.4), claim: undefined, isDone: false }
    })
    this.#members = MEMBERS.map((name) => new Member(name, this))
  }

  async run(): Promise<void> {
    for (const member of this.#members) member.begin()
    await this.time.runUntil(END, () => this.#isOver && this.time.now > CALM)
    for (const { clink, isDone, isPoison } of this.inbox) {
      const isGivenUp = this.store.givenUpAt.has(clink.clink_id)
      if (!isDone && !isGivenUp) this.breach(`${clink.clink_id} came to no end`)
      if (isPoison && isDone) this.breach(`${clink.clink_id} cannot be done`)
    }
  }

  breach(text: string): void {
    this.breaches.push(`${Math.round(this.time.now)}: ${text}`)
  }

  /** The handler of a clink is started now. */
  started({ claim, clink }: Claimable, member: string): Start {
    const id = clink.clink_id
    const before = this.starts.filter((one) => one.clinkId === id)
    const counted = before.filter(({ isFree }) => !isFree).length
    if (counted >= ATTEMPTS) this.breach(`${member} starts ${id} after ${counted} starts that count`)
    for (const [what, at] of [
      ['given up', this.store.givenUpAt.get(id)],
      ['computed', this.store.computedAt.get(id)],
    ] as const)
      if (at !== undefined && claim !== undefined && at < claim.at)
        this.breach(`${member} starts ${id}, ${what} before`)
    const start = { clinkId: id, member, at: this.time.now, isFree: false, isOver: false }
    this.starts.push(start)
    return start
  }

  get #isOver(): boolean {
    return this.inbox.every(({ clink, isDone }) => isDone || this.store.givenUpAt.has(clink.clink_id))
  }
}

/** A worker: what its processes leave to each other, and how they end. */
class Member {
  readonly name: string
  readonly play: Play
  readonly local = memoryTables()
  readonly chance: Chance

  constructor(name: string, play: Play) {
    this.name = name
    this.play = play
    this.chance = play.chance.fork(name)
  }

  begin(): void {
    const { chance, play } = this
    const process = new Process(this)
    void process.live()
    const { now } = play.time
    const lasts = chance.logarithmic(500, 120_000)
    if (now + lasts > CALM) return
    play.time.at(now + lasts, () => {
      process.isDead = true
      play.time.at(now + lasts + chance.logarithmic(100, 60_000), () => this.begin())
    })
  }
}

class Process implements Host {
  readonly asleepUntil = 0
  isDead = false
  readonly #member: Member
  readonly #play: Play
  readonly #fleet: FleetLedger
  readonly #ledger: Ledger

  constructor(member: Member) {
    const { chance, local, name, play } = member
    this.#member = member
    this.#play = play
    const { breakage, time } = play
    const store = play.store.for(name, this, chance)
    const now = (): number => time.now
    const wall = (): number => WALL + time.now
    const clock: Clock = {
      now,
      wall,
      at: (at, run) => time.at(at, run, this),
    }
    const options = { local, clock, member: name, name: 'one', onHealth: () => {} }
    this.#fleet = new FleetLedger({ ...options, store: breakage.store?.(store) ?? store })
    const fleet = breakage.fleet?.(this.#fleet) ?? this.#fleet
    this.#ledger = new Ledger(fleet.tables, undefined, wall, now, fleet)
  }

  async live(): Promise<void> {
    await this.#fleet.start()
    await this.#takeOver()
    const { chance } = this.#member
    for (;;) {
      await this.#sleep(chance.logarithmic(10, 3_000))
      const { now } = this.#play.time
      const free = this.#play.inbox.filter(
        ({ claim, isDone }) => !isDone && (claim === undefined || claim.until <= now),
      )
      if (free.length > 0 && this.#ledger.isHealthy) await this.#work(chance.pick(free))
    }
  }

  /** What was running when the last process was killed does not count; its claims run out. */
  async #takeOver(): Promise<void> {
    for (const { clink } of this.#ledger.process.claims()) {
      const id = clink.clink_id
      const left = this.#play.starts.filter(
        ({ clinkId, isOver, member }) => clinkId === id && member === this.#member.name && !isOver,
      )
      await this.#ledger.outcome(id, { is: 'excused' })
      for (const start of left) start.isFree = start.isOver = true
      await this.#ledger.process.drop(id)
    }
  }

  async #work(inbox: Claimable): Promise<void> {
    const { clink } = inbox
    const id = clink.clink_id
    const { now } = this.#play.time
    inbox.claim = { by: this, at: now, until: now + LEASE }
    this.#ledger.outdated(id)
    await this.#ledger.recall([id])
    const memory = this.#ledger.work(await this.#ledger.recallOne(id))
    await this.#settle(inbox, memory)
    this.#ledger.leave(memory)
    if (inbox.claim?.by === this && inbox.claim.at === now) inbox.claim = undefined
  }

  async #settle(inbox: Claimable, memory: Memory): Promise<void> {
    const { clink } = inbox
    const id = clink.clink_id
    await this.#ledger.refresh(memory)
    if (memory.isGivenUp) return
    if (memory.unconfirmed(clink) !== undefined) return await this.#complete(inbox)
    const mayStart = this.#ledger.mayStart(memory) || this.#play.breakage.startsAlways === true
    if (!mayStart) return
    if (memory.startsInFleet >= ATTEMPTS) return await this.#giveUp(inbox, 'used up')
    const held = { clink, route: 'work', running: true, releasing: false, boot: 'boot', sent: 0, end: LEASE }
    const count = await this.#ledger.begin({ claim: held })
    if (!this.#stands(inbox) || (!this.#ledger.isHealthy && this.#play.breakage.startsAlways !== true)) {
      await this.#ledger.outcome(id, { is: 'not-counted' })
      return await this.#ledger.process.drop(id)
    }
    const start = this.#play.started(inbox, this.#member.name)
    await this.#sleep(this.#member.chance.logarithmic(5, LEASE))
    if (inbox.isPoison || this.#member.chance.is(0.2)) await this.#fail(inbox, count - memory.tried.excused)
    else if (this.#stands(inbox)) {
      await this.#ledger.keepResult(clink, 'done')
      start.isOver = true
      if (this.#member.chance.is(0.6)) await this.#complete(inbox)
    }
    start.isOver = true
    await this.#ledger.process.drop(id)
  }

  async #fail(inbox: Claimable, attempt: number): Promise<void> {
    if (attempt >= ATTEMPTS && this.#stands(inbox)) return await this.#giveUp(inbox, 'it failed')
    await this.#ledger.outcome(inbox.clink.clink_id, { is: 'error', message: 'it failed', countsAttempt: true })
  }

  async #giveUp({ clink }: Claimable, reason: string): Promise<void> {
    const at = WALL + this.#play.time.now
    await this.#ledger.deadLetter({ clink, route: 'work', attempts: ATTEMPTS, reason, errors: [], tell: 'release', at })
    // It is not given back while the fleet does not know: its claim is left to its end.
    while (!this.#ledger.isHealthy) await this.#sleep(1_000)
  }

  async #complete(inbox: Claimable): Promise<void> {
    await this.#sleep(this.#member.chance.logarithmic(1, 500))
    if (!this.#stands(inbox)) return
    inbox.isDone = true
    await this.#ledger.settled(inbox.clink)
  }

  #stands({ claim, isDone }: Claimable): boolean {
    return !isDone && claim?.by === this && this.#play.time.now < claim.until
  }

  async #sleep(ms: number): Promise<void> {
    const { time } = this.#play
    await new Promise<void>((resolve) => time.at(time.now + ms, resolve, this))
  }
}
