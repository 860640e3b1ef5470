import { describe, expect, it } from 'vitest'
import { Chance } from '../../simulation/chance.ts'
import { VirtualTime } from '../../simulation/virtual-time.ts'
import { away, HOUR, makeRoute, MINUTE, route, SECOND, setUp, unknown } from '../../support/circuit-breaker.ts'
import { clink } from '../../support/sample-records.ts'

describe('P10, §4: when a route is paused', () => {
  it('a reload opens it, and one that a reload has taken away is nobody’s trouble', () => {
    const bench = setUp()
    const { health, pause } = bench
    pause()
    expect(health.isPaused(route)).toBe(true)
    expect(health.isPaused(makeRoute('other'))).toBe(false)
    expect(health.isPaused(makeRoute('work', 2))).toBe(false)
    expect(bench.events).toEqual(['route.paused', 'route.resumed'])
  })

  it('what runs when a reload has opened it costs nothing when it fails, and tells nothing about the new handler', () => {
    const { health, pause } = setUp()
    const fails = (generation: number): boolean => health.ended(makeRoute('work', generation), 'clink', away)
    pause()
    expect(health.isPaused(makeRoute('work', 2))).toBe(false)
    expect([fails(1), health.costsAttempt(makeRoute('work', 1))]).toEqual([false, false])
    expect([fails(2), health.costsAttempt(makeRoute('work', 2))]).toEqual([true, true])
    expect(health.isPaused(makeRoute('work', 3))).toBe(false)
    expect([fails(1), fails(2)]).toEqual([false, true])
    expect(health.ended(makeRoute('work', 2), 'clink', { ...away, isUnavailable: true })).toBe(false)
    expect(health.paused).toEqual([])
  })

  it('a route that was gone for some reloads and is back is paused as any other', () => {
    const router = { generation: 1, routes: [route] }
    const { health, pause } = setUp({ router })
    pause()
    for (const generation of [2, 2, 2, 3]) {
      Object.assign(router, { generation, routes: [] })
      health.rerouted()
    }
    const back = makeRoute('work', 4)
    Object.assign(router, { generation: 4, routes: [back] })
    health.rerouted()
    expect(health.isPaused(back)).toBe(false)
    for (let n = 0; n < 10; n += 1) health.ended(back, `bad ${n % 5}`, away)
    expect(health.isPaused(back)).toBe(true)
  })

  it('a reload opens what it has replaced or taken away at once, each once, and leaves the rest paused', () => {
    const stays = makeRoute('stays')
    const router = { generation: 1, routes: [stays, makeRoute('replaced'), makeRoute('gone')] }
    const { health, told } = setUp({ router })
    const resumed = (): string[] => told.flatMap((one) => (one.event === 'route.resumed' ? one.route : []))
    for (const each of router.routes) for (let n = 0; n < 10; n += 1) health.ended(each, `bad ${n % 5}`, away)
    health.rerouted()
    expect(resumed()).toEqual([])
    Object.assign(router, { generation: 2, routes: [stays, makeRoute('replaced', 2)] })
    health.rerouted()
    expect(resumed()).toEqual(['replaced', 'gone'])
    health.rerouted()
    expect(resumed()).toEqual(['replaced', 'gone'])
    expect(health.paused).toEqual([stays])
  })

  it('what has failed last on it is told while it is paused, with what the handler said where the reason does not say that', () => {
    const { fail, health, pause } = setUp()
    fail('first')
    expect(health.lastFailure(route)).toBeUndefined()
    pause()
    expect(health.lastFailure(route)).toEqual({ id: 'bad 4', reason: 'the handler threw an error: away' })
    health.ended(route, 'bad 0', { ...away, reason: 'the handler threw "away"' })
    expect(health.lastFailure(route)).toEqual({ id: 'bad 0', reason: 'the handler threw "away"' })
    health.ended(route, 'bad 1', { reason: 'it ran for too long', error: new Error('late') })
    health.ended(route, 'bad 2', 'nothing')
    expect(health.lastFailure(route)).toEqual({ id: 'bad 1', reason: 'it ran for too long' })
    health.ended(route, 'bad 1', 'done')
    expect(health.lastFailure(route)).toBeUndefined()
  })

  it('clinks that failed before another was done count towards no pause: the fault is theirs', () => {
    const { fail, health, pause } = setUp()
    for (let n = 0; n < 5; n += 1) fail(`bad ${n}`)
    health.ended(route, 'good', 'done')
    pause()
    pause()
    expect(health.isPaused(route)).toBe(false)
    for (let n = 0; n < 10; n += 1) fail(`fresh ${n % 5}`)
    expect(health.isPaused(route)).toBe(true)
  })

  it('a run that ends otherwise is no failure in a row, and no proof that the route works', () => {
    const { fail, health, pause } = setUp()
    for (let n = 0; n < 9; n += 1) fail(`bad ${n % 5}`)
    health.ended(route, 'other', 'other')
    fail('bad 0')
    expect(health.isPaused(route)).toBe(false)
    pause()
    expect(health.isPaused(route)).toBe(true)
  })
})

describe('P10, §4: probes of a paused route', () => {
  it('start when they are due, one at a time, and the waits grow to a minute', async () => {
    const { fail, health, pause, due, clock } = setUp()
    pause()
    const waits: number[] = []
    for (let n = 0; n < 8; n += 1) {
      const from = clock.now()
      expect(health.isOpen(route)).toBe(false)
      await due()
      waits.push(Math.round((clock.now() - from) / SECOND))
      expect(health.isOpen(route)).toBe(true)
      health.started(route, unknown(`new ${n}`))
      expect(health.isOpen(route)).toBe(false)
      expect(health.wait(route, unknown('new'))).toBeGreaterThan(0)
      fail(`new ${n}`)
    }
    expect(waits.slice(0, 4)).toEqual([4, 8, 15, 30])
    expect(waits.at(-1)).toBeGreaterThanOrEqual(30)
    expect(waits.at(-1)).toBeLessThanOrEqual(60)
  })

  it('are fresh clinks where there are any; one that has failed starts when a look at the inbox has brought none', async () => {
    const { clock, due, health, looks, pause } = setUp()
    pause()
    const before = clock.now()
    const turn = health.turn(route, unknown('bad 0'))
    let hasCome = false
    void turn?.come.then(() => (hasCome = true))
    await due()
    expect(looks).toEqual(['everything'])
    expect(health.wait(route, unknown('new'))).toBe(0)
    expect(health.wait(route, unknown('bad 0'))).toBeGreaterThan(0)
    expect([health.wantsLook(route, before), health.isLooking(route)]).toEqual([true, true])

    health.looked(route, before)
    expect(health.isLooking(route)).toBe(true)
    health.looked(route, clock.now())
    await Promise.resolve()
    expect(hasCome).toBe(true)
    expect([health.wait(route, unknown('bad 0')), health.isLooking(route)]).toEqual([0, false])
  })

  it('are those that wait here and have not failed before any look', async () => {
    const { due, health, looks, pause } = setUp()
    pause()
    const came: string[] = []
    for (const id of ['bad 0', 'new']) void health.turn(route, unknown(id))?.come.then(() => came.push(id))
    await due()
    expect([came, looks]).toEqual([['new'], []])
  })

  it('are taken in turn where all have failed', async () => {
    const { due, fail, health, pause, pass } = setUp()
    pause()
    const came: string[] = []
    for (let n = 0; n < 6; n += 1) {
      for (const id of ['bad 0', 'bad 1', 'bad 2'])
        void health.turn(route, unknown(id))?.come.then(() => {
          came.push(id)
          fail(id)
        })
      await due()
      await pass(10 * SECOND)
    }
    expect(came.slice(0, 6).toSorted()).toEqual(['bad 0', 'bad 0', 'bad 1', 'bad 1', 'bad 2', 'bad 2'])
  })

  it('do not wait for a look that nobody answers', async () => {
    const { due, health, pass, pause } = setUp()
    pause()
    await due()
    await pass(10 * SECOND)
    expect(health.wait(route, unknown('bad 0'))).toBe(0)
  })

  it('that have failed wait for a look of their own: one for an earlier probe does not end it', async () => {
    const { due, fail, health, pass, pause } = setUp()
    pause()
    await due()
    // A probe that tells nothing: another one is due at once, and is looked for anew.
    health.started(route, unknown('tells nothing'))
    health.ended(route, 'tells nothing', 'nothing')
    await pass(SECOND)
    fail('probe')
    await due()
    await pass(9 * SECOND)
    expect(health.isLooking(route)).toBe(true)
    await pass(SECOND)
    expect(health.isLooking(route)).toBe(false)
  })

  it('look anew for a fresh clink after one that has failed and whose run tells nothing', async () => {
    const { clock, due, health, looks, pass, pause } = setUp()
    pause()
    await due()
    health.looked(route, clock.now())
    health.started(route, unknown('bad 0'))
    const during = clock.now()
    await pass(SECOND)
    health.ended(route, 'bad 0', 'nothing')
    expect(looks).toHaveLength(2)
    health.looked(route, during)
    expect(health.isLooking(route)).toBe(true)
    expect(health.wait(route, unknown('bad 1'))).toBeGreaterThan(0)
  })

  it('are looked for everywhere until a look has brought none, and again once a fresh one was found', async () => {
    const { clock, due, fail, health, looks, pause } = setUp()
    pause()
    for (const found of ['new 0', 'bad 0', 'bad 1', 'new 1', 'new 2']) {
      await due()
      if (found.startsWith('bad')) health.looked(route, clock.now())
      fail(found)
    }
    expect(looks).toEqual(['everything', 'everything', 'news', 'news', 'everything'])
  })

  it('leave the route paused unless they are done: a rejection, a release or a wait say nothing', async () => {
    const bench = setUp()
    const { due, health, pause } = bench
    pause()
    for (const verdict of ['other', 'nothing', away] as const) {
      await due()
      health.started(route, unknown('new'))
      health.ended(route, 'new', verdict)
      expect(health.isPaused(route)).toBe(true)
    }
    await due()
    health.ended(route, 'good', 'done')
    expect(health.isPaused(route)).toBe(false)
    expect(bench.events).toEqual(['route.paused', 'route.resumed'])
  })

  it('cost no attempt until the pause outlasts retry.outage; then those that have failed run as usual', async () => {
    const { due, fail, health, pass, pause } = setUp()
    pause()
    await due()
    expect(fail('bad 0')).toBe(false)
    await pass(6 * HOUR)
    expect(health.wait(route, unknown('bad 1'))).toBe(0)
    health.looked(route, 6 * HOUR + MINUTE)
    expect(fail('bad 1')).toBe(true)
    expect([0, 1, 2].map((n) => health.wait(route, unknown(`bad ${n}`)))).toEqual([0, 0, 0])
    // One at a time still where nothing is known of a clink.
    expect(health.wait(route, unknown('new'))).toBeGreaterThan(0)
    expect(fail('bad 2')).toBe(true)
  })

  it('cost no attempt though the wall clock jumps past retry.outage meanwhile (§2)', async () => {
    const time = new VirtualTime(new Chance(1))
    const steady = { now: () => time.now, at: (at: number, run: () => void) => time.at(Math.max(at, time.now), run) }
    let jump = 0
    const now = (): number => time.now + jump
    const clock = { steady, now, wall: now, at: (at: number, run: () => void) => steady.at(at - jump, run) }
    const bench = setUp({ clock })
    const { fail, health, pause } = bench
    pause()
    jump = 7 * HOUR
    health.looked(route, jump)
    expect(health.wait(route, unknown('new'))).toBeGreaterThan(0)
    await time.runUntil(6 * SECOND, () => false)
    expect(health.wantsLook(route, now() - 6 * SECOND)).toBe(true)
    health.looked(route, now())
    expect(fail('bad 0')).toBe(false)
    expect(bench.events).toEqual(['route.paused'])
  })

  it('cost an attempt once each clink here has failed one, where the worker ends with the inbox', async () => {
    const live = ['bad 0', 'bad 1'].map((id) => ({ clink: { ...clink, clink_id: id }, route }))
    const { due, fail, health, pause } = setUp({ clinksHere: { live } })
    pause()
    await due()
    expect(fail('bad 0')).toBe(false)
    await due()
    expect(fail('bad 0')).toBe(false)
    await due()
    expect(fail('bad 1')).toBe(true)
    expect(health.wait(route, unknown('bad 0'))).toBe(0)
  })
})
