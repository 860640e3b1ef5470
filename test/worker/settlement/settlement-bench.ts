import { Streak } from '../../../src/base/streak.ts'
import { ClinkApiError, type ApiFailure } from '../../../src/clink/errors.ts'
import type { Clink } from '../../../src/clink/records.ts'
import type { WorkerEvent } from '../../../src/events.ts'
import { Identity } from '../../../src/keys/identity.ts'
import type { Claimed } from '../../../src/worker/settlement/attempts.ts'
import type { SettlementContext } from '../../../src/worker/settlement/context.ts'
import { WorkerSignals } from '../../../src/worker/signals.ts'
import { Chance } from '../../simulation/chance.ts'
import { VirtualTime } from '../../simulation/virtual-time.ts'
import { clink } from '../../support/sample-records.ts'
import { makeSettings } from '../../support/settings.ts'

/** What an answer takes, in milliseconds. */
export const LATENCY = 5
/** Local time at which all begins. */
export const BEGIN = 1_000

const LASTS = 60_000

export function refused(status: number, more: Partial<ApiFailure> = {}): ClinkApiError {
  const facts = { detail: 'no', operation: 'complete_clink', mayHaveHappened: false, isBare: false } as const
  const rest = { retryAfter: undefined, failure: undefined, ...more }
  return new ClinkApiError(`it failed with ${status}`, { ...facts, status, ...rest })
}
export const away = refused(503)
export const unanswered = refused(0, { mayHaveHappened: true, failure: 'timeout' })

/** Undefined: the service takes it. */
export type Answer = ClinkApiError | Readonly<Record<string, unknown>> | undefined

export interface World {
  readonly answers?: readonly Answer[]
  /** What a look at the group brings, the last one for ever. */
  readonly shown?: readonly (readonly Partial<Clink>[] | ClinkApiError)[]
  readonly exclusive?: boolean
  /** How long the claim stands, and how long it is: it is longer than it stands, or was renewed. */
  readonly lasts?: number
  readonly length?: number
  readonly latency?: number
  /** When a stop begins, and when its time is over. */
  readonly stopAt?: number
  readonly closeAt?: number
  /** When its fleet knows why the clink is left alone, and when the store of that fails. */
  readonly toldAt?: number
  readonly storeFailsAt?: number
  readonly claimed?: Partial<Claimed>
  readonly clink?: Partial<Clink>
}

/** What a request is limited by. */
interface Limits {
  readonly deadline: number
  readonly attempts: number
  readonly signal: AbortSignal
  isWanted(): boolean
}

interface Asked {
  readonly what: string
  /** Since the begin. */
  readonly at: number
  readonly params: object
  readonly limits: Limits
}

/** A claim that is told to a service which answers by a script, the last answer for ever. Times are since the begin. */
export class SettlementBench {
  readonly time = new VirtualTime(new Chance(1))
  readonly events: WorkerEvent[] = []
  readonly asked: Asked[] = []
  /** What was noted of it, in order. */
  readonly noted: unknown[] = []
  readonly clock = {
    now: (): number => BEGIN + this.time.now,
    wall: (): number => this.time.now,
    at: (at: number, act: () => void) => this.time.at(Math.max(at - BEGIN, this.time.now), act),
  }
  readonly claimed: Claimed
  readonly context: SettlementContext
  readonly #world: World

  constructor(world: World = {}) {
    this.#world = world
    const {
      answers = [],
      claimed,
      closeAt,
      exclusive = false,
      lasts = LASTS,
      length = lasts + 1_000,
      shown = [[]],
      stopAt,
    } = world
    const [closing, stopping] = [closeAt, stopAt].map((at) => {
      const controller = new AbortController()
      if (at !== undefined) this.time.at(at, () => controller.abort())
      if (at === 0) controller.abort()
      return controller.signal
    })
    const signals = new WorkerSignals()
    signals.settlementFailed.on((_, error) => this.noted.push(['failed', error.status]))
    const note =
      (what: string) =>
      (...args: readonly unknown[]): Promise<void> => {
        this.noted.push([what, ...args])
        return Promise.resolve()
      }
    const settle = this.#service(answers)
    const { clock } = this
    const deadline = BEGIN + lasts
    this.claimed = {
      clink: { ...clink, ...world.clink },
      api: {
        releaseClink: settle('release'),
        completeClink: settle('complete'),
        getClinks: this.#service(shown.map((clinks) => (Array.isArray(clinks) ? { clinks } : clinks)) as Answer[])(
          'look',
        ),
      },
      holder: {
        lease: { deadline, grantedAt: deadline - length, end: deadline },
        get stands() {
          return clock.now() < deadline
        },
        stopRenewing: note('no renewal'),
      },
      facts: { clink, route: 'work' },
      ...claimed,
    } as unknown as Claimed
    this.context = {
      clock,
      closing,
      stopping,
      emit: (event: WorkerEvent) => this.events.push(event),
      outages: { settlements: new Streak(clock) },
      random: () => 0.5,
      rateLimit: { refused: note('rate limit') },
      settings: makeSettings({ claim: { exclusive }, inbox: { for: 'me' } as never }),
      signals,
      identity: new Identity('me', () => {}),
      agentProfiles: { has: () => false },
      loopGuard: { answered: note('answered') },
      warmth: { answered: () => {} },
      terms: { settingsOf: () => ({ timeout: 30_000 }) },
      ledger: {
        settled: ({ clink_id: id }: Clink) => note('settled')(id),
        addOwn: note('own'),
        isTold: () => (world.toldAt ?? 0) <= this.time.now,
        isKept: () => true,
        get isHealthy() {
          return clock.now() < BEGIN + (world.storeFailsAt ?? Infinity)
        },
      },
    } as unknown as SettlementContext
  }

  /** Times of all that was asked of this kind. */
  times(what: string): readonly number[] {
    return this.asked.filter((one) => one.what === what).map(({ at }) => at)
  }

  /** What was sent of this kind. */
  sent(what: string): readonly object[] {
    return this.asked.filter((one) => one.what === what).map(({ params }) => params)
  }

  all<Name extends WorkerEvent['event']>(name: Name): readonly Extract<WorkerEvent, { event: Name }>[] {
    return this.events.filter((one): one is Extract<WorkerEvent, { event: Name }> => one.event === name)
  }

  /** What it comes to. */
  async end<Result>(settling: Promise<Result>): Promise<Result> {
    let isOver = false
    void settling.finally(() => (isOver = true))
    await this.time.runUntil(2 * (this.#world.lasts ?? LASTS), () => isOver)
    if (!isOver) throw new Error('it does not end')
    return await settling
  }

  #service(answers: readonly Answer[]) {
    let count = 0
    return (what: string) =>
      async (params: object, limits: Limits): Promise<unknown> => {
        this.asked.push({ what, at: this.time.now, params, limits })
        const answer = answers[Math.min(count, answers.length - 1)]
        count += 1
        await new Promise<void>((resolve) => this.time.at(this.time.now + (this.#world.latency ?? LATENCY), resolve))
        if (answer instanceof ClinkApiError) throw answer
        return answer ?? { clink: {} }
      }
  }
}
