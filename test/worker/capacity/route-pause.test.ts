import { describe, expect, it } from 'vitest'
import { Memory } from '../../../src/ledger/memory.ts'
import type { Turn } from '../../../src/worker/capacity/route-pause.ts'
import { away, HOUR, makeRoute, MINUTE, route, SECOND, setUp, unknown } from '../../support/circuit-breaker.ts'
import { clink } from '../../support/sample-records.ts'

type Bench = ReturnType<typeof setUp>

const unavailable = { reason: 'connection refused', error: new Error('refused'), isUnavailable: true } as const

/** A clink of which an earlier process has noted a failure. */
const failedBefore = (id: string): Memory =>
  new Memory(id, { attempts: { count: 1, errors: ['broken'], crashes: 0, at: 0 } }, { coolsFor: 0, isOwn: false })

/** Those of the turns that have come, in order. */
function watch(turns: Readonly<Record<string, Turn | undefined>>): string[] {
  const come: string[] = []
  for (const [id, turn] of Object.entries(turns)) void turn?.come.then(() => come.push(id))
  return come
}

/** The pause lasts for too long: a failure after six hours says so. */
async function outlast({ fail, health, pass }: Bench): Promise<void> {
  await pass(6 * HOUR)
  expect(fail('bad 0')).toBe(true)
  expect(health.isPausedFor(route, 'bad 0')).toBe(false)
}

describe('§4: an open route', () => {
  it('holds nothing back, asks for no look, and its failures cost attempts (P10)', () => {
    const { fail, health, looks } = setUp()
    expect([health.isPaused(route), health.isPausedFor(route, 'one'), health.paused]).toEqual([false, false, []])
    expect([health.isOpen(route), health.wait(route, unknown('one')), health.turn(route, unknown('one'))]).toEqual([
      true,
      0,
      undefined,
    ])
    health.looked(route, 0)
    expect([health.wantsLook(route, -1), health.isDueSince(route, -1), health.isLooking(route)]).toEqual([
      false,
      false,
      false,
    ])
    expect([health.costsAttempt(route), fail('one')]).toEqual([true, true])
    expect(['other', 'nothing', 'done'].map((said) => health.ended(route, 'two', said as 'other'))).toEqual([
      true,
      true,
      true,
    ])
    expect(looks).toEqual([])
  })
})

describe('§4: what pauses a route', () => {
  it('ten failures in a row, of five clinks, and not of four', () => {
    const { fail, health } = setUp()
    for (let n = 0; n < 40; n += 1) fail(`bad ${n % 4}`)
    expect(health.isPaused(route)).toBe(false)
    fail('bad 4')
    expect(health.isPaused(route)).toBe(true)
  })

  it('the last ten count: a clink that failed before them is none of the five', () => {
    const { fail, health } = setUp()
    fail('long ago')
    for (let n = 0; n < 10; n += 1) fail(`bad ${n % 3}`)
    fail('bad 3')
    expect(health.isPaused(route)).toBe(false)
  })

  it('is told with how many failed, of how many clinks, why, and that the clinks are not at fault', () => {
    const { fail, health, pause, told } = setUp()
    for (let n = 0; n < 3; n += 1) fail('bad 0')
    pause()
    expect(told).toEqual([
      {
        event: 'route.paused',
        route: 'work',
        failures: 10,
        clinks: 5,
        ...away,
        advice: expect.stringMatching(/clinks are not at fault.*none loses an attempt/),
      },
    ])
    expect(health.paused).toEqual([route])
    expect(setUp({ router: { generation: 1, routes: [route, makeRoute('other')] } }).health.paused).toEqual([])
  })

  it('a run that is done, or ends otherwise, begins the row anew; one that was aborted does not', () => {
    for (const [said, isPaused] of [
      ['done', false],
      ['other', false],
      ['nothing', true],
    ] as const) {
      const { fail, health } = setUp()
      fail('first')
      health.ended(route, 'between', said)
      for (let n = 0; n < 9; n += 1) fail(`bad ${n % 5}`)
      expect([said, health.isPaused(route)]).toEqual([said, isPaused])
    }
  })

  it('a clink that was done after it had failed is not at fault: its failures count', () => {
    const { fail, health } = setUp()
    fail('turned good')
    health.ended(route, 'turned good', 'done')
    for (let n = 0; n < 9; n += 1) fail(`bad ${n % 4}`)
    fail('turned good')
    expect(health.isPaused(route)).toBe(true)
  })

  it('one that cannot be begun, at once, for as long as that asks, and no attempt is lost', async () => {
    const { health, pass, told } = setUp()
    health.started(route, unknown('one'))
    expect(health.ended(route, 'one', { ...unavailable, retryAfter: 40 * SECOND })).toBe(false)
    expect(told).toMatchObject([{ event: 'route.paused', failures: 1, clinks: 1, reason: 'connection refused' }])
    expect(told[0]).not.toHaveProperty('isUnavailable')
    expect(health.wait(route, unknown('new'))).toBe(40 * SECOND)
    await pass(40 * SECOND)
    // It has not failed: it probes as one that is fresh. What began before the pause says nothing of it.
    expect(health.wait(route, unknown('one'))).toBe(0)
    health.started(route, unknown('one'))
    expect(health.ended(route, 'began before', { ...unavailable, retryAfter: MINUTE })).toBe(false)
    expect(health.ended(route, 'one', { ...unavailable, retryAfter: 30 * SECOND })).toBe(false)
    expect(health.wait(route, unknown('one'))).toBe(30 * SECOND)
    expect(told).toHaveLength(1)
  })
})

describe('P10, §4: while a route is paused', () => {
  it('no failure costs an attempt, whichever run it is of', async () => {
    const { due, health, pause } = setUp()
    pause()
    expect([health.costsAttempt(route), health.isPausedFor(route, 'new')]).toEqual([false, true])
    await due()
    health.started(route, unknown('probe'))
    expect(health.ended(route, 'began before', away)).toBe(false)
    expect(health.ended(route, 'began before', 'other')).toBe(false)
    // The probe goes on.
    expect(health.wait(route, unknown('new'))).toBeGreaterThan(0)
    expect([health.isOpen(route), health.isLooking(route)]).toEqual([false, false])
  })

  it('the inbox is to be looked at when a probe is due and not before, and once only', async () => {
    const { clock, due, health, pass, pause } = setUp()
    pause()
    const before = clock.now()
    expect([health.wantsLook(route, before), health.isDueSince(route, before)]).toEqual([false, false])
    await due()
    expect([health.wantsLook(route, before), health.isDueSince(route, before)]).toEqual([true, true])
    expect([health.wantsLook(route, clock.now()), health.isDueSince(route, clock.now())]).toEqual([false, false])
    await pass(10 * SECOND)
    expect([health.wantsLook(route, before), health.isDueSince(route, before)]).toEqual([false, true])
    health.started(route, unknown('probe'))
    expect([health.wantsLook(route, before), health.isDueSince(route, before)]).toEqual([false, false])
  })

  it('a look that ends in the moment in which a probe is due needs no other', async () => {
    const { health, looks, pass, pause, time } = setUp()
    time.at(3_750, () => health.looked(route, 3_750))
    pause()
    await pass(20 * SECOND)
    expect([looks, health.isLooking(route)]).toEqual([[], false])
  })

  it('a run that began before the pause, and goes on, is its probe: nothing is looked for', async () => {
    const { due, health, looks, pause } = setUp()
    pause()
    health.started(route, unknown('queued'))
    await due()
    expect(looks).toEqual([])
  })

  it('a clink whose failure an earlier process has noted is not fresh', async () => {
    const { clock, due, health, pause } = setUp()
    pause()
    await due()
    expect([unknown('new'), failedBefore('old')].map((one) => health.wait(route, one) === 0)).toEqual([true, false])
    health.looked(route, clock.now())
    expect(health.wait(route, failedBefore('old'))).toBe(0)
  })

  it('a look that takes too long starts nobody beside a probe that has begun meanwhile', async () => {
    const { due, health, pass, pause } = setUp()
    pause()
    const come = watch({ 'bad 0': health.turn(route, unknown('bad 0')) })
    await due()
    health.started(route, unknown('probe'))
    await pass(MINUTE)
    expect(come).toEqual([])
  })
})

describe('P10, §4: whose turn it is', () => {
  const looked = async ({ clock, health, pass }: Bench): Promise<void> => {
    health.looked(route, clock.now())
    await pass(0)
  }

  it('of one who waits no more it is not, and who was called once is not called for another', async () => {
    const bench = setUp()
    const { due, health, pause } = bench
    pause()
    const [left, next, last] = ['bad 0', 'bad 1', 'bad 2'].map((id) => health.turn(route, unknown(id)))
    const come = watch({ left, next, last })
    left?.leave()
    await due()
    await looked(bench)
    expect(come).toEqual(['next'])
    next?.leave()
    await looked(bench)
    expect(come).toEqual(['next', 'last'])
    // One that was called and has not said that it waits no more.
    last?.leave()
    await looked(bench)
    expect(come).toEqual(['next', 'last'])
  })

  it('of one who was called and did not start it is not again before the others', async () => {
    const bench = setUp()
    const { due, health, pause } = bench
    pause()
    const come = watch({ one: health.turn(route, unknown('bad 0')), other: health.turn(route, unknown('bad 1')) })
    await due()
    await looked(bench)
    await looked(bench)
    expect(come).toEqual(['one', 'other'])
  })

  it('of one who asks anew it is behind the others, and an earlier asking that ends takes nothing from it', async () => {
    const bench = setUp()
    const { due, health, pause } = bench
    pause()
    const earlier = health.turn(route, unknown('bad 0'))
    const other = health.turn(route, unknown('bad 1'))
    const anew = health.turn(route, unknown('bad 0'))
    const come = watch({ earlier, other, anew })
    earlier?.leave()
    await due()
    await looked(bench)
    expect(come).toEqual(['other'])
    await looked(bench)
    expect(come).toEqual(['other', 'anew'])
  })

  it('of one who comes after a look that took too long it is when the inbox was looked at anew', async () => {
    const bench = setUp()
    const { due, health, looks, pass, pause } = bench
    pause()
    await due()
    await pass(10 * SECOND)
    expect(looks).toEqual(['everything'])
    const come = watch({ late: health.turn(route, unknown('bad 0')) })
    await pass(SECOND)
    expect([looks, come, health.isLooking(route)]).toEqual([['everything', 'everything'], [], true])
    await pass(9 * SECOND)
    expect(come).toEqual(['late'])
  })

  it('of one whose place comes late each time it is when a look that was opened for it has taken too long as well', async () => {
    const { due, health, pass, pause } = setUp()
    pause()
    const waits = (): readonly boolean[] => [false, true].map((late) => health.wait(route, unknown('bad 0'), late) > 0)
    await due()
    expect(waits()).toEqual([true, true])
    await pass(10 * SECOND)
    // While no place was free, nothing may have been looked for.
    expect(waits()).toEqual([false, true])
    health.turn(route, unknown('bad 0'))
    expect(waits()).toEqual([true, true])
    await pass(10 * SECOND)
    expect(waits()).toEqual([false, false])
    await pass(10 * SECOND)
    expect(waits()).toEqual([false, false])
    await pass(1)
    expect(waits()).toEqual([false, true])
    health.turn(route, unknown('bad 0'))
    await pass(10 * SECOND)
    expect(waits()).toEqual([false, false])
    // Nor does that count for the next probe.
    health.started(route, unknown('bad 1'))
    health.ended(route, 'bad 1', away)
    await due()
    await pass(10 * SECOND)
    expect(waits()).toEqual([false, true])
  })

  it('of a fresh one who comes then it is at once', async () => {
    const { due, health, looks, pass, pause } = setUp()
    pause()
    await due()
    await pass(10 * SECOND)
    const come = watch({ fresh: health.turn(route, unknown('new')) })
    await pass(0)
    expect([looks, come]).toEqual([['everything'], ['fresh']])
  })

  it('of one who comes before a probe is due it is not earlier for that', async () => {
    const { health, looks, pass, pause } = setUp()
    pause()
    const come = watch({ fresh: health.turn(route, unknown('new')) })
    await pass(SECOND)
    expect([looks, come]).toEqual([[], []])
  })

  it('of one who comes while the inbox is looked at it is when that has ended: it is not looked at twice', async () => {
    const { due, health, looks, pass, pause } = setUp()
    pause()
    await due()
    await pass(9 * SECOND)
    const come = watch({ one: health.turn(route, unknown('bad 0')) })
    await pass(SECOND)
    expect([looks, come]).toEqual([['everything'], ['one']])
  })
})

describe('§4: the end of a pause', () => {
  it('is told with how long it lasted; all that wait may start, everything is looked at once, and no probe is due', async () => {
    const { due, health, looks, pass, pause, told } = setUp()
    await pass(MINUTE)
    pause()
    const come = watch({ one: health.turn(route, unknown('bad 0')), other: health.turn(route, unknown('bad 1')) })
    await pass(SECOND)
    health.ended(route, 'good', 'done')
    expect(told.at(-1)).toEqual({ event: 'route.resumed', route: 'work', duration: SECOND })
    await due()
    await pass(MINUTE)
    expect([come, looks]).toEqual([['one', 'other'], ['everything']])
  })

  it('for those that have failed comes after retry.outage, to the millisecond: all of them may start', async () => {
    const bench = setUp()
    const { fail, health, pass, pause } = bench
    pause()
    const come = watch({ one: health.turn(route, unknown('bad 0')), other: health.turn(route, unknown('bad 1')) })
    await pass(6 * HOUR - 1)
    expect(fail('bad 2')).toBe(false)
    expect(health.costsAttempt(route)).toBe(false)
    come.length = 0
    await pass(1)
    expect(fail('bad 2')).toBe(true)
    await pass(0)
    expect(health.costsAttempt(route)).toBe(true)
    expect(come).toContain('other')
  })

  it('for those leaves nobody behind who is called in the place of others', async () => {
    const bench = setUp()
    const { clock, due, fail, health, pass, pause } = bench
    pause()
    await pass(6 * HOUR)
    watch({ gone: health.turn(route, unknown('bad 1')) })
    expect(fail('bad 0')).toBe(true)
    const come = watch({ here: health.turn(route, failedBefore('of an earlier process')) })
    await due()
    health.looked(route, clock.now())
    await pass(0)
    expect(come).toEqual(['here'])
  })

  it('for those makes no probe of them: a fresh one may be it', async () => {
    const bench = setUp()
    const { due, health, pause } = bench
    pause()
    await outlast(bench)
    await due()
    health.started(route, unknown('bad 1'))
    expect(health.wait(route, unknown('new'))).toBe(0)
  })

  it('is one of that pause only: the next one costs nobody an attempt', async () => {
    const bench = setUp()
    const { fail, health, pause } = bench
    pause()
    await outlast(bench)
    health.ended(route, 'good', 'done')
    expect(health.isPaused(route)).toBe(false)
    for (let n = 0; n < 10; n += 1) fail(`fresh ${n % 5}`)
    expect([health.isPaused(route), health.costsAttempt(route), fail('fresh 0')]).toEqual([true, false, false])
  })
})

describe('§4: where the worker ends with the inbox, a pause is over when each clink here has failed a probe', () => {
  const here = (id: string, of = route): { clink: typeof clink; route: typeof route } => ({
    clink: { ...clink, clink_id: id },
    route: of,
  })

  it('of its own route: those of others do not matter', async () => {
    const live = [here('bad 0'), here('elsewhere', makeRoute('other'))]
    const { due, fail, pause } = setUp({ clinksHere: { live } })
    pause()
    await due()
    expect(fail('bad 0')).toBe(true)
  })

  it('and a probe that ended otherwise is none that failed', async () => {
    const { due, fail, health, pause } = setUp({ clinksHere: { live: [here('bad 0'), here('bad 1')] } })
    pause()
    await due()
    health.started(route, unknown('bad 1'))
    health.ended(route, 'bad 1', 'other')
    await due()
    expect(fail('bad 0')).toBe(false)
  })
})
