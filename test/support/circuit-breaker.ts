import type { WorkerEvent } from '../../src/events.ts'
import type { Route } from '../../src/handlers/route.ts'
import { Memory } from '../../src/ledger/memory.ts'
import { CircuitBreaker, type CircuitBreakerOptions } from '../../src/worker/capacity/circuit-breaker.ts'
import { WorkerSignals } from '../../src/worker/signals.ts'
import { Chance } from '../simulation/chance.ts'
import { VirtualTime } from '../simulation/virtual-time.ts'
import { makeSettings } from './settings.ts'

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE

export const makeRoute = (name: string, generation = 1): Route => ({
  name,
  file: name,
  generation,
  target: { is: 'module', handle: () => 'done' },
  with: {},
  timeout: MINUTE,
  retry: { attempts: 5, backoff: 5 * SECOND, maxBackoff: 10 * MINUTE },
})

/** A clink of which nothing is remembered. */
export const unknown = (id: string): Memory => new Memory(id, {}, { coolsFor: 0, isOwn: false })
export const route = makeRoute('work')
export const away = { reason: 'the handler threw an error', said: 'away', error: new Error('away') }

/** The health of routes on virtual time, beside which nothing else is of a worker. */
export function setUp(options: Partial<CircuitBreakerOptions> = {}) {
  const time = new VirtualTime(new Chance(1))
  const clock = {
    now: () => time.now,
    wall: () => time.now,
    at: (at: number, run: () => void) => time.at(Math.max(at, time.now), run),
  }
  const told: WorkerEvent[] = []
  const looks: string[] = []
  const look = new WorkerSignals().look
  look.on((what) => looks.push(what))
  const health = new CircuitBreaker({
    clock,
    random: () => 0.5,
    emit: (event: WorkerEvent) => told.push(event),
    look,
    router: { generation: 1, routes: [route] },
    settings: makeSettings(),
    ...options,
  })
  const fail = (id: string): boolean => {
    health.started(route, unknown(id))
    return health.ended(route, id, away)
  }
  const pause = (): void => {
    for (let n = 0; n < 10; n += 1) fail(`bad ${n % 5}`)
  }
  const pass = async (ms: number): Promise<void> => {
    time.at(time.now + ms, () => {})
    await time.runUntil(time.now + ms, () => false)
  }
  /** Until the next probe is due. */
  const due = async (): Promise<void> => await pass(Math.max(1, health.wait(route, unknown('new'))))
  return {
    clock,
    fail,
    health,
    pass,
    pause,
    due,
    looks,
    time,
    told,
    get events() {
      return told.map(({ event }) => event)
    },
  }
}
