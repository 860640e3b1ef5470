import { steadyOf, type Clock } from '../base/clock.ts'
import { asError, CodedError } from '../base/coded-error.ts'
import type { Signal } from '../base/signal.ts'
import type { DeadLetter } from '../ledger/dead-letters.ts'
import { JOINED, type ByOthers, type Fleet, type FleetView, type MemberSigns } from '../ledger/fleet.ts'
import { DONE } from '../ledger/table.ts'
import type { LedgerTables } from '../ledger/tables.ts'
import { Beats } from './beats.ts'
import { partsOf } from './by-others.ts'
import { keyOf, overOf, type Change } from './changes.ts'
import { Exchange } from './exchange.ts'
import { editOf } from './letter-edits.ts'
import { forgetOwner, markAll, markOne, markOver, prepareStore, SEEN, untoldOf } from './joining.ts'
import { KnownParts } from './known-parts.ts'
import { limitsBy } from './limits.ts'
import { BEAT, Departures } from './members.ts'
import { NotesHere } from './notes-here.ts'
import { ReadPauses } from './pauses.ts'
import { Recalls } from './recalls.ts'
import { untoldSiblings } from './siblings.ts'
import { SharedSteps } from './shared-steps.ts'
import { SharedTable } from './shared-table.ts'
import type { Batch, Note, SharedStore } from './store.ts'

export interface FleetOptions {
  /** Of this process, and of nobody else. */
  readonly local: LedgerTables
  readonly store: SharedStore
  readonly clock: Clock
  /** Which member this is: the same over restarts, and another one in another state directory. */
  readonly member: string
  readonly machine?: string
  /** The name of the fleet. */
  readonly name: string
  /** The tables are a copy of those of another member. */
  readonly isCopy?: boolean
  /** What keeps the store from being used, for people; `undefined`: it can be used again. */
  readonly onHealth: (problem: string | undefined) => void
}

/** While the store is away, and where there is something to be shown, as after the start: before it there was nothing to say. */
const BEAT_AWAY = 1_000
/** By which notes others leave a clink alone. */
const LEFT_ALONE_BY = ['letters', 'cooling', 'own'] as const
/** Said of it, though it can be used. */
const ANEW = 'it was made anew, and is told first what this worker remembers'

/** One member of a fleet: what it tells the others, and what it has read of them. */
export class FleetLedger implements Fleet {
  readonly tables: LedgerTables
  readonly member: string
  readonly machine: string
  readonly pauses: ReadPauses
  readonly limits: Fleet['limits']
  readonly departed = new Departures()
  /** What it says of itself; undefined: nothing yet. */
  signs: () => MemberSigns | undefined = () => undefined
  readonly #options: FleetOptions
  readonly #exchange: Exchange
  readonly #steps: SharedSteps
  readonly #recalls: Recalls
  readonly #notes: NotesHere
  readonly #known: KnownParts
  #siblings: ReadonlyMap<string, string> = new Map()
  readonly #beats: Beats
  #telling: Promise<void> = DONE
  #isPrepared = false
  /** The next beat says something else of this member. */
  #hasNews = false

  constructor(options: FleetOptions) {
    const { clock, local, machine = '', member, onHealth, store } = options
    this.#options = options
    this.machine = machine
    this.member = member
    this.pauses = new ReadPauses(clock, local)
    this.#beats = new Beats({
      clock,
      beat: async () => await this.#beat(),
      wait: () => (this.isHealthy && !this.#hasNews ? BEAT : BEAT_AWAY),
    })
    this.#exchange = new Exchange({
      store,
      time: steadyOf(clock),
      compile: (changes, now) => this.#compile(changes, now),
      told: (changes, notes, asked) => this.#told(changes, notes, asked),
      isRead: () => this.#isPrepared && this.pauses.areRead,
      onHealth: (problem) => {
        onHealth(this.#said(problem))
        if (problem === undefined) return
        // Behind the old address there may be another store by the time it is reached.
        this.#isPrepared = false
        if (!this.#beats.isRunning) this.#beats.soon()
      },
    })
    this.#steps = new SharedSteps(local.steps, store, this.#exchange, () => clock.wall())
    this.#notes = new NotesHere(local, this.#exchange, () => clock.wall())
    this.#known = new KnownParts(clock)
    this.#recalls = new Recalls(store, this.#exchange, (ids, recalled, asked) => {
      this.#known.read(ids, recalled, asked, (id) => this.#exchange.wasOver(id, asked))
      this.#notes.take(recalled.notes, asked, ids)
    })
    this.limits = limitsBy(store.limits, this.#exchange)
    const shared = { exchange: this.#exchange, untold: local.untold, isAwaited: true }
    this.tables = {
      ...local,
      steps: this.#steps,
      letters: new SharedTable({
        ...shared,
        kind: 'letters',
        local: local.letters,
        editOf: (before, now) => editOf(before, now, `${member} ${clock.wall()}`),
      }),
      cooling: new SharedTable({ ...shared, kind: 'cooling', local: local.cooling }),
      own: new SharedTable({ ...shared, kind: 'own', local: local.own, isAwaited: false }),
      audit: new SharedTable({ ...shared, kind: 'audit', local: local.audit, isAwaited: false }),
    }
  }

  get name(): string {
    return this.#options.name
  }

  get isHealthy(): boolean {
    return this.problem === undefined
  }

  /** Why the store cannot be used, for people; undefined: it can. */
  get problem(): string | undefined {
    return this.#said(this.#exchange.problem)
  }

  /** Brings the two stores together after whatever ended the last process. Resolves when that was tried once, with all that is to be told: until then the store counts as away. Where it failed it is tried on. */
  async start(): Promise<void> {
    const { local } = this.#options
    if (local.facts.get(JOINED) !== this.#home) markAll(local, this.#home, this.member)
    else if (this.#options.isCopy === true) forgetOwner(local)
    this.#tellUntold()
    await this.#beats.run()
    await this.#telling
    this.#beats.soon(BEAT_AWAY)
  }

  #tellUntold(): void {
    const { clock, local } = this.#options
    for (const change of untoldOf(local, clock)) void this.#exchange.tell(change)
    for (const [id] of local.claims.entries()) void this.#exchange.tell({ kind: 'part', id })
  }

  async stop(): Promise<void> {
    this.#beats.stop()
    await Promise.race([this.#beats.running, this.#exchange.close()])
    await this.#exchange.close()
    await this.#options.store.close(this.isHealthy)
  }

  /** Clinks whose dead letters are gone: another member is to run them, or this one. */
  get gone(): Signal<[clinkId: string]> {
    return this.#notes.gone
  }

  /** Reads now what others have changed, pauses among it. Resolves when that was tried. */
  async lookAgain(): Promise<void> {
    await this.#beats.again()
  }

  onLetter(changed: (clinkId: string, letter: DeadLetter | undefined) => void): void {
    this.#notes.onLetter = changed
  }

  async look(): Promise<FleetView> {
    const { name: fleet, store } = this.#options
    try {
      return { fleet, place: store.place, members: await store.members(), pauses: this.pauses.list() ?? [] }
    } catch (error) {
      throw new CodedError('STATE_UNAVAILABLE', `${store.place}: ${asError(error).message}`, { cause: error })
    }
  }

  async recall(clinkIds: readonly string[]): Promise<void> {
    for (const id of clinkIds) this.outdated(id)
    await this.#recalls.of(clinkIds)
  }

  of(clinkId: string): ByOthers | 'none' | undefined {
    return this.#known.of(clinkId)
  }

  isOld(clinkId: string): boolean {
    return this.#known.isOld(clinkId)
  }

  siblings(url: string): string | undefined {
    return this.#siblings.get(url)
  }

  isOver(clinkId: string): boolean {
    const change = { kind: 'part', id: clinkId } as const
    const asked = this.#known.wasWithoutMine(clinkId)
    if (asked === undefined || this.#options.local.untold.get(keyOf(change)) !== undefined) return false
    return !this.#exchange.hasChanged(change, asked)
  }

  isTold(clinkId: string): boolean {
    return !LEFT_ALONE_BY.some((kind) => this.#exchange.isOpen({ kind, id: clinkId }))
  }

  untilTold(id: string): Promise<void> {
    return this.#exchange.untilTold({ kind: 'letters', id })
  }

  outdated(clinkId: string): void {
    this.#known.outdated(clinkId)
  }

  begun(clinkId: string, here: Promise<void>): Promise<void> {
    return this.#exchange.tellAfter({ kind: 'part', id: clinkId, isNew: true }, here)
  }

  changed(id: string, what: 'attempts' | 'result', here: Promise<void>, isNew = false): void {
    const [change, { local }] = [{ kind: 'part', id, isNew } as const, this.#options]
    // The row of a claim in hand is told anew at the next start, whatever was told of it.
    if (local.claims.get(id) === undefined) markOne(local, change)
    void this.#exchange.tellAfter(change, here, what === 'result').catch(() => {})
  }

  outlives(clinkId: string): void {
    const change = { kind: 'part', id: clinkId } as const
    if (this.#exchange.isOpen(change)) markOne(this.#options.local, change)
  }

  over(clinkId: string, here?: Promise<void>, at?: number): Promise<void> {
    if (at !== undefined) markOver(this.#options.local, clinkId, at)
    this.#known.over(clinkId)
    const change = { kind: 'part', id: clinkId, isOver: true } as const
    return here === undefined ? this.#exchange.tell(change, true) : this.#exchange.tellAfter(change, here)
  }

  async prune(keep: number): Promise<void> {
    if (this.isHealthy) await this.#options.store.prune(keep).catch((error: unknown) => this.#exchange.failed(error))
  }

  #said(problem: string | undefined): string | undefined {
    return problem === undefined ? undefined : `the shared store ${this.#options.store.place}: ${problem}`
  }

  get #home(): string {
    return `${this.#options.name} ${this.#options.store.place}`
  }

  /** Makes what is missing in the store, and tells it all where it was made anew. */
  async #prepare(): Promise<void> {
    if (!(await prepareStore(this.#options, this.#home, this.pauses))) return
    this.#tellUntold()
    this.#exchange.isAnew(ANEW)
  }

  async #beat(): Promise<void> {
    const { local, store } = this.#options
    try {
      if (!this.#isPrepared) await this.#prepare()
      this.#isPrepared = true
      const refusal = await store.beat(JSON.stringify(this.signs()))
      if (refusal === undefined) {
        const asked = this.#exchange.moment
        const seen = local.facts.get(SEEN) ?? ''
        const { isWhole, members, next, notes, pauses, siblings } = await store.changes(seen === '' ? undefined : seen)
        this.#notes.take(notes, asked, isWhole ? 'whole' : undefined)
        this.#siblings = siblings
        this.departed.take(members)
        this.#hasNews = this.pauses.take(pauses)
        if (next !== seen) void local.facts.set(SEEN, next)
        // Not before it is known what is paused.
        this.#telling = this.#exchange.works()
        const untold = untoldSiblings(local, siblings)
        if (untold !== undefined) await store.noteSiblings(...untold)
      } else this.#exchange.refused(refusal)
    } catch (error) {
      this.#exchange.failed(error)
    }
  }

  #compile(changes: readonly Change[], now: number): Batch {
    const parts = changes.filter(({ kind }) => kind === 'part')
    return {
      ...overOf(parts, now),
      parts: partsOf(this.#options.local, parts),
      notes: changes.flatMap((change) => this.#notes.compile(change, now)),
      steps: this.#steps.compile(changes.filter(({ kind }) => kind === 'step').map(({ id }) => id)),
    }
  }

  #told(changes: readonly Change[], notes: readonly Note[], asked: number): void {
    this.#notes.told(changes, notes, asked)
    for (const change of changes) {
      if (change.kind === 'step') this.#steps.told(change.id)
      else if (!this.#exchange.isOpen(change)) void this.#options.local.untold.delete(keyOf(change))
    }
  }
}
