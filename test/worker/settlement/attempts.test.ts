import { describe, expect, it } from 'vitest'
import type { Lease } from '../../../src/worker/claim/lease.ts'
import { FailingSpell } from '../../../src/worker/settlement/attempts.ts'
import { release } from '../../../src/worker/settlement/release.ts'
import { away, BEGIN, LATENCY, refused, SettlementBench, type World } from './settlement-bench.ts'

/** A release, whose tries are those of every settlement. */
async function run(world: World): Promise<SettlementBench> {
  const bench = new SettlementBench(world)
  await bench.end(release(bench.claimed, 'handler', undefined, bench.context))
  return bench
}
const waits = (bench: SettlementBench): number[] => bench.all('clink.settlementFailed').map(({ wait }) => wait)
const busy = (retryAfter?: number) => refused(429, { retryAfter })

describe('a try', () => {
  it('is one request, which nothing sends past the deadline or the end of a stop, or when the claim is gone (P2)', async () => {
    const { asked, context, time } = await run({ lasts: 60_000 })
    const [{ limits } = { limits: undefined }] = asked
    expect(limits).toMatchObject({ deadline: BEGIN + 60_000, attempts: 1 })
    expect(limits?.signal).toBe(context.closing)
    expect(limits?.isWanted()).toBe(true)
    await time.runUntil(60_000, () => false)
    expect(limits?.isWanted()).toBe(false)
  })

  it('does not begin when the claim is gone, or the time for stopping is over', async () => {
    expect((await run({ lasts: 0 })).asked).toEqual([])
    expect((await run({ closeAt: 0 })).asked).toEqual([])
    expect((await run({ answers: [away], closeAt: 100 })).times('release')).toEqual([0])
  })

  it('says for how long it may keep its clink, and so does the wait for the next (P12)', async () => {
    const within: number[] = []
    const claimed = { trying: (ms: number) => within.push(ms) }
    await run({ answers: [away, undefined], claimed })
    // Five requests of five seconds at most.
    expect(within).toEqual([25_000, 187.5, 25_000])
  })
})

describe('the wait between two tries', () => {
  it('doubles from a quarter of a second to ten seconds, of which it is half to all (P10)', async () => {
    const bench = await run({ answers: [away], lasts: 40_000 })
    expect(waits(bench).slice(0, 8)).toEqual([187.5, 375, 750, 1_500, 3_000, 6_000, 7_500, 7_500])
    expect(bench.times('release').slice(0, 3)).toEqual([0, LATENCY + 187.5, 2 * LATENCY + 562.5])
  })

  it('ends with the claim', async () => {
    const bench = await run({ answers: [away], lasts: 400 })
    expect(waits(bench)).toEqual([187.5, 400 - 187.5 - 2 * LATENCY])
    expect(bench.time.now).toBe(400)
    expect(waits(await run({ answers: [away], lasts: 3 }))).toEqual([0])
  })

  it('is told, with the error and how many have failed in a row', async () => {
    const bench = await run({ answers: [away, away, undefined] })
    const facts = { event: 'clink.settlementFailed', clink: bench.claimed.clink, route: 'work', kind: 'release' }
    expect(bench.events).toEqual([
      { ...facts, error: away, wait: 187.5, failures: 1 },
      { ...facts, error: away, wait: 375, failures: 2 },
      { event: 'settlements.recovered', failures: 2, duration: 2 * LATENCY + 562.5 },
    ])
    expect(bench.noted).toEqual([['no renewal'], ['failed', 503], ['failed', 503]])
    expect((await run({ answers: [away, undefined] })).all('settlements.recovered')).toEqual([])
  })

  it('is as long as the service asks for, and a rate limit is one for others as well', async () => {
    const bench = await run({ answers: [busy(5_000), refused(503, { retryAfter: 2_000 }), undefined] })
    expect(waits(bench)).toEqual([5_000, 2_000])
    expect(bench.noted).toContainEqual(['rate limit', 5_000])
    expect(bench.noted).not.toContainEqual(['rate limit', 2_000])
    expect(bench.times('release')).toEqual([0, 5_005, 7_010])
  })

  it.each([
    ['at once, where the service asked for nothing', away, 100, 100],
    ['when it has lasted as long as the service asked for', busy(100), 50, LATENCY + 100],
    ['at once, where it lasts longer than that', busy(100), 150, 150],
  ])('is ended by a stop %s (P8)', async (_, error, stopAt, next) => {
    const bench = await run({ answers: [error, undefined], stopAt })
    expect(bench.times('release')).toEqual([0, next])
  })

  it('that begins after a stop has begun goes on until its time is over', async () => {
    const world = { answers: [away, away, undefined], stopAt: 0 }
    expect((await run(world)).times('release')).toEqual([0, LATENCY + 187.5, 2 * LATENCY + 562.5])
    const bench = await run({ ...world, closeAt: 300 })
    expect([bench.times('release').length, bench.time.now]).toEqual([2, 300])
  })

  it('that the service asked for is over with the time for stopping', async () => {
    const bench = await run({ answers: [busy(5_000)], stopAt: 100, closeAt: 300 })
    expect([bench.times('release'), bench.time.now]).toEqual([[0], 300])
  })
})

describe('for how long the service has failed to take a result', () => {
  const clock = { now: 0, wall: () => 0, at: () => () => {} }
  const spell = (length: number): FailingSpell => {
    clock.now = 1_000
    return new FailingSpell({ ...clock, now: () => clock.now }, length)
  }
  const lease = (length: number): Lease => ({ grantedAt: 500, end: 500 + length }) as Lease

  it('is told when that is as long as its claim lasts, and counted anew then', () => {
    const one = spell(100)
    expect([one.lasts, one.note(true, lease(100))]).toEqual([0, undefined])
    clock.now += 99
    expect([one.lasts, one.note(true, lease(100))]).toEqual([99, undefined])
    clock.now += 1
    expect([one.lasts, one.note(true, lease(100)), one.lasts]).toEqual([100, 100, 0])
    clock.now += 150
    expect([one.lasts, one.note(true, lease(100))]).toEqual([0, undefined])
    clock.now += 130
    expect(one.note(true, lease(100))).toBe(130)
  })

  it('is counted without a break: another answer begins it anew', () => {
    const one = spell(100)
    one.note(true, lease(100))
    clock.now += 90
    expect([one.note(false, lease(100)), one.lasts]).toEqual([undefined, 0])
    clock.now += 200
    expect([one.note(false, lease(100)), one.lasts]).toEqual([undefined, 0])
    one.note(true, lease(100))
    clock.now += 99
    expect(one.note(true, lease(100))).toBeUndefined()
  })

  it('goes by the longest that the claim has had: what is asked for, or what a poll or a renewal brought', () => {
    const one = spell(100)
    one.note(true, lease(300))
    clock.now += 299
    expect(one.note(true, lease(50))).toBeUndefined()
    clock.now += 1
    expect(one.note(true, lease(50))).toBe(300)
  })
})
