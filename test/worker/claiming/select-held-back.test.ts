import { describe, expect, it } from 'vitest'
import type { Clink } from '../../../src/clink/records.ts'
import { startOf } from '../../../src/clink/service-time.ts'
import { shows } from '../../../src/worker/claiming/sweep.ts'
import { KEY, Member, SECOND, select, serial } from '../../support/limited-member.ts'
import { MINUTE } from '../../support/virtual.ts'

describe.each(['oldest', 'newest', 'random'] as const)('clinks that wait for a key, in the order %s', (inboxOrder) => {
  it('P10, §3: are not looked for one by one once others have worked them, and what is left is worked', async () => {
    const member = new Member(serial, { ...select, poll: { interval: 5 * SECOND, sweep: 30 * MINUTE } })
    const { bench } = member
    bench.emulator.setSwitches({ inboxOrder })
    expect(await member.takes(KEY, 30 * MINUTE)).toBe(true)
    const send = async (content: string): Promise<string> => {
      await bench.pass(1)
      return member.send(content)
    }
    const gone: string[] = []
    const left: string[] = []
    for (let n = 0; n < 80; n += 1) {
      gone.push(await send('worked by another'))
      if (n % 3 === 0) left.push(await send('left'))
    }
    await bench.pass(5 * MINUTE)
    for (const id of gone) bench.emulator.changeClink(id, { status: 'completed' })
    member.lasts = 10
    const before = bench.emulator.requests().length
    await member.gives(KEY)
    await bench.pass(20 * SECOND)

    const requests = bench.emulator.requests().slice(before)
    const lists = requests.filter(({ method, path }) => method === 'GET' && path.includes('inbox'))
    expect(lists.length).toBeLessThan(15)
    expect(left.map((id) => bench.emulator.clink(id)?.status)).toEqual(left.map(() => 'completed'))
    expect(member.runs).toHaveLength(left.length)
    await bench.stop()
  })
})

describe.each(['oldest', 'newest', 'random'] as const)('clinks that wait for a rate, in the order %s', (inboxOrder) => {
  it.each([0, 3])(
    'P1: are all worked as the rate lets them, though no page has room for all: others work %i of 20',
    async (others) => {
      const member = new Member(
        { rate: { count: 20, window: 5 * SECOND } },
        { ...select, concurrency: 10, poll: { sweep: 30 * MINUTE } },
      )
      const { bench } = member
      bench.emulator.setSwitches({ inboxOrder })
      member.lasts = 100
      await bench.pass(MINUTE)
      const sent: string[] = []
      for (let n = 0; n < 260; n += 1) {
        await bench.pass(10)
        sent.push(member.send(`work ${n}`))
      }
      const left = (): string[] => sent.filter((id) => bench.emulator.clink(id)?.status !== 'completed')
      for (let turns = 0; turns < 25; turns += 1) {
        await bench.pass(5 * SECOND)
        for (const id of left().slice(0, others)) bench.emulator.changeClink(id, { status: 'completed' })
      }
      expect(left()).toEqual([])
      await bench.stop()
    },
  )
})

it('§3: is not swept for with each claim where others fill the page', async () => {
  const inbox = { claim: 'select', ignore: ['user_robot'] } as const
  const member = new Member(
    { rate: { count: 100, window: SECOND } },
    { ...select, inbox, poll: { sweep: 30 * MINUTE } },
  )
  const { bench } = member
  bench.emulator.setSwitches({ inboxOrder: 'newest' })
  for (let n = 0; n < 120; n += 1) {
    await bench.pass(10)
    bench.emulator.send('ops', 'not for us', { from: 'robot' })
  }
  await bench.pass(MINUTE)
  const before = bench.emulator.requests().length
  for (let n = 0; n < 30; n += 1) {
    member.send('ours')
    await bench.pass(20 * SECOND)
  }
  const lists = bench.emulator
    .requests()
    .slice(before)
    .filter(({ path }) => path.includes('/inbox?'))
  const whole = lists.filter(({ path }) => !path.includes('since='))
  expect([member.runs.length, lists.length > 30]).toEqual([30, true])
  expect(whole.length).toBeLessThan(15)
  await bench.stop()
})

it('P1: a clink that has waited for its key is looked for where a page from it on shows only what others have sent since', async () => {
  const member = new Member(serial, {
    ...select,
    inbox: { claim: 'select', ignore: ['user_robot'] },
    poll: { sweep: 30 * MINUTE },
  })
  const { bench } = member
  bench.emulator.setSwitches({ inboxOrder: 'newest', maxLimit: 'cap:1600' })
  expect(await member.takes(KEY, 30 * MINUTE)).toBe(true)
  const id = member.send('waits')
  await bench.pass(5 * SECOND)
  for (let n = 0; n < 120; n += 1) {
    await bench.pass(10)
    bench.emulator.send('ops', 'not for us', { from: 'robot' })
  }
  await bench.pass(5 * MINUTE)
  await member.gives(KEY)
  await bench.pass(MINUTE)
  expect(bench.emulator.clink(id)?.status).toBe('completed')
  await bench.stop()
})

describe('a page of what is pending since a moment', () => {
  const clink = (minute: number): Clink =>
    ({ clink_id: `c${minute}`, created_at: new Date(minute * MINUTE).toISOString() }) as Clink
  const page = (...minutes: number[]): { clinks: Clink[]; malformed: [] } => ({
    clinks: minutes.map((minute) => clink(minute)),
    malformed: [],
  })
  const oldestFirst = Array.from({ length: 20 }, (_, n) => 20 + n)
  const mixed = [25, ...oldestFirst]

  it.for([
    ['short', page(30, 20), { 9: false, 10: true, 25: true, 50: true }],
    ['empty', page(), { 9: false, 10: true, 50: true }],
    ['long, the oldest first', page(...oldestFirst), { 9: false, 10: true, 25: true, 39: false, 50: false }],
    ['long, the newest first', page(...oldestFirst.toReversed()), { 10: false, 20: false, 25: true, 50: true }],
    ['long, in no order', page(...mixed), { 10: false, 25: false, 50: false }],
    ['long, of one moment', page(...oldestFirst.map(() => 20)), { 10: false, 20: false, 25: false }],
    ['with what cannot be read', { ...page(), malformed: [{}] }, { 10: false, 50: false }],
  ] as const)('that is %s shows what it must', ([, shown, expected]) => {
    const isShown = shows(shown as never, startOf(clink(10).created_at))
    expect(Object.keys(expected).map((minute) => [minute, isShown(clink(Number(minute)))])).toEqual(
      Object.entries(expected),
    )
  })
})
