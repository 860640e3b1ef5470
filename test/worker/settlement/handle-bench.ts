import type { WorkerEvent } from '../../../src/events.ts'
import type { WorkerKey } from '../../../src/keys/keys.ts'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import type { HeldClaim } from '../../../src/ledger/process.ts'
import type { Lease } from '../../../src/worker/claim/lease.ts'
import type { HandleOwner, Settled } from '../../../src/worker/delivery/handle.ts'
import { Pulses } from '../../../src/worker/liveness/pulses.ts'
import { ClaimHandle } from '../../../src/worker/settlement/claim-handle.ts'
import type { SettlementContext } from '../../../src/worker/settlement/context.ts'
import { WorkerSignals } from '../../../src/worker/signals.ts'
import { clink } from '../../support/sample-records.ts'
import type { FakeKeeper } from './fake-keeper.ts'

export const BEGIN = 1_000
const WALL = 1_800_000_000_000

export interface HandleWish {
  readonly madeWith?: string
  readonly before?: (ledger: Ledger) => Promise<unknown>
  readonly route?: object
}

/** A claim of 100 s in hand, which may be trusted for 90 s. Whoever makes one mocks the keeper. */
export class HandleBench {
  now = BEGIN
  isKept = true
  readonly events: WorkerEvent[] = []
  readonly lost: Settled[] = []
  readonly deadLettered: string[] = []
  readonly tables = memoryTables()
  readonly clock = {
    now: (): number => this.now,
    wall: (): number => WALL + this.now,
    at: () => () => {},
  }
  readonly ledger = new Ledger(
    this.tables,
    () => this.isKept,
    () => this.clock.wall(),
  )
  readonly pulses = new Pulses(this.clock)
  readonly terms = { timesAbsent: false }
  readonly key = { api: { name: 'api' }, fingerprint: 'key-1' } as unknown as WorkerKey
  readonly lease: Lease = {
    firstSent: 900,
    grantedAt: BEGIN,
    end: BEGIN + 100_000,
    deadline: BEGIN + 90_000,
    margin: 10_000,
    serverEnd: 7,
    basis: 'told',
  }
  readonly owner: { -readonly [Key in keyof HandleOwner]: HandleOwner[Key] } = {
    attempt: 0,
    isRunning: false,
    place: undefined,
    dueAt: undefined,
    age: undefined,
    lost: (settled) => void this.lost.push(settled),
  }
  handle!: ClaimHandle
  readonly context: SettlementContext

  private constructor() {
    const signals = new WorkerSignals()
    signals.deadLettered.on(({ clink_id: id }) => this.deadLettered.push(id))
    this.context = {
      clock: this.clock,
      boot: { id: 'boot-1', uptime: () => 50_000 + this.now },
      emit: (event: WorkerEvent) => this.events.push(event),
      ledger: this.ledger,
      pulses: this.pulses,
      signals,
      terms: this.terms,
    } as unknown as SettlementContext
  }

  static async of({ before, madeWith, route = {} }: HandleWish = {}): Promise<HandleBench> {
    const bench = new HandleBench()
    await before?.(bench.ledger)
    const memory = await bench.ledger.recallOne(clink.clink_id)
    const claim = { lease: bench.lease, key: bench.key, memory, ...(madeWith !== undefined && { madeWith }) }
    bench.handle = new ClaimHandle(clink, { name: 'work', ...route } as never, claim, bench.context)
    return bench
  }

  /** Its owner has it, and it is journalled. */
  static async started(wish: HandleWish = {}): Promise<HandleBench> {
    const bench = await HandleBench.of(wish)
    bench.handle.start(bench.owner)
    await bench.handle.note()
    bench.events.length = 0
    return bench
  }

  get keeper(): FakeKeeper {
    return this.handle.holder as unknown as FakeKeeper
  }

  /** The claim as the journal has it. */
  get journalled(): HeldClaim | undefined {
    return this.tables.claims.get(clink.clink_id)?.claim
  }
}
