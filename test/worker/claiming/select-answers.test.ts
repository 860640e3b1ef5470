import { describe, expect, it } from 'vitest'
import type { FaultAction } from '../../../src/emulator/emulator.ts'
import { Bench, take, until } from '../../support/harness.ts'
import { mostClaimed, requests, story, times } from '../../support/record.ts'

const exclusive = { exclusive: true, timeout: 60_000 } as const
const select = { inbox: { claim: 'select' }, claim: exclusive } as const

/** Clinks that are minutes apart, the oldest first. */
function sendSpread(bench: Bench, count: number): string[] {
  const now = bench.emulator.now()
  return Array.from({ length: count }, (_, n) => {
    const id = bench.send(`task ${n}`)
    bench.emulator.changeClink(id, { created: now - 60_000 * (count - n) })
    return id
  })
}

describe.concurrent('P7: a claim by id whose answer is lost', () => {
  it.for<[string, FaultAction]>([
    ['500 after the effect', { status: 500, effect: true }],
    ['408 after the effect', { status: 408, effect: true }],
    ['a cut after the effect', { cut: 'after' }],
    ['half an answer', { truncate: 25 }],
    ['garbage', { replaceBody: '<html>' }],
    ['no answer', { hang: 'after' }],
  ])('(%s) is found and run once, long before the claim runs out', async ([, effect]) => {
    await using bench = await Bench.open()
    const ids = sendSpread(bench, 6)
    bench.fault({ path: `/clinks/${ids[2]}/claim`, nth: 1 }, effect)
    const station = bench.work(async (_, ctx) => await take(20, ctx), {
      settings: { ...select, concurrency: 2, clink: { timeout: 2_000 } },
    })
    await bench.completed(ids)

    for (const id of ids) {
      expect(station.runsOf(id)).toHaveLength(1)
      expect(times(bench.emulator, id, 'claimed')).toBe(1)
    }
    expect(mostClaimed(bench.emulator)).toBeLessThanOrEqual(2)
  })
})

describe.concurrent('§3: a claim by id that had no effect', () => {
  it.for<[string, FaultAction]>([
    ['500', { status: 500 }],
    ['503', { status: 503 }],
    ['429', { status: 429, headers: { 'retry-after': '0' } }],
    ['a cut', { cut: 'before' }],
  ])('(%s) is made again soon, not at the next sweep', async ([, effect]) => {
    await using bench = await Bench.open()
    const ids = sendSpread(bench, 6)
    bench.fault({ path: `/clinks/${ids[1]}/claim`, nth: 1 }, effect)
    const station = bench.work(() => 'done', { settings: { ...select, concurrency: 2 } })
    await bench.completed(ids)

    for (const id of ids) {
      expect(station.runsOf(id)).toHaveLength(1)
      expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    }
  })

  it('because the service refuses its length is made without one, and no length is asked for again', async () => {
    await using bench = await Bench.open({ switches: { maxTimeout: 'reject:10', defaultTimeout: 8 } })
    const ids = bench.sendMany(8)
    const station = bench.work(() => 'done', { settings: { ...select, concurrency: 1 } })
    await bench.completed(ids)

    expect(station.runs).toHaveLength(8)
    const claims = requests(bench.emulator, 'claim_clink')
    expect(claims.filter(({ params }) => params['timeout_seconds'] !== undefined)).toHaveLength(1)
  })

  it('because the service refuses its length is not made again where the clink has become too old meanwhile (P6)', async () => {
    let ahead = 0
    await using bench = await Bench.open({ switches: { maxTimeout: 'reject:10' } })
    const clock = { ...bench.clock, wall: () => bench.clock.wall() + ahead }
    const refused = bench.fault({ operation: 'claim_clink', nth: 1 }, { delayAfter: 300 })
    const old = bench.send('grows old')
    const inbox = { claim: 'select', maxAge: 3_600_000 } as const
    const station = bench.work(() => 'done', { clock, settings: { claim: exclusive, inbox } })
    await until(() => refused.hits === 1, 'it is asked for')
    ahead = 3_600_001
    const fresh = bench.send('fresh')
    bench.emulator.changeClink(fresh, { created: bench.emulator.now() + ahead })
    await bench.completed(fresh)

    expect(station.runs.map(({ content }) => content)).toEqual(['fresh'])
    expect(story(bench.emulator, old)).toEqual(['created'])
  })

  it('because somebody was faster is not made again while that one holds it', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(4)
    const taken = ids[1] ?? ''
    bench.fault({ operation: 'check_inbox', nth: 1 }, { delayAfter: 400 })
    const station = bench.work(() => 'done', { settings: { ...select, poll: { sweep: 200 } } })
    await until(() => requests(bench.emulator, 'check_inbox').some(({ effect }) => effect), 'it is listed')
    const at = bench.emulator.now()
    const claim = { by: 'user_bob', key: 'bob', session: 'web', at, expires: at + 3_600_000 }
    bench.emulator.changeClink(taken, { status: 'claimed', claim })
    await bench.completed(ids.filter((id) => id !== taken))
    const polls = station.all('poll.succeeded').length
    await until(() => station.all('poll.succeeded').length > polls + 5, 'some more polls')

    const claims = requests(bench.emulator, 'claim_clink').filter(({ path }) => path.includes(taken))
    expect(claims.map(({ status }) => status)).toEqual([409])
    expect(station.all('poll.failed')).toEqual([])
  })
})

it('§3, §9: one clink that can never be claimed does not stop the others, nor is the service away for it', async () => {
  await using bench = await Bench.open()
  const ids = bench.sendMany(30)
  const bad = ids[0] ?? ''
  bench.fault({ path: `/clinks/${bad}/claim` }, { status: 500 })
  let sent = 0
  // After the first page there is always one more to claim beside it.
  const more = (): void => void ids.push(bench.send(`more ${(sent += 1)}`))
  const station = bench.work(({ content }) => ((content === 'task 29' || sent > 0) && sent < 20 ? more() : undefined), {
    once: {},
    settings: { ...select, concurrency: 20 },
  })

  expect(await station.ended()).toBe(0)
  expect(station.all('poll.failed')).toEqual([])
  expect(station.daemon.readiness().reasons).toEqual(['the worker is stopping'])
  expect(sent).toBe(20)
  expect(ids.filter((id) => bench.status(id) !== 'completed')).toEqual([bad])
})

describe.concurrent('P6: select claims no more than can start', () => {
  it('also while clinks are held for their next attempt', async () => {
    await using bench = await Bench.open()
    // Ten failures in a row would pause the route.
    const ids = bench.sendMany(9)
    const settings = { ...select, concurrency: 3, retry: { backoff: 100, maxBackoff: 100 } }
    const station = bench.work(
      async (_, ctx) => {
        await take(20, ctx)
        if (ctx.attempt === 1) throw new Error('not yet')
      },
      { settings },
    )
    await bench.completed(ids)

    expect(station.mostRunning).toBeLessThanOrEqual(3)
    for (const id of ids) expect(station.runsOf(id)).toHaveLength(2)
    for (const { asked } of station.all('poll.succeeded')) expect(asked).toBeLessThanOrEqual(3)
  })
})

describe.concurrent('§9: --once in select', () => {
  const once = {}
  const groups = { inbox: { groups: ['ops'] }, claim: exclusive } as const

  it('ends at once where nothing is ours, however much is not', async () => {
    await using bench = await Bench.open()
    for (let n = 0; n < 250; n += 1) bench.emulator.send('support', `foreign ${n}`)
    const station = bench.work(() => 'done', { key: 'robot', once, settings: groups })

    expect(await station.ended()).toBe(0)
    expect(requests(bench.emulator, 'claim_clink')).toEqual([])
  })

  it('works what arrives while it works', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(6)
    const station = bench.work(
      async ({ content }, ctx) => {
        await take(50, ctx)
        if (content === 'task 5') ids.push(bench.send('one more'))
      },
      { once, settings: { ...groups, concurrency: 2 } },
    )

    expect(await station.ended()).toBe(0)
    expect(ids).toHaveLength(7)
    for (const id of ids) expect(bench.status(id)).toBe('completed')
  })

  it('ends with 1 where something was given up, and with 69 where the service goes away', async () => {
    await using bench = await Bench.open()
    bench.send('bad')
    const bad = bench.work((_, ctx) => ctx.reject('no'), { once, settings: groups })
    expect(await bad.ended()).toBe(1)

    bench.fault({ operation: 'check_inbox' }, { status: 503 })
    const away = bench.work(() => 'done', { once, settings: groups })
    expect(await away.ended()).toBe(69)
  })

  it('ends where it has found out about siblings, whatever came of it', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(3)
    const station = bench.work(() => 'done', { once, settings: { inbox: { groups: ['ops'] } } })

    expect(await station.ended()).toBe(0)
    expect(station.all('worker.siblings').map(({ verdict }) => verdict)).toEqual(['refused'])
    for (const id of ids) expect(bench.status(id)).toBe('completed')
  })
})
