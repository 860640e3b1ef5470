import type { Limits } from '../../src/handlers/route.ts'
import type { Fleet } from '../../src/ledger/fleet.ts'
import { BareFleet } from './bare-fleet.ts'
import { MemoryLimits } from './memory-limits.ts'
import { MINUTE, VirtualBench, type VirtualOptions } from './virtual.ts'

export const SECOND = 1_000
/** The key of what bob sends. */
export const KEY = 'user_bob'
export const serial: Limits = { serial: 'sender', serialScope: 'fleet' }
export const select = {
  inbox: { claim: 'select' },
  claim: { exclusive: true, timeout: MINUTE },
  handlers: { grace: SECOND, timeout: 60 * MINUTE },
} as const
export const batch = { ...select, inbox: { claim: 'batch' } } as const

/** A fleet that shares limits and nothing else. */
class LimitedFleet extends BareFleet {
  readonly #shared: MemoryLimits
  /** Before the fleet knows that something is about to start. */
  beforeBegun: () => Promise<void> = async () => await Promise.resolve()
  override readonly begun: Fleet['begun'] = async (_, here) => {
    await this.beforeBegun()
    await here
  }

  constructor(shared: MemoryLimits) {
    super()
    this.#shared = shared
    this.paused = []
  }

  override get limits(): Fleet['limits'] {
    return this.#shared.for(this.member)
  }
}

export interface Run {
  readonly content: string
  readonly at: number
  until: number
  aborted?: string
}

/** A worker of a fleet, and the store of it. */
export class Member {
  readonly runs: Run[] = []
  readonly bench: VirtualBench
  readonly shared: MemoryLimits
  readonly fleet: LimitedFleet
  /** Milliseconds that a run takes. */
  lasts = SECOND
  /** What it does about its abort. */
  heeds = true
  /** Whether what says that it fails does. */
  fails = true
  /** It does not reach the service. */
  isCutOff = false
  /** What it claims by id fails, and nothing else. */
  failsToClaim = false

  constructor(limits: Limits, settings: VirtualOptions['settings'] = {}) {
    let time = (): number => 0
    let at = (_: number, __: () => void): void => {}
    this.shared = new MemoryLimits(
      () => time(),
      async (ms) => await new Promise((resolve) => at(ms, resolve)),
    )
    this.fleet = new LimitedFleet(this.shared)
    this.bench = new VirtualBench({
      limits,
      fleet: this.fleet,
      settings: {
        concurrency: 8,
        retry: { attempts: 3, backoff: 5 * SECOND, maxBackoff: 5 * SECOND },
        ...select,
        ...settings,
      },
      weather: ({ path }) => (this.isCutOff || (this.failsToClaim && path.endsWith('/claim')) ? 'reset' : undefined),
      handle: async ({ content }, { signal }, bench) => {
        const run: Run = { content, at: bench.time.now, until: Infinity }
        this.runs.push(run)
        try {
          await bench.take(this.lasts, this.heeds ? signal : new AbortController().signal)
        } catch (error) {
          run.aborted = (signal.reason as { code: string }).code
          throw error
        } finally {
          run.until = bench.time.now
        }
        if (this.fails && content.startsWith('fails')) throw new Error('not yet')
      },
    })
    const { bench } = this
    time = () => bench.time.now
    at = (ms, run) => void bench.time.at(bench.time.now + ms, run)
  }

  send(content: string, from = 'bob'): string {
    return this.bench.emulator.send('ops', content, { from }).clink_id
  }

  get left(): number {
    return this.bench.emulator.clinks().filter(({ status }) => status !== 'completed').length
  }

  /** Another member takes what is free. */
  async takes(key: string, length = MINUTE): Promise<boolean> {
    const wish = { keys: [{ route: 'test', key, token: 'other', clink: 'other' }], freed: [], rates: [] }
    let granted: ReadonlySet<string> | undefined
    void this.shared
      .for('two')
      .ask(wish, length)
      .then((answer) => (granted = answer.granted))
    await this.bench.pass(10)
    return granted?.has('other') === true
  }

  async gives(key: string): Promise<void> {
    const token = this.shared.keys.get(`test ${key}`)?.token ?? ''
    void this.shared.for('two').ask({ keys: [], freed: [{ route: 'test', key, token }], rates: [] }, 1)
    await this.bench.pass(10)
  }

  get keys(): readonly string[] {
    return [...this.shared.keys].flatMap(([name, { member }]) => (member === 'one' ? [name] : []))
  }
}
