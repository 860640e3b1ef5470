import { systemClock, type Clock } from '../../src/base/clock.ts'
import { Secret } from '../../src/base/secret.ts'
import type { Clink } from '../../src/clink/records.ts'
import { FleetLedger } from '../../src/fleet/fleet-ledger.ts'
import { PostgresStore } from '../../src/fleet/postgres.ts'
import type { Note, SharedStore } from '../../src/fleet/store.ts'
import { Ledger, type LedgerTables } from '../../src/ledger/ledger.ts'
import type { Memory } from '../../src/ledger/memory.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'

/** One member of a fleet: its ledger over tables that outlive its processes. */
export class Member implements AsyncDisposable {
  readonly name: string
  readonly local: LedgerTables
  readonly health: (string | undefined)[] = []
  /** Whether it was healthy when each of those was said. */
  readonly wasHealthy: boolean[] = []
  readonly #url: string
  readonly #change: (store: SharedStore) => SharedStore
  fleet: FleetLedger
  ledger: Ledger

  readonly #isCopy: boolean
  /** Milliseconds that its wall clock is ahead of the others'. */
  ahead: number

  /**
   * @param change what the store is for this member, to break it on purpose.
   */
  constructor(
    name: string,
    url: string,
    local = memoryTables(),
    change = (real: SharedStore): SharedStore => real,
    isCopy = false,
    ahead = 0,
  ) {
    this.ahead = ahead
    this.#isCopy = isCopy
    this.name = name
    this.local = local
    this.#url = url
    this.#change = change
    this.fleet = this.#open()
    this.ledger = this.#ledger()
  }

  async start(): Promise<this> {
    await this.fleet.start()
    return this
  }

  /** As after the crash of its process: what was not written is lost, and the next one begins. */
  async again(): Promise<void> {
    this.fleet = this.#open()
    this.ledger = this.#ledger()
    await this.fleet.start()
  }

  /** The clink is claimed, recalled and worked. */
  async take(clink: Clink): Promise<Memory> {
    this.ledger.outdated(clink.clink_id)
    await this.ledger.recall([clink.clink_id])
    return this.ledger.work(await this.ledger.recallOne(clink.clink_id))
  }

  /** A handler is about to start. */
  async begin(clink: Clink): Promise<number> {
    return await this.ledger.begin({ claim: heldBy(clink) })
  }

  /** The claim has ended. */
  async drop(memory: Memory): Promise<void> {
    await this.ledger.process.drop(memory.clinkId)
    this.ledger.leave(memory)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet.stop()
  }

  #open(): FleetLedger {
    const { local, name } = this
    const options = { url: new Secret(this.#url), fleet: 'one', member: name, name, version: '1.0.0' }
    const store = this.#change(new PostgresStore(options))
    const onHealth = (problem: string | undefined): void => {
      this.health.push(problem)
      this.wasHealthy.push(this.fleet.isHealthy)
    }
    return new FleetLedger({
      local,
      store,
      clock: this.#clock,
      member: name,
      name: 'one',
      isCopy: this.#isCopy,
      onHealth,
    })
  }

  get #clock(): Clock {
    const clock = systemClock()
    return {
      ...clock,
      now: () => clock.now(),
      at: (time, run) => clock.at(time, run),
      wall: () => clock.wall() + this.ahead,
    }
  }

  #ledger(): Ledger {
    return new Ledger(this.fleet.tables, undefined, () => this.#clock.wall(), undefined, this.fleet)
  }
}

function heldBy(clink: Clink) {
  return { clink, route: 'work', running: true, releasing: false, boot: 'boot', sent: 0, end: 60_000 }
}

/** Two members on a database that nobody has used. */
export async function twoMembers(url: string) {
  const a = await new Member('a', url).start()
  const b = await new Member('b', url).start()
  return {
    url,
    a,
    b,
    async [Symbol.asyncDispose]() {
      await Promise.all([a[Symbol.asyncDispose](), b[Symbol.asyncDispose]()])
    },
  }
}

/** A store whose writes fail, or are carried out and not answered, as long as somebody wants that. */
export class Spoilt implements SharedStore {
  readonly #real: SharedStore
  writes: 'work' | 'fail' | 'are-not-answered' = 'work'
  /** What happens once before the next write is carried out. */
  behind: (() => Promise<void>) | undefined

  constructor(real: SharedStore) {
    this.#real = real
  }

  get place(): string {
    return this.#real.place
  }

  get limits(): SharedStore['limits'] {
    return this.#real.limits
  }

  async write(batch: Parameters<SharedStore['write']>[0]): Promise<readonly Note[]> {
    if (this.writes === 'fail') throw new Error('it is away')
    const { behind } = this
    this.behind = undefined
    await behind?.()
    const after = await this.#real.write(batch)
    if (this.writes === 'are-not-answered') throw new Error('no answer')
    return after
  }

  async beat(): Promise<string | undefined> {
    if (this.writes !== 'work') throw new Error('it is away')
    return await this.#real.beat()
  }

  readonly prepare = async (): Promise<string> => await this.#real.prepare()
  readonly recall: SharedStore['recall'] = async (ids) => await this.#real.recall(ids)
  readonly changes: SharedStore['changes'] = async (after) => await this.#real.changes(after)
  readonly tellPauses: SharedStore['tellPauses'] = async (pauses) => await this.#real.tellPauses(pauses)
  readonly noteSiblings: SharedStore['noteSiblings'] = async (...found) => await this.#real.noteSiblings(...found)
  readonly steps: SharedStore['steps'] = async (id) => await this.#real.steps(id)
  readonly members: SharedStore['members'] = async () => {
    if (this.writes === 'fail') throw new Error('it is away')
    return await this.#real.members()
  }
  readonly prune: SharedStore['prune'] = async (keep) => await this.#real.prune(keep)
  readonly isOfTheData: SharedStore['isOfTheData'] = (error) => this.#real.isOfTheData(error)
  readonly close = async (): Promise<void> => await this.#real.close()
}

/** One whose writes can be spoilt, and whose tables outlive its processes. */
export async function spoilt(url: string, name = 'a'): Promise<{ member: Member; store: () => Spoilt }> {
  let store: Spoilt | undefined
  const member = await new Member(name, url, undefined, (real) => (store = new Spoilt(real))).start()
  return {
    member,
    store: () => {
      if (store === undefined) throw new Error('there is no store')
      return store
    },
  }
}
