import { describe, expect, it } from 'vitest'
import { KEY, Member, SECOND, batch, select, serial, type Run } from '../../support/limited-member.ts'
import { story } from '../../support/record.ts'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

function mostAtOnce(runs: readonly Run[]): number {
  return Math.max(...runs.map(({ at }) => runs.filter((run) => run.at <= at && run.until > at).length))
}

describe.each([
  ['claims by id', select],
  ['polls', batch],
] as const)('a limit of the fleet, with %s', (how, settings) => {
  it('serial: waits while another member has the key, and gives it up after each clink', async () => {
    const member = new Member(serial, settings)
    expect(await member.takes(KEY)).toBe(true)
    const ids = [member.send('one'), member.send('two'), member.send('three', 'alice')]
    await member.bench.pass(10 * SECOND)
    expect(member.runs.map(({ content }) => content)).toEqual(['three'])
    // Who waits for a key that others have holds a claim only where nobody can choose (P6).
    const claimed = member.bench.emulator.clinks().filter(({ status }) => status === 'claimed')
    expect(claimed).toHaveLength(how === 'polls' ? 2 : 0)
    expect(member.bench.daemon.worker.report().routes[0]?.limits).toMatchObject({
      serial: 'sender',
      serialScope: 'fleet',
    })
    await member.gives(KEY)
    await member.bench.pass(20 * SECOND)
    expect([member.left, mostAtOnce(member.runs.slice(1))]).toEqual([0, 1])
    expect(ids.map((id) => story(member.bench.emulator, id))).toEqual(
      ids.map(() => ['created', 'claimed', 'completed']),
    )
    expect(member.keys).toEqual([])
    expect(await member.takes(KEY)).toBe(true)
    await member.bench.stop()
  })

  it('serial: keeps the key while its clink backs off, and until it is settled', async () => {
    const member = new Member(serial, settings)
    member.send('fails')
    await member.bench.pass(4 * SECOND)
    expect(member.runs).toHaveLength(1)
    expect([member.keys, await member.takes(KEY)]).toEqual([[`test ${KEY}`], false])
    await member.bench.pass(30 * SECOND)
    expect([member.runs.length, await member.takes(KEY)]).toEqual([3, true])
    await member.bench.stop()
  })

  it('rate: starts no more than the fleet allows, retries included, and not what others have started', async () => {
    const member = new Member({ rate: { count: 5, window: SECOND, scope: 'fleet' } }, { ...settings, concurrency: 60 })
    member.lasts = 100
    const rate = { route: 'test', count: 5, window: SECOND, wanted: ['x', 'y'], ended: {} }
    void member.shared.for('two').ask({ keys: [], freed: [], rates: [rate] }, 1)
    for (let n = 0; n < 30; n += 1) member.send(`work ${n}`)
    await member.bench.pass(5 * SECOND)
    // Two permits of another member count until it says that they are used up, or six seconds have passed.
    expect(member.runs.length).toBeGreaterThan(10)
    expect(member.runs.length).toBeLessThanOrEqual(15)
    const isSaidUsedUp = (): boolean =>
      member.bench.daemon.worker.report().routes.some(({ waits }) => waits.includes('rate'))
    expect(isSaidUsedUp()).toBe(true)
    await member.bench.pass(20 * SECOND)
    expect([member.left, isSaidUsedUp()]).toEqual([0, false])
    const starts = member.runs.map(({ at }) => at)
    for (const from of starts)
      expect(starts.filter((at) => at >= from && at < from + SECOND).length).toBeLessThanOrEqual(5)
    await member.bench.stop()
  })
})

describe('a member that cannot claim', () => {
  it('wants nothing for what it has listed, so that others have it, until it can', async () => {
    const member = new Member({ ...serial, rate: { count: 2, window: SECOND, scope: 'fleet' } }, select)
    expect(await member.takes(KEY)).toBe(true)
    for (let n = 0; n < 3; n += 1) member.send(`work ${n}`)
    await member.bench.pass(10 * SECOND)
    member.isCutOff = true
    await member.bench.pass(20 * SECOND)
    expect(member.bench.all('poll.failed').length).toBeGreaterThan(0)
    await member.gives(KEY)
    const asked = member.shared.asked
    for (let n = 0; n < 60; n += 1) {
      await member.bench.pass(SECOND)
      expect(member.keys).toEqual([])
    }
    expect(member.shared.asked - asked).toBeLessThan(5)
    expect(await member.takes(KEY)).toBe(true)
    await member.gives(KEY)
    member.isCutOff = false
    await member.bench.pass(MINUTE)
    expect([member.left, member.runs.length]).toEqual([0, 3])
    await member.bench.stop()
  })

  it.each([
    ['a key', serial],
    ['a permit', { rate: { count: 2, window: SECOND, scope: 'fleet' } }],
    ['both', { ...serial, rate: { count: 2, window: SECOND, scope: 'fleet' } }],
  ] as const)('wants %s for the one claim that is to show whether claims go through again', async (_, limits) => {
    const member = new Member(limits, select)
    member.failsToClaim = true
    for (const from of ['bob', 'alice', 'robot']) member.send(`work of ${from}`, from)
    await member.bench.pass(MINUTE)
    expect(member.bench.all('poll.failed').at(-1)?.failures).toBeGreaterThan(2)
    const tried = (): number => member.bench.sent.filter(({ path }) => path.endsWith('/claim')).length
    const before = [tried(), member.bench.all('poll.failed').length] as const
    for (let n = 0; n < 300; n += 1) {
      await member.bench.pass(SECOND)
      expect(member.keys.length).toBeLessThanOrEqual(1)
    }
    const [claims, failures] = [tried() - before[0], member.bench.all('poll.failed').length - before[1]]
    // It is tried again and again, and each try has its backoff.
    expect([claims > 5, claims <= failures]).toEqual([true, true])
    member.failsToClaim = false
    await member.bench.pass(MINUTE)
    expect([member.left, member.runs.length]).toEqual([0, 3])
    await member.bench.stop()
  })
})

describe('the right to a key of the fleet', () => {
  it('is renewed while its clink is worked, in one statement for all, and ends the run in time where that fails', async () => {
    const member = new Member(serial)
    member.lasts = 10 * MINUTE
    for (const from of ['bob', 'alice', 'robot']) member.send(`long of ${from}`, from)
    await member.bench.pass(3 * SECOND)
    const asked = member.shared.asked
    await member.bench.pass(3 * MINUTE)
    expect(member.shared.asked - asked).toBeLessThanOrEqual(13)
    expect(await member.takes(KEY)).toBe(false)
    member.shared.isAway = true
    const away = member.bench.time.now
    await member.bench.pass(2 * MINUTE)
    expect(member.runs.map(({ aborted }) => aborted)).toEqual(Array(3).fill('lease-lost'))
    // By then the store has not given them to anybody else.
    const ends = [...member.shared.keys.values()].map(({ until }) => until)
    for (const { until } of member.runs) {
      expect(until).toBeLessThan(Math.min(...ends) - SECOND)
      expect(until).toBeGreaterThan(away + 30 * SECOND)
    }
    expect(member.bench.all('clink.lost').map(({ cause }) => cause)).toEqual(Array(3).fill('right-expired'))
    expect(member.bench.all('clink.completed')).toEqual([])
    member.shared.isAway = false
    await member.bench.stop()
  })

  it('names the clink that has it, also where that is another one than it was taken for: after a crash that one goes on', async () => {
    const member = new Member(serial)
    member.lasts = 10 * MINUTE
    expect(await member.takes(KEY)).toBe(true)
    const [gone, there] = [member.send('another one works it'), member.send('long')]
    await member.bench.pass(3 * SECOND)
    member.bench.emulator.changeClink(gone, { status: 'completed' })
    await member.gives(KEY)
    await member.bench.pass(SECOND)
    expect(member.runs.map(({ content }) => content)).toEqual(['long'])
    expect([...member.shared.keys.values()]).toMatchObject([{ member: 'one', clink: there }])
    await member.bench.stop()
  })

  it('that another member has taken ends the run as soon as that is known, and nothing is sent for it', async () => {
    const member = new Member(serial)
    member.lasts = 10 * MINUTE
    const id = member.send('long')
    await member.bench.pass(3 * SECOND)
    member.shared.keys.clear()
    expect(await member.takes(KEY)).toBe(true)
    await member.bench.pass(20 * SECOND)
    expect(member.runs[0]?.aborted).toBe('lease-lost')
    expect(story(member.bench.emulator, id)).toEqual(['created', 'claimed'])
    await member.bench.stop()
  })

  it('is over by the clock when the process goes on after a pause, before any timer says so: its result is not sent', async () => {
    const member = new Member(serial, { handlers: { grace: 30 * SECOND } })
    member.lasts = 10 * SECOND
    const id = member.send('pauses')
    await member.bench.pass(3 * SECOND)
    expect(member.runs).toHaveLength(1)
    member.bench.slept += 35 * SECOND
    // The claim stands by then.
    const [held] = member.bench.daemon.worker.report().deliveries
    expect(held?.lease).toBeGreaterThan(10 * SECOND)
    await member.bench.pass(20 * SECOND)
    expect(member.bench.all('clink.completed')).toEqual([])
    expect(member.bench.all('clink.lost')).toHaveLength(1)
    expect(story(member.bench.emulator, id)).toEqual(['created', 'claimed'])
    await member.bench.stop()
  })

  it('is kept for code that ignores its abort, until that has ended', async () => {
    const member = new Member(serial, { claim: { exclusive: true, timeout: MINUTE, maxHold: MINUTE } })
    member.lasts = 5 * MINUTE
    member.heeds = false
    const id = member.send('deaf')
    await member.bench.pass(3 * SECOND)
    member.bench.emulator.changeClink(id, { status: 'completed' })
    await member.bench.pass(4 * MINUTE)
    expect(member.bench.all('clink.lost').length).toBeGreaterThan(0)
    expect([member.runs.length, await member.takes(KEY)]).toEqual([1, false])
    await member.bench.pass(2 * MINUTE)
    await member.bench.stop()
  })

  it('is given up at a stop', async () => {
    const member = new Member(serial)
    member.lasts = 10 * MINUTE
    member.send('long')
    await member.bench.pass(3 * SECOND)
    expect(member.keys).toHaveLength(1)
    let atEnd: readonly string[] | undefined
    void member.bench.daemon.ended.then(() => (atEnd = member.keys))
    await member.bench.stop()
    expect(atEnd).toEqual([])
  })

  it('is not needed where nothing is shared: a worker keeps the limit by itself', async () => {
    const runs: number[] = []
    const bench = new VirtualBench({
      limits: serial,
      settings: select,
      handle: async (_, { signal }, own) => {
        runs.push(own.time.now)
        await own.take(SECOND, signal)
      },
    })
    for (const text of ['one', 'two', 'three']) bench.send(text)
    await bench.pass(20 * SECOND)
    expect(runs).toHaveLength(3)
    expect(Math.min((runs[1] ?? 0) - (runs[0] ?? 0), (runs[2] ?? 0) - (runs[1] ?? 0))).toBeGreaterThanOrEqual(SECOND)
    await bench.stop()
  })
})
