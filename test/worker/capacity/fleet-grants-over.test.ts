import { describe, expect, it } from 'vitest'
import { batch, Member, SECOND, select, serial } from '../../support/limited-member.ts'
import { MINUTE } from '../../support/virtual.ts'

const told = { retry: { attempts: 2, onExhausted: 'complete', backoff: SECOND, maxBackoff: SECOND } } as const

/** A member that runs a clink again whose sender was told that it has failed. */
async function withRerun(lasts: number): Promise<{ readonly member: Member; readonly id: string }> {
  const member = new Member(serial, { ...select, ...told })
  const id = member.send('fails once')
  member.lasts = 100
  await member.bench.pass(5 * SECOND)
  expect(member.bench.all('clink.deadLettered')).toHaveLength(1)
  member.runs.length = 0
  member.lasts = lasts
  void member.bench.ledger.letters.retry(id).then(() => member.bench.daemon.retried(id))
  await member.bench.pass(3 * SECOND)
  expect([member.runs.length, member.keys]).toEqual([1, ['test user_bob']])
  return { member, id }
}

describe('a rerun that loses its right to a key of the fleet', () => {
  it('ends with nothing sent while the store is away, and begins anew when it is back', async () => {
    const { id, member } = await withRerun(10 * MINUTE)
    member.fails = false
    member.shared.isAway = true
    await member.bench.pass(MINUTE)
    expect(member.runs.map(({ aborted }) => aborted)).toEqual(['lease-lost'])
    expect(member.runs[0]?.until).toBeLessThan((member.shared.keys.get('test user_bob')?.until ?? 0) - SECOND)
    expect(member.bench.all('clink.lost')).toMatchObject([{ clink: { clink_id: id }, cause: 'right-expired' }])
    expect(member.bench.ledger.letters.get(id)?.rerun).toMatchObject({ step: 'due' })
    await member.bench.pass(MINUTE)
    expect(member.runs).toHaveLength(1)
    member.lasts = SECOND
    member.shared.isAway = false
    await member.bench.pass(10 * SECOND)
    expect(member.runs).toHaveLength(2)
    expect(member.bench.all('clink.rerunDone')).toHaveLength(1)
    expect([member.bench.ledger.letters.get(id), member.keys]).toEqual([undefined, []])
    await member.bench.stop()
  })

  it('to another member begins anew when that one has given the key up, and not before', async () => {
    const { member } = await withRerun(10 * MINUTE)
    member.fails = false
    member.shared.keys.clear()
    expect(await member.takes('user_bob', 10 * MINUTE)).toBe(true)
    await member.bench.pass(MINUTE)
    expect(member.runs.map(({ aborted }) => aborted)).toEqual(['lease-lost'])
    member.lasts = SECOND
    await member.gives('user_bob')
    await member.bench.pass(10 * SECOND)
    expect(member.runs).toHaveLength(2)
    expect(member.bench.all('clink.rerunDone')).toHaveLength(1)
    await member.bench.stop()
  })
})

it('a permit of the fleet that runs out while its clink waits for a seat starts nothing, and the clink gets another one', async () => {
  const rate = { count: 10, window: 4 * SECOND, scope: 'fleet' } as const
  const member = new Member({ rate }, { concurrency: 1 })
  member.lasts = 10
  for (const name of ['one', 'two']) member.send(`fails once ${name}`)
  await member.bench.pass(3 * SECOND)
  expect(member.runs).toHaveLength(2)
  member.fails = false
  member.lasts = 20 * SECOND
  // Both are due by the time at which they are given permits.
  member.shared.isAway = true
  await member.bench.pass(7 * SECOND)
  member.shared.isAway = false
  await member.bench.pass(SECOND)
  expect([member.runs.length, member.shared.startsOf('test').length]).toEqual([3, 2])
  await member.bench.pass(30 * SECOND)
  expect(member.runs).toHaveLength(4)
  const [third, fourth] = member.runs.slice(2)
  const startsAt = fourth?.at ?? Infinity
  expect(startsAt - (third?.until ?? Infinity)).toBeGreaterThanOrEqual(0)
  expect(startsAt - (third?.until ?? Infinity)).toBeLessThan(200)
  // The store knows when it has really started, and of no start that there was not.
  const isNear = (at: number): boolean => Math.abs(at - startsAt) < 200
  expect(member.shared.startsOf('test').filter(isNear)).toHaveLength(1)
  expect(member.shared.startsOf('test').filter((at) => at > startsAt - rate.window && !isNear(at))).toEqual([])
  await member.bench.pass(30 * SECOND)
  expect(member.left).toBe(0)
  await member.bench.stop()
})

it('a permit of the fleet that runs out while a start is noted starts nothing', async () => {
  const rate = { count: 10, window: 4 * SECOND, scope: 'fleet' } as const
  const member = new Member({ rate }, {})
  const { bench, fleet, shared } = member
  fleet.beforeBegun = async () =>
    await new Promise((resolve) => void bench.time.at(bench.time.now + 6 * SECOND, resolve))
  member.send('late')
  await bench.pass(6.5 * SECOND)
  expect([member.runs.length, bench.all('clink.claimed').length]).toEqual([0, 1])
  fleet.beforeBegun = async () => await Promise.resolve()
  await bench.pass(10 * SECOND)
  expect([member.runs.length, member.left]).toEqual([1, 0])
  expect(bench.all('clink.held').map(({ why }) => why)).toEqual([
    'what its fleet had given it for this start was over by then',
  ])
  const startsAt = member.runs[0]?.at ?? 0
  expect(shared.startsOf('test').filter((at) => Math.abs(at - startsAt) < 200)).toHaveLength(1)
  await bench.stop()
})

it('P6: a letter whose permit of the fleet ran out while it waited for a seat keeps none while it waits for the next permit', async () => {
  const rate = { count: 1, window: 10 * MINUTE, scope: 'fleet' } as const
  const once = { retry: { ...told.retry, attempts: 1 } }
  const member = new Member({ rate }, { ...batch, ...once, concurrency: 1 })
  const { bench, shared } = member
  const other = async (wanted: readonly string[], ended: Readonly<Record<string, number>> = {}): Promise<void> => {
    void shared.for('two').ask({ keys: [], freed: [], rates: [{ route: 'test', ...rate, wanted, ended }] }, 1)
    await bench.pass(10)
  }
  const id = member.send('fails once')
  await bench.pass(15 * MINUTE)
  expect(bench.all('clink.deadLettered')).toHaveLength(1)
  member.fails = false
  member.lasts = MINUTE
  for (const name of ['one', 'two']) member.send(`free ${name}`)
  await bench.pass(20 * SECOND)
  void bench.ledger.letters.retry(id).then(() => bench.daemon.retried(id))
  // Its permit comes when the first one has ended, and the seat is the second one's by then.
  await bench.pass(MINUTE)
  expect(member.runs.map(({ content }) => content)).toEqual(['fails once', 'free one', 'free two'])
  expect(shared.startsOf('test')).toHaveLength(1)
  await other(['theirs'])
  await other([], { theirs: 0 })
  member.lasts = SECOND
  member.send('free three')
  await bench.pass(2 * MINUTE)
  expect(member.runs.slice(3).map(({ content }) => content)).toEqual(['free three'])
  expect((member.runs[3]?.at ?? Infinity) - (member.runs[2]?.until ?? 0)).toBeLessThan(2 * SECOND)
  await bench.pass(10 * MINUTE)
  expect(bench.all('clink.rerunDone')).toHaveLength(1)
  await bench.stop()
})

it('P6: a letter whose permit of the fleet ran out while it waited for a seat gets the next one in that seat, if there is one', async () => {
  const rate = { count: 1, window: 10 * MINUTE, scope: 'fleet' } as const
  const once = { retry: { ...told.retry, attempts: 1 } }
  const member = new Member({ rate }, { ...batch, ...once, concurrency: 1 })
  const { bench } = member
  const id = member.send('fails once')
  await bench.pass(15 * MINUTE)
  expect(bench.all('clink.deadLettered')).toHaveLength(1)
  member.fails = false
  member.lasts = MINUTE
  for (const name of ['one', 'two', 'three', 'four']) member.send(`free ${name}`)
  await bench.pass(20 * SECOND)
  void bench.ledger.letters.retry(id).then(() => bench.daemon.retried(id))
  await bench.pass(4 * MINUTE)
  expect(member.runs.slice(1, 4).map(({ content }) => content)).toEqual(['free one', 'free two', 'fails once'])
  await bench.pass(MINUTE)
  expect(bench.all('clink.rerunDone')).toHaveLength(1)
  await bench.stop()
})
