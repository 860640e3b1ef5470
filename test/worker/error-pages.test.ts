import { describe, expect, it } from 'vitest'
import type { FaultAction } from '../../src/emulator/emulator.ts'
import { Bench, obey, take, until } from '../support/harness.ts'
import { change, seed } from '../support/key-owners.ts'
import { leapingClock } from '../support/leaping-clock.ts'
import { claimingPoll, claimingPolls, requests, requestsFor, story, times } from '../support/record.ts'
import { MINUTE, VirtualBench } from '../support/virtual.ts'

const statuses = [400, 403, 404, 405, 407, 409, 410, 422]
const page = (status: number): FaultAction => ({ status, body: `<h1>Sorry: ${status}</h1>` })
const bare = (status: number): FaultAction => ({ status, body: { message: 'no Route matched' } })
const alone = { claim: { exclusive: true } }
/** No request times out by a leap of the clock. */
const patient = { clink: { timeout: 120_000 } }

describe.concurrent('§0: an error page is no verdict', () => {
  it.for(statuses)('(%d) on a renewal: it is asked again, and the claim is kept (P4)', async (status) => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 3 } })
    const fault = bench.fault({ operation: 'claim_clink', every: 2 }, page(status))
    const id = bench.send('long work')
    const station = bench.work(async (_, ctx) => await take(6_000, ctx))
    await bench.completed(id)

    expect(fault.hits).toBeGreaterThan(1)
    expect(station.all('clink.renewalRefused')).toEqual([])
    expect(station.all('worker.renewalUnsupported')).toEqual([])
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    expect(station.runs).toHaveLength(1)
  })

  it.for(statuses.flatMap((status) => [true, false].map((effect) => [status, effect] as const)))(
    '(%d, effect %s) on a completion: the result is sent again, whole (P5)',
    async ([status, effect]) => {
      await using bench = await Bench.open()
      const fault = bench.fault({ operation: 'complete_clink', nth: 1 }, { ...page(status), effect })
      const id = bench.send('work')
      const station = bench.work(() => 'the answer')
      await station.seen('clink.completed', id)

      expect(fault.hits).toBe(1)
      expect(station.all('clink.settledElsewhere')).toEqual([])
      expect(station.all('clink.responseShortened')).toEqual([])
      expect(station.all('clink.deadLettered')).toEqual([])
      expect(times(bench.emulator, id, 'completed')).toBe(1)
      expect(bench.emulator.clinks().some(({ content }) => content.startsWith('the answer'))).toBe(true)
    },
  )

  it.for(statuses)(
    '(%d) on a release: it is left to expire, and not said to be settled by somebody else',
    async (status) => {
      await using bench = await Bench.open()
      bench.fault({ operation: 'release_clink', times: 1 }, page(status))
      const id = bench.send('work')
      const station = bench.work((_, ctx) => ctx.release('not mine'))
      const { why } = await station.seen('clink.leftToExpire', id)

      expect(why).toContain('the release was sent and not answered')
      expect(station.all('clink.settledElsewhere')).toEqual([])
    },
  )

  it.for([true, false])(
    'on a release at a stop: it is sent again where nobody else uses the key (P8, effect %s)',
    async (effect) => {
      await using bench = await Bench.open()
      const fault = bench.fault({ operation: 'release_clink', times: 2 }, { ...page(404), effect })
      const id = bench.send('work')
      const station = bench.work(async (_, ctx) => await obey(ctx), { settings: alone })
      await until(() => station.runs.length === 1, 'it runs')
      await station.close()

      expect(fault.hits).toBeGreaterThan(0)
      expect(bench.status(id)).toBe('pending')
    },
  )

  it.for(statuses.flatMap((status) => [true, false].map((effect) => [status, effect] as const)))(
    '(%d, effect %s) on a claim by id: the clink runs once, and at once',
    async ([status, effect]) => {
      await using bench = await Bench.open()
      const station = bench.work(() => 'done', { settings: { inbox: { claim: 'select' }, ...alone } })
      await bench.completed(bench.send('first'))
      const fault = bench.fault({ operation: 'claim_clink', nth: 1 }, { ...page(status), effect })
      const id = bench.send('work')
      await bench.completed(id)

      expect(fault.hits).toBe(1)
      expect(station.runsOf(id)).toHaveLength(1)
      expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
      // That the service takes no length would be kept.
      const asked = requests(bench.emulator, 'claim_clink').map(({ params }) => params['timeout_seconds'])
      expect(asked.filter((seconds) => seconds === undefined)).toEqual([])
    },
  )

  it.for(statuses)('(%d) on a claiming poll: what it has claimed is taken up (P7)', async (status) => {
    await using bench = await Bench.open()
    const station = bench.work(() => 'done', { settings: alone })
    await bench.completed(bench.send('first'))
    bench.fault({ operation: 'check_inbox', times: 1 }, { ...page(status), effect: true })
    const ids = bench.sendMany(2)
    await bench.completed(ids)

    expect(station.all('poll.lost').length).toBe(1)
    expect(
      station
        .all('clink.takenUp')
        .map(({ clink }) => clink.clink_id)
        .sort(),
    ).toEqual([...ids].sort())
    for (const id of ids) expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
  })

  it('on the question for a group: it is asked again, and not called unknown', async () => {
    await using bench = await Bench.open()
    const fault = bench.fault({ path: '/groups', times: 2 }, page(404))
    const id = bench.send('ours')
    const station = bench.work(() => 'done', { settings: { inbox: { groups: ['ops'] } } })
    await bench.completed(id)

    expect(fault.hits).toBe(2)
    expect(station.all('inbox.unknownGroup')).toEqual([])
  })

  it('on the question whose a new key is: it is asked again, and the key is not used meanwhile (§8)', async () => {
    await using bench = await Bench.open({ seed })
    const clock = leapingClock()
    const station = bench.work(() => 'done', { key: 'alice', clock, settings: { inbox: { for: 'anyone' } } })
    await bench.completed(bench.send('first'))
    const fault = bench.fault({ operation: 'get_my_permissions' }, page(403))
    change(station, bench.emulator, 'worker')
    for (let asked = 2; asked < 9; asked += 2) {
      await until(() => fault.hits >= asked, 'it is asked')
      clock.leap(30_000)
    }
    expect(station.all('key.changed')).toEqual([])
    fault.remove()
    clock.leap(30_000)
    const { reason } = await station.seen('key.refused')

    expect(reason).toContain('the key belongs to')
  })
})

/** Times of the requests whose path fits, in milliseconds since the first. */
function since(bench: VirtualBench, path: RegExp): readonly number[] {
  const times = bench.sent.filter((request) => path.test(request.path)).map(({ at }) => at)
  return times.map((at) => at - (times[0] ?? 0))
}

/** Given three times over five seconds, and not before. */
function expectPatience(times: readonly number[]): void {
  expect(times.length).toBeGreaterThan(2)
  expect(times.at(-1)).toBeGreaterThanOrEqual(5_000)
  expect(times.length === 3 || (times.at(-2) ?? 0) < 5_000).toBe(true)
}

describe('§0: a bare refusal', () => {
  it('of a length counts for its clink after a while, and is not kept', async () => {
    const bench = new VirtualBench({
      switches: { maxTimeout: 'reject:60', refusals: 'bare' },
      settings: { inbox: { claim: 'select' }, claim: { exclusive: true }, concurrency: 1 },
      handle: async () => 'done',
    })
    const ids = [bench.send('one'), bench.send('two')]
    await bench.watch(5 * MINUTE, () => {})
    await bench.stop()

    for (const id of ids) {
      expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
      const asked = requestsFor(bench.emulator, id).filter(({ operation }) => operation === 'claim_clink')
      const lengths = asked.map(({ params }) => params['timeout_seconds'])
      expect(lengths).toEqual([...lengths.slice(0, -1).fill(300), undefined])
      expectPatience(since(bench, new RegExp(`/${id}/claim`)).slice(0, -1))
    }
  })

  it('of a renewal ends renewal for that claim, and is not taken for a service that never renews', async () => {
    const bench = new VirtualBench({
      switches: { refusals: 'bare', reclaim: 'refuse', defaultTimeout: 60 },
      settings: { claim: { timeout: MINUTE } },
      handle: async (_, { signal }, work) => await work.take(40_000, signal),
    })
    const id = bench.send('work')
    await bench.watch(2 * MINUTE, () => {})
    await bench.stop()

    expectPatience(since(bench, /claim$/))
    expect(bench.all('clink.renewalRefused')).toHaveLength(1)
    expect(bench.all('worker.renewalUnsupported')).toEqual([])
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
  })

  it('of a group counts after a while: what is in the other groups is worked', async () => {
    const unknown = { status: 404, headers: {}, body: '{"message":"no Route matched"}' }
    const bench = new VirtualBench({
      settings: { inbox: { groups: ['nowhere', 'ops'] }, claim: { exclusive: true } },
      weather: ({ path }) => (path === '/groups?slug=nowhere' ? unknown : undefined),
      handle: async () => 'done',
    })
    const id = bench.send('work')
    await bench.watch(MINUTE, () => {})
    await bench.stop()

    expectPatience(since(bench, /nowhere/))
    expect(bench.all('inbox.unknownGroup')).toHaveLength(1)
    expect(bench.emulator.clink(id)?.status).toBe('completed')
  })
})

describe.concurrent('§0, §9: 403 pages and --once', () => {
  it.for([page(403), bare(403)])('one of them does not end it (%j)', async (action) => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(3)
    bench.fault({ ...claimingPoll, nth: 1 }, action)
    const station = bench.work(() => 'done', { once: {} })

    expect(await station.ended()).toBe(0)
    for (const id of ids) expect(bench.status(id)).toBe('completed')
  })

  it('that stay end it with 77 and both explanations', async () => {
    await using bench = await Bench.open()
    const clock = leapingClock()
    const fault = bench.fault({ operation: 'check_inbox' }, page(403))
    const station = bench.work(() => 'done', { once: {}, clock, settings: patient })
    await until(() => fault.hits > 4, 'it goes on asking')
    expect(station.exit).toBeUndefined()
    clock.leap(5_000)

    expect(await station.ended()).toBe(77)
    const { advice } = await station.seen('poll.refused')
    expect(advice).toContain('the service refuses the key')
    expect(advice).toContain('something in front of the service')
    expect(claimingPolls(bench.emulator)).toHaveLength(1)
  })

  it.for([404, 409])('pages of another kind (%d) end it with 69: the service is away', async (status) => {
    await using bench = await Bench.open()
    bench.fault({ operation: 'check_inbox' }, page(status))
    const station = bench.work(() => 'done', { once: {} })

    expect(await station.ended()).toBe(69)
  })

  it.for([
    ['an error page with 401 to a poll', claimingPoll, page(401)],
    ['an error page with 401 to any question', { operation: 'check_inbox' }, page(401)],
    ["the service's own 403 to a poll", claimingPoll, { status: 403 }],
  ] as const)('%s ends it with 77 at once', async ([, asked, action]) => {
    await using bench = await Bench.open()
    const fault = bench.fault(asked, action)
    const station = bench.work(() => 'done', { once: {} })

    expect(await station.ended()).toBe(77)
    expect(fault.hits).toBe(1)
  })

  it('that stay make a worker that goes on not ready, and ready again when they are over', async () => {
    await using bench = await Bench.open()
    const clock = leapingClock()
    const fault = bench.fault({ operation: 'check_inbox' }, page(403))
    const station = bench.work(() => 'done', { clock, settings: patient })
    await until(() => fault.hits > 2, 'it is refused')
    clock.leap(5_000)
    await station.seen('worker.notReady')
    const { ready, reasons } = station.daemon.readiness()
    fault.remove()
    clock.leap(60_000)
    await bench.completed(bench.send('work'))

    expect({ ready, reason: reasons.join() }).toMatchObject({
      ready: false,
      reason: expect.stringContaining('in front of the service'),
    })
    expect(station.daemon.readiness().ready).toBe(true)
  })
})
