import { beforeEach, describe, expect, it } from 'vitest'
import type { WorkerEvent } from '../../../src/events.ts'
import type { WorkerContext } from '../../../src/worker/context.ts'
import { Backoff, LATE, PAUSED } from '../../../src/worker/delivery/backoff.ts'
import type { Handle } from '../../../src/worker/delivery/handle.ts'
import { clink } from '../../support/sample-records.ts'

const facts = { clink, route: 'work', attempt: 1 }
const never = new Promise<never>(() => {})

let now: number
let timers: Set<{ readonly at: number; readonly run: () => void }>
let events: WorkerEvent[]
let expected: unknown[]
let handle: { facts: typeof facts; heldFor: number; isAsleep: boolean; pulse: object }
let backoff: Backoff

beforeEach(() => {
  now = 1_000
  timers = new Set()
  events = []
  expected = []
  const clock = {
    now: () => now,
    wall: () => now,
    at: (at: number, run: () => void) => {
      const timer = { at, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  }
  handle = { facts, heldFor: 0, isAsleep: false, pulse: { expect: (...args: unknown[]) => expected.push(args) } }
  const context = { clock, emit: (event: WorkerEvent) => events.push(event) }
  backoff = new Backoff(handle as unknown as Handle, context as unknown as WorkerContext)
})

const pass = (ms: number): void => {
  now += ms
  for (const timer of timers) if (timer.at <= now) timer.run()
}
const isOver = async (wait: Promise<void>): Promise<boolean> =>
  await Promise.race([wait.then(() => true), new Promise<boolean>((done) => setImmediate(done, false))])

describe('a wait between two starts', () => {
  it('is told, with its reason, and for how long it may last (P12)', () => {
    expect([backoff.dueAt, backoff.why]).toEqual([undefined, undefined])
    backoff.begin(5_000, 'it fails')
    expect(events).toEqual([{ event: 'clink.held', ...facts, wait: 5_000, why: 'it fails' }])
    expect([backoff.dueAt, backoff.why, handle.isAsleep, expected]).toEqual([
      6_000,
      'it fails',
      false,
      [['hold', 5_000]],
    ])
  })

  it('that its handler wants is a sleep, until the next one', () => {
    backoff.begin(5_000, 'until noon', true)
    expect(handle.isAsleep).toBe(true)
    backoff.begin(5_000, 'it fails')
    expect(handle.isAsleep).toBe(false)
  })

  it('is over when it is due, and was held for as long', async () => {
    backoff.begin(5_000, 'it fails')
    const wait = backoff.over(never)
    pass(4_999)
    expect([await isOver(wait), backoff.dueAt]).toEqual([false, 6_000])
    pass(1)
    expect(await isOver(wait)).toBe(true)
    expect([handle.heldFor, backoff.dueAt, backoff.left, backoff.why, timers.size]).toEqual([
      5_000,
      undefined,
      undefined,
      'it fails',
      0,
    ])
    pass(100)
    backoff.begin(2_000, 'it fails')
    const next = backoff.over(never)
    pass(2_000)
    expect([await isOver(next), handle.heldFor]).toEqual([true, 7_000])
  })

  it('that was over before it was written is so at once', async () => {
    backoff.begin(5_000, 'it fails')
    pass(6_000)
    const wait = backoff.over(never)
    pass(0)
    expect([await isOver(wait), handle.heldFor, backoff.left]).toEqual([true, 6_000, undefined])
  })

  it('that is interrupted has some of it left, over which a stop leaves the clink alone', async () => {
    const interrupted = Promise.withResolvers<void>()
    backoff.begin(5_000, 'it fails')
    const wait = backoff.over(interrupted.promise)
    pass(2_000)
    interrupted.resolve()
    expect(await isOver(wait)).toBe(true)
    expect([handle.heldFor, backoff.left, backoff.dueAt, timers.size]).toEqual([2_000, 3_000, undefined, 0])
  })

  it('that nobody has begun is over at once', async () => {
    const wait = backoff.over(never)
    pass(0)
    expect(await isOver(wait)).toBe(true)
  })
})

describe('a wait for a route that is paused', () => {
  it('is over when its turn has come, and leaves nothing to be waited for after a stop', async () => {
    const come = Promise.withResolvers<void>()
    let left = 0
    backoff.begin(60_000, PAUSED)
    backoff.take({ come: come.promise, leave: () => (left += 1) })
    const wait = backoff.over(never)
    pass(10_000)
    expect([await isOver(wait), left]).toEqual([false, 0])
    come.resolve()
    expect([await isOver(wait), left, handle.heldFor, backoff.left]).toEqual([true, 1, 10_000, undefined])
    // Its turn was for this wait only.
    backoff.begin(5_000, 'it fails')
    const next = backoff.over(never)
    pass(100)
    expect(await isOver(next)).toBe(false)
    pass(4_900)
    expect([await isOver(next), left]).toEqual([true, 1])
  })
})

describe('why a clink waits', () => {
  const said = (): unknown[] => events.map((event) => 'why' in event && event.why)

  it('is said once between two starts, though one wait may follow another', () => {
    backoff.begin(1_000, PAUSED)
    backoff.begin(1_000, PAUSED)
    backoff.begin(1_000, LATE)
    expect(said()).toEqual(['its route is paused', 'what its fleet had given it for this start was over by then'])
  })

  it('is said anew after a start', () => {
    backoff.begin(1_000, PAUSED)
    backoff.end()
    expect(backoff.why).toBeUndefined()
    backoff.begin(1_000, PAUSED)
    expect(said()).toHaveLength(2)
  })
})
