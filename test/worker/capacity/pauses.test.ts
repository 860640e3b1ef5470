import { describe, expect, it } from 'vitest'
import { Bench, until } from '../../support/harness.ts'
import { answers, stillClaimed, story } from '../../support/record.ts'
import { benchOf, restart } from '../../support/paused.ts'
import { HOUR, MINUTE, type VirtualBench, type VirtualOptions } from '../../support/virtual.ts'

const SECOND = 1_000
const alice = { by: 'alice (uid 1000)' }

const claimingPolls = ({ sent }: VirtualBench): number => sent.filter(({ path }) => path.includes('claim=true')).length

describe('a worker that an operator has paused', () => {
  it('claims nothing, works what it has in hand to its end, and goes on when it is resumed', async () => {
    const bench = benchOf()
    const first = bench.send('first')
    await bench.pass(500)
    expect(bench.ran).toEqual(['first'])
    await bench.daemon.worker.pauses.pause({ ...alice, note: 'deploying' }, undefined)
    bench.send('second')
    const before = bench.sent.length
    await bench.pass(HOUR)
    expect(bench.ran).toEqual(['first'])
    expect(story(bench.emulator, first)).toEqual(['created', 'claimed', 'completed'])
    expect(bench.sent.slice(before).filter(({ path }) => path.includes('/inbox'))).toEqual([])
    expect(bench.daemon.readiness()).toEqual({
      ready: false,
      reasons: ['it is paused (by alice (uid 1000): deploying)'],
    })
    expect(bench.daemon.liveness()).toEqual({ alive: true, reasons: [] })

    expect(await bench.daemon.worker.pauses.resume(undefined)).toBe(true)
    await bench.pass(5 * SECOND)
    expect(bench.ran).toEqual(['first', 'second'])
    expect(bench.daemon.readiness().ready).toBe(true)
    expect(await bench.daemon.worker.pauses.resume(undefined)).toBe(false)
    await bench.stop()
  })

  it('gives back what a poll that was on its way brings', async () => {
    let isSlow = false
    const bench = benchOf({
      spoil: (inner) => ({
        send: async (request) => {
          const answer = await inner.send(request)
          if (isSlow && request.path.includes('claim=true'))
            await new Promise<void>((on) => bench.time.at(bench.time.now + 500, on))
          return answer
        },
      }),
    })
    await bench.pass(SECOND)
    isSlow = true
    const id = bench.send('late')
    const polls = claimingPolls(bench)
    while (bench.emulator.clinks().every(({ status }) => status !== 'claimed')) await bench.pass(10)
    expect(claimingPolls(bench)).toBeGreaterThan(polls)
    await bench.daemon.worker.pauses.pause(alice, undefined)
    await bench.pass(10 * SECOND)
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'released'])
    expect([bench.ran, stillClaimed(bench.emulator)]).toEqual([[], []])
    expect(bench.all('clink.parked')).toMatchObject([{ why: 'paused' }])

    await bench.daemon.worker.pauses.resume(undefined)
    await bench.pass(10 * SECOND)
    expect(bench.ran).toEqual(['late'])
    await bench.stop()
  })

  it('and a claim by id that was on its way', async () => {
    const bench = benchOf({
      settings: { claim: { exclusive: true }, inbox: { claim: 'select' } },
      spoil: (inner) => ({
        send: async (request) => {
          const answer = await inner.send(request)
          if (/\/claim/.test(request.path)) await new Promise<void>((on) => bench.time.at(bench.time.now + 500, on))
          return answer
        },
      }),
    })
    const id = bench.send('late')
    while (bench.emulator.clinks().every(({ status }) => status !== 'claimed')) await bench.pass(10)
    await bench.daemon.worker.pauses.pause(alice, undefined)
    await bench.pass(10 * SECOND)
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'released'])
    expect(bench.ran).toEqual([])
    await bench.stop()
  })

  it('is paused after a restart as well, which it says, and ends when that was wanted for so long', async () => {
    const bench = benchOf()
    await bench.daemon.worker.pauses.pause(alice, HOUR)
    bench.send('waits')
    await restart(bench, 10 * MINUTE)
    expect(bench.all('worker.stillPaused')).toMatchObject([{ by: alice.by, left: expect.closeTo(49 * MINUTE, -5) }])
    await bench.pass(48 * MINUTE)
    expect(bench.ran).toEqual([])
    await bench.pass(3 * MINUTE)
    expect(bench.ran).toEqual(['waits'])
    expect(bench.all('worker.pauseOver')).toMatchObject([{ by: alice.by }])
    await restart(bench)
    expect(bench.all('worker.stillPaused')).toHaveLength(1)
    await bench.stop()
  })

  it('is paused no more where its time was over while it was down', async () => {
    const bench = benchOf()
    await bench.daemon.worker.pauses.pause(alice, 5 * MINUTE)
    bench.send('waits')
    await restart(bench, 10 * MINUTE)
    await bench.pass(10 * SECOND)
    expect([bench.ran, bench.all('worker.pauseOver').length]).toEqual([['waits'], 1])
    expect(bench.ledger.pauses.all()).toEqual([])
    await bench.stop()
  })

  it('is paused for as long as was wanted, however the wall clock is set meanwhile', async () => {
    for (const jump of [-10 * HOUR, 10 * HOUR]) {
      const bench = benchOf()
      await bench.daemon.worker.pauses.pause(alice, HOUR)
      bench.send('waits')
      bench.wallJump += jump
      await bench.pass(20 * MINUTE)
      await restart(bench)
      expect(bench.ran).toEqual([])
      await bench.pass(37 * MINUTE)
      expect(bench.ran).toEqual([])
      await bench.pass(3 * MINUTE)
      expect(bench.ran).toEqual(['waits'])
      await bench.stop()
    }
  })

  it('and no longer where the machine was started anew with its clock set back', async () => {
    let boots = 0
    const bench = benchOf({ boot: (of) => ({ id: `boot ${(boots += 1)}`, uptime: () => of.clock.now() }) })
    await bench.daemon.worker.pauses.pause(alice, HOUR)
    bench.send('waits')
    bench.wallJump -= 10 * HOUR
    await restart(bench)
    await bench.pass(58 * MINUTE)
    expect(bench.ran).toEqual([])
    await bench.pass(3 * MINUTE)
    expect(bench.ran).toEqual(['waits'])
    await bench.stop()
  })

  it('takes up nothing that a lost poll may have claimed', async () => {
    let isLost = false
    const bench = benchOf({
      settings: { claim: { exclusive: true } },
      spoil: (inner) => ({
        send: async (request) => {
          const answer = await inner.send(request)
          if (!isLost || !request.path.includes('claim=true')) return answer
          isLost = false
          void bench.daemon.worker.pauses.pause(alice, undefined)
          return { ...answer, body: answer.body.slice(0, 20) }
        },
      }),
    })
    await bench.pass(SECOND)
    isLost = true
    const id = bench.send('lost')
    await bench.pass(HOUR)
    expect([story(bench.emulator, id).slice(0, 2), bench.ran]).toEqual([['created', 'claimed'], []])
    await bench.daemon.worker.pauses.resume(undefined)
    await bench.pass(10 * SECOND)
    expect(bench.ran).toEqual(['lost'])
    await bench.stop()
  })

  it('runs no dead letter again before it is resumed', async () => {
    const bench = benchOf({ settings: { retry: { onExhausted: 'complete', attempts: 1 } }, handle: failsOnce() })
    const id = bench.send('again')
    await bench.pass(5 * SECOND)
    expect(bench.ledger.letters.has(id)).toBe(true)
    await bench.daemon.worker.pauses.pause(alice, undefined)
    expect(await bench.ledger.retry(id)).toBe('rerun')
    bench.daemon.retried(id)
    await bench.pass(MINUTE)
    expect(bench.all('clink.rerun')).toEqual([])
    await bench.daemon.worker.pauses.resume(undefined)
    await bench.pass(MINUTE)
    expect(bench.all('clink.rerunDone')).toHaveLength(1)
    await bench.stop()
  })
})

function failsOnce(): VirtualOptions['handle'] {
  let runs = 0
  return async () => {
    runs += 1
    if (runs === 1) throw new Error('not yet')
    return await Promise.resolve('done')
  }
}

describe('a route that an operator has paused', () => {
  const settings = { claim: { exclusive: true } }

  it('takes nothing, and the others go on: the worker is ready', async () => {
    const bench = benchOf({ settings, limits: {} })
    await bench.daemon.worker.pauses.pause({ ...alice, route: 'test' }, undefined)
    const held = bench.send('held')
    for (let n = 0; n < 5; n += 1) bench.send(`free ${n}`)
    await bench.pass(10 * MINUTE)
    expect(bench.ran.toSorted()).toEqual(['free 0', 'free 1', 'free 2', 'free 3', 'free 4'])
    expect(story(bench.emulator, held)).toEqual(['created'])
    expect(bench.all('clink.leftAlone').filter(({ why }) => why === 'paused')).toMatchObject([{ clinkId: held }])
    expect(bench.daemon.readiness()).toEqual({ ready: true, reasons: [] })
    await bench.daemon.worker.pauses.resume('test')
    await bench.pass(5 * SECOND)
    expect(bench.ran).toContain('held')
    await bench.stop()
  })

  it('takes no seats for dead letters of it that are to be run again', async () => {
    let most = 0
    let running = 0
    const bench = benchOf({
      limits: {},
      settings: { ...settings, concurrency: 2, retry: { attempts: 1, onExhausted: 'complete' } },
      handle: async ({ content }, { signal }) => {
        if (content === 'bad') throw new Error('never')
        running += 1
        most = Math.max(most, running)
        await bench.take(10 * SECOND, signal)
        running -= 1
      },
    })
    const bad = bench.send('bad')
    await bench.pass(MINUTE)
    await bench.daemon.worker.pauses.pause({ ...alice, route: 'test' }, undefined)
    await bench.ledger.retry(bad)
    bench.daemon.retried(bad)
    await bench.pass(SECOND)
    for (let n = 0; n < 4; n += 1) bench.send(`free ${n}`)
    await bench.pass(MINUTE)
    expect([most, bench.all('clink.rerun')]).toEqual([2, []])
    await bench.stop()
  })

  it('makes a worker that would claim by polls choose, where claims by id are safe', async () => {
    await using bench = await Bench.open()
    const station = bench.work(() => 'done', { routes: ['one', 'two'], settings: { claim: { exclusive: true } } })
    await station.daemon.worker.pauses.pause({ ...alice, route: 'one' }, undefined)
    const held = bench.send('one')
    const ids = [1, 2, 3].map((n) => bench.send(`two ${n}`))
    await until(() => ids.every((id) => bench.status(id) === 'completed'), 'the other route goes on')
    expect(story(bench.emulator, held)).toEqual(['created'])
  })

  it('keeps its clinks in the inbox though nobody knew whether claims by id are safe, and nothing else comes', async () => {
    const bench = benchOf({ limits: {} })
    await bench.daemon.worker.pauses.pause({ ...alice, route: 'test' }, undefined)
    const held = Array.from({ length: 60 }, () => bench.send('held'))
    await bench.pass(10 * SECOND)
    expect(bench.all('worker.siblings')).toMatchObject([{ verdict: 'refused' }])
    expect(stillClaimed(bench.emulator)).toEqual([])
    await bench.pass(10 * MINUTE)
    // Those of the one poll by which that was found out.
    const claimed = held.filter((id) => story(bench.emulator, id).includes('claimed'))
    expect(claimed.length).toBeLessThanOrEqual(bench.daemon.settings.current.concurrency)
    for (const id of claimed) expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'released'])
    await bench.daemon.worker.pauses.resume('test')
    await bench.pass(MINUTE)
    expect(bench.ran).toHaveLength(60)
    await bench.stop()
  })

  it('lets what a poll brings for it run out where claims by id may not be made, and has it at once when it is resumed', async () => {
    const bench = benchOf({ settings: { inbox: { claim: 'batch' } }, limits: {} })
    await bench.daemon.worker.pauses.pause({ ...alice, route: 'test' }, undefined)
    const held = bench.send('held')
    bench.send('free')
    await bench.pass(18 * MINUTE)
    expect(bench.ran).toEqual(['free'])
    // Once in five minutes, which is the slowest that the service allows.
    expect(story(bench.emulator, held).filter((what) => what === 'claimed').length).toBeLessThanOrEqual(5)
    await bench.daemon.worker.pauses.resume('test')
    await bench.pass(20 * SECOND)
    expect(bench.ran).toEqual(['free', 'held'])
    expect(answers(bench.emulator)).toHaveLength(2)
    await bench.stop()
  })

  it('makes a worker that has no other not ready', async () => {
    const bench = benchOf()
    await bench.daemon.worker.pauses.pause({ ...alice, route: 'test' }, 2 * HOUR)
    expect(bench.daemon.readiness().reasons).toEqual([
      'all its routes are paused: test (by alice (uid 1000), for 2h 00m more)',
    ])
    const id = bench.send('held')
    await bench.pass(HOUR)
    expect(story(bench.emulator, id)).toEqual(['created'])
    expect(bench.daemon.liveness().alive).toBe(true)
    await bench.stop()
  })
})
