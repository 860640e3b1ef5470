import { createEmulator, type Emulator } from '../../src/emulator/emulator.ts'
import { Chance } from './chance.ts'
import { STILL_BUSY } from './rules/forgotten.ts'
import { explained, isRefusing } from './explained.ts'
import { Faults } from './faults.ts'
import { Holds } from './holds.ts'
import { judge, type Breach } from './judge.ts'
import { KeyFiles } from './key-files.ts'
import { JOURNALLED, Life, type Breakage, type Carried } from './life.ts'
import { Operator } from './operator.ts'
import type { LetterPlan } from './plan-letters.ts'
import { actByHand } from './people.ts'
import { makePlan, type Plan, type WorkerPlan } from './plan.ts'
import { Record } from './record.ts'
import { configAt } from './settings.ts'
import { SimulatedStore } from './shared-store.ts'
import { StateDirectory } from './state-directory.ts'
import { RunawayError, VirtualTime } from './virtual-time.ts'
import type { Vocabulary } from './words.ts'
import { SAYS, type AskerPlan, type WordName } from './world.ts'

export interface SeedOptions {
  readonly trace?: (line: string) => void
  readonly breakage?: Breakage
  /** Milliseconds that the workers have in the end; a broken one needs all of it. */
  readonly calm?: number
  /** Words that may be in the plan of the seed; `all` where none are named. */
  readonly vocabulary?: Vocabulary
  /** Turns the plan of the seed into one in which something is more likely. */
  readonly planned?: (plan: Plan) => Plan
  /** What the judge is told in place of the plan. */
  readonly told?: (plan: Plan) => Plan
  /** Nobody listens to the workers: the play is as long as this one, and people know what they knew in it. */
  readonly silentAs?: Played
}

/** What a play has left. */
export type Played = Pick<Game, 'record' | 'quietAt'>

export interface Verdict {
  readonly seed: number
  readonly breaches: readonly Breach[]
  readonly known: readonly Breach[]
  readonly requests: number
  readonly runs: number
  /** Those of them that were made without a claim. */
  readonly reruns: number
  /** What was done about keys. */
  readonly keyActs: number
  /** What was special about it. */
  readonly words: readonly WordName[]
  /** Virtual milliseconds. */
  readonly lasted: number
}

const DEFAULT_VOCABULARY: Vocabulary = 'own'
/** The wall clock at the start of every seed. */
const WALL = Date.UTC(2026, 0, 5, 8)
/** Milliseconds that the workers have, once nothing disturbs any more, until everything must have come to its end. */
const CALM = 5_400_000
/** How many times that, while they are working. */
const BUSY = 4
/** What waited for a slot is found within so many milliseconds of the end of the work before: by a full sweep, where its claim has run out. */
const NEXT_RUN = 330_000
/** How often, until the calm, somebody looks after letters where there are none yet. */
const LOOKS = 12
/** Far more than any plan needs. */
const MOST_REQUESTS = 60_000
/** How often a sender that waits for its answer looks for it. */
const ASKER_LOOKS = 250
/** How often it is looked whether it has. */
const LOOK = 5_000
/** How often it is looked whether the processes are alive. */
const PROBE = 10_000

/** Plays one seed. */
export async function playSeed(seed: number, options: SeedOptions = {}): Promise<Game> {
  const chance = new Chance(seed)
  const made = makePlan(seed, chance.fork('plan'), options.vocabulary ?? DEFAULT_VOCABULARY)
  const plan = options.planned?.(made) ?? made
  const game = new Game(plan, chance, options)
  try {
    await game.play()
  } catch (error) {
    // What has happened until then says why.
    if (!(error instanceof RunawayError)) throw error
  } finally {
    game.close()
  }
  return game
}

/** Plays one seed and judges it. */
export async function runSeed(seed: number, options: SeedOptions = {}): Promise<Verdict> {
  const game = await playSeed(seed, options)
  const { plan } = game
  const found = judge({
    plan: options.told?.(plan) ?? plan,
    record: game.record,
    emulator: game.emulator,
    unexplained: game.unexplained,
    ticks: game.time.ticks,
  })
  const { keyActs, requests, runs } = game.record
  const breaches = found.filter(({ known }) => known === undefined)
  const known = found.filter((breach) => breach.known !== undefined)
  const reruns = runs.filter(({ isRerun }) => isRerun === true).length
  const counts = { requests: requests.length, runs: runs.length, reruns, keyActs: keyActs.length }
  return { seed, breaches, known, ...counts, words: plan.words, lasted: game.time.now }
}

export class Game {
  readonly time: VirtualTime
  readonly emulator: Emulator
  readonly record: Record
  /** Clinks that had come to no end when the time was over, and why that is wrong. */
  unexplained: readonly { readonly clinkId: string; readonly why: string }[] = []
  /** When it was over but for the stop of its workers. */
  quietAt = 0
  readonly plan: Plan
  readonly #chance: Chance
  readonly #options: SeedOptions
  readonly #faults: Faults
  readonly #states: StateDirectory[] = []
  readonly #lives = new Map<string, { life: Life; count: number }>()
  readonly #operator: Operator
  readonly #keyFiles: KeyFiles
  readonly #shared: SimulatedStore | undefined

  constructor(plan: Plan, chance: Chance, options: SeedOptions) {
    this.plan = plan
    this.#chance = chance
    this.#options = options
    this.time = new VirtualTime(chance.fork('order'))
    this.record = new Record(() => this.time.now, options.trace)
    const { fleet } = plan.world
    this.#shared = fleet && new SimulatedStore(fleet, this.time, this.record.fleet)
    const random = chance.fork('emulator')
    this.emulator = createEmulator({
      seed: plan.seeding,
      switches: plan.switches,
      clock: { now: () => WALL + this.time.now, move: () => {} },
      random: () => random.next(),
    })
    for (const [life, events] of options.silentAs?.record.eventsByLife ?? []) this.record.eventsByLife.set(life, events)
    this.#operator = new Operator(this.record, chance.fork('operator'))
    this.#keyFiles = new KeyFiles(plan, this.emulator, this.record)
    this.#faults = new Faults(plan.faults, plan.world, chance.fork('network'), () => this.time.now)
  }

  async play(): Promise<void> {
    const { workers, clinks, people, letters, keys, calmAt } = this.plan
    this.record.say('seed', JSON.stringify(this.plan.switches))
    for (const worker of workers) {
      this.record.say(worker.name, JSON.stringify(worker.config))
      this.#begin(worker)
      for (const turn of worker.turns) this.time.at(turn.at, () => this.#turn(worker, turn))
      for (const { at } of worker.changes) this.time.at(at, () => this.#lives.get(worker.name)?.life.change())
    }
    for (const clink of clinks) {
      this.time.at(clink.at, () => {
        const { at: _, group, late = 0, text, ...who } = clink
        // Who has left gets nothing any more.
        if (this.record.keyActs.some((act) => act.what === 'leave' && `user_${act.owner}` === clink.for)) return
        const sent = this.emulator.send(group, text, { ...who, age: late })
        if (this.record.isTracing) this.record.say('sender', `${sent.clink_id} ${JSON.stringify(clink)}`)
      })
    }
    const chance = this.#chance.fork('persons')
    for (const act of people) this.time.at(act.at, () => actByHand(act, chance, this))
    for (const act of letters) this.#lookAfter(act)
    const holds = new Holds({ time: this.time, record: this.record, life: (name) => this.#lives.get(name)?.life })
    for (const hold of this.plan.world.holds) holds.plan(hold)
    this.#shared?.plan(this.plan.world.fleet?.pauses ?? [])
    for (const asker of this.plan.world.askers) this.#ask(asker, 0)
    for (const act of keys) this.time.at(act.at, () => this.#keyFiles.act(act, (name) => this.#lives.get(name)?.life))
    this.#lookAlive()
    await this.time.runUntil(calmAt, () => this.#isTooMuch)
    this.record.say('seed', 'calm: nothing disturbs any more')
    await this.#untilQuiet(calmAt + (this.#options.calm ?? CALM))
    this.quietAt = this.time.now
    for (const { life } of this.#lives.values()) life.stop()
    const longest = Math.max(...workers.map((worker) => configAt(worker, this.time.now).shutdown.timeout))
    // Who sleeps says what it knows, and stops, when it has woken.
    const awake = Math.max(this.time.now, ...[...this.#lives.values()].map(({ life }) => life.asleepUntil))
    await this.time.runUntil(awake + longest + 60_000, () => [...this.#lives.values()].every(({ life }) => life.isOver))
  }

  /** Writes the next clink, and waits until it is answered. */
  #ask(asker: AskerPlan, index: number, at = asker.at): void {
    if (index === asker.count) return
    this.time.at(at, () => {
      const { clink_id: id } = this.emulator.send(asker.group, `${SAYS.quick} ${index}`, { from: asker.from })
      const look = (): void => {
        const isAnswered = this.emulator.clink(id)?.status === 'completed'
        if (isAnswered) this.#ask(asker, index + 1, this.time.now + asker.pause)
        else this.time.at(this.time.now + ASKER_LOOKS, look)
      }
      look()
    })
  }

  /** As a probe would, from time to time. */
  #lookAlive(): void {
    this.time.at(this.time.now + PROBE, () => {
      const at = this.time.now
      for (const { life } of this.#lives.values()) {
        this.record.standing.push(...life.standing.map((reason) => ({ at, life: life.name, reason })))
        if (!life.isOver) this.#noteReadiness(life)
      }
      this.#lookAlive()
    })
  }

  #noteReadiness(life: Life): void {
    const { ready: isReady, reasons } = life.readiness
    const lastCall = this.record.fleet.lastOf(life.name, this.time.now)
    const isStoreAway = lastCall === undefined || lastCall.hasFailed === true
    this.record.readiness.push({ at: this.time.now, life: life.name, isReady, reasons, isStoreAway })
  }

  /** Until every clink has come to an end that its record explains. */
  async #untilQuiet(end: number): Promise<void> {
    const look = (): ReturnType<typeof explained> =>
      explained({ plan: this.plan, record: this.record, emulator: this.emulator, lives: this.#liveNames() })
    // With one slot and handlers of ten minutes a backlog takes its time: while there are runs the end waits.
    let isBusy = false
    const isRunning = (): boolean => isBusy || this.#hasWorkedSince(this.time.now - NEXT_RUN)
    const { silentAs } = this.#options
    const goesOn = (): boolean =>
      silentAs === undefined
        ? this.time.now < end || (isRunning() && this.time.now < BUSY * end)
        : this.time.now < silentAs.quietAt
    while (!this.#isTooMuch && goesOn()) {
      for (const worker of this.plan.workers) this.#beginLater(worker, 0)
      await this.time.runUntil(this.time.now + LOOK, () => this.#isTooMuch)
      if (silentAs !== undefined) continue
      isBusy = [...this.#lives.values()].some(
        ({ life }) => !life.isOver && life.isBusy(isRefusing(this.plan, this.record, life.name)),
      )
      this.unexplained = isBusy ? this.unexplained : look()
      if (!isBusy && this.unexplained.length === 0) return
    }
    this.unexplained = look()
    if (this.unexplained.length === 0) this.unexplained = [{ clinkId: '-', why: STILL_BUSY }]
  }

  /** Whether a run has gone on after this, be it of a claim that is lost, or a result was sent. */
  #hasWorkedSince(time: number): boolean {
    const sent = this.record.requests.findLast(({ kind }) => kind === 'complete')
    if (sent !== undefined && sent.begunAt > time) return true
    return this.record.runs.some(({ endedAt = this.time.now, life }) => {
      return endedAt > time && this.record.life(life).crashedAt === undefined
    })
  }

  /** More than any plan needs: somebody goes round in a circle. */
  get #isTooMuch(): boolean {
    return this.record.requests.length > MOST_REQUESTS
  }

  #liveNames(): readonly string[] {
    return [...this.#lives.values()].filter(({ life }) => !life.isOver).map(({ life }) => life.name)
  }

  /** Starts a worker's next process, unless the last one lives, or all are to stop. */
  #begin(plan: WorkerPlan): void {
    const last = this.#lives.get(plan.name)
    if (last?.life.isOver === false || this.quietAt > 0) return
    // Until it is gone the state directory is its own.
    if (last?.life.isDead === false) return this.#beginLater(plan, JOURNALLED)
    const { time, emulator, record } = this
    const count = (last?.count ?? 0) + 1
    const chance = this.#chance.fork('handlers')
    const { lease, world } = this.plan
    const network = { time, emulator, record, world, fault: this.#faults.next.bind(this.#faults) }
    const { breakage = {} } = this.#options
    const life = new Life(
      {
        time,
        emulator,
        record,
        network,
        plan,
        key: this.#keyFiles.read(plan.name),
        lease,
        world,
        chance,
        wallStart: WALL,
        breakage,
        isSilent: this.#options.silentAs !== undefined,
        shared: this.#shared,
        killed: (one, after) => this.#kill(plan, one, after),
      },
      count,
      this.#carried(plan, last?.life, count),
    )
    this.#lives.set(plan.name, { life, count })
    life.start()
  }

  #beginLater(plan: WorkerPlan, after: number): void {
    this.time.at(this.time.now + after, () => this.#begin(plan))
  }

  /** Whoever looks after the machine starts it again. */
  #kill(plan: WorkerPlan, life: Life, after = 1_000): void {
    life.crash()
    this.#beginLater(plan, after)
  }

  /** Sometimes the machine was started again in between, and sometimes its disk was lost. */
  #carried(plan: WorkerPlan, last: Life | undefined, count: number): Carried {
    const { newBoot, newState } = this.plan.restarts
    const chance = this.#chance.fork(`restart ${plan.name} ${count}`)
    const before = last?.carried ?? { state: this.#newState(plan.name), wallJump: 0, boot: 0 }
    if (last === undefined) return before
    return {
      ...before,
      boot: chance.is(newBoot) ? count : before.boot,
      // Without its memory it would take a strange key for its own.
      state:
        chance.is(newState) && !this.#keyFiles.isStrange(plan) ? this.#newState(`${plan.name}~${count}`) : before.state,
    }
  }

  #newState(name: string): StateDirectory {
    const state = new StateDirectory(name)
    this.#states.push(state)
    return state
  }

  close(): void {
    for (const state of this.#states) state.close()
  }

  #turn(plan: WorkerPlan, { what, ms }: WorkerPlan['turns'][number]): void {
    const life = this.#lives.get(plan.name)?.life
    if (life === undefined || life.isOver) return
    switch (what) {
      case 'sleep':
        life.sleep(ms)
        break
      case 'wall-jump':
        life.jumpWall(ms % 2 < 1 ? -ms * 100 : ms * 100)
        break
      case 'crash':
        life.crash()
        this.#beginLater(plan, ms)
        break
      case 'stop':
      case 'stop-and-hurry':
        life.stop()
        if (what === 'stop-and-hurry') this.time.at(this.time.now + ms / 4, () => life.hurry())
        this.#beginLater(plan, configAt(plan, this.time.now).shutdown.timeout + 2_000 + ms)
        break
      default:
        what satisfies never
    }
  }

  /** Somebody looks at the letters of a worker, again and again until there are some. */
  #lookAfter(plan: LetterPlan, at = plan.at): void {
    this.time.at(at, () => {
      const life = this.#lives.get(plan.worker)?.life
      // A machine that sleeps hears nobody.
      if (life !== undefined && life.asleepUntil > this.time.now) return this.#lookAfter(plan, life.asleepUntil)
      const isDone = life !== undefined && this.#operator.act(plan, life)
      const again = this.time.now + this.plan.calmAt / LOOKS
      if (!isDone && again < this.plan.calmAt) this.#lookAfter(plan, again)
    })
  }
}
