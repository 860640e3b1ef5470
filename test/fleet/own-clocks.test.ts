import { expect, it } from 'vitest'
import { Member, spoilt } from '../support/fleet.ts'
import { clusterOfFile, needPostgres } from '../support/postgres.ts'
import { clink } from '../support/sample-records.ts'
import { wallNow } from '../../src/base/host-time.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'

const HOUR = 3_600_000
const CLOCKS = [
  ['behind', -2 * HOUR],
  ['ahead', 2 * HOUR],
] as const
const cluster = clusterOfFile()

const member = async (name: string, url: string, ahead: number): Promise<Member> =>
  await new Member(name, url, memoryTables(), undefined, false, ahead).start()

it.for(CLOCKS)(
  'a clink is left alone by a member whose clock is two hours %s for as long as by the others',
  async ([, ahead], context) => {
    needPostgres(context)
    const url = await cluster.database()
    await using here = await member('here', url, 0)
    await using other = await member('other', url, ahead)
    await here.ledger.cooling.set('msg_here', 60_000)
    await other.ledger.cooling.set('msg_other', 60_000)
    for (const one of [here, other]) {
      await one.ledger.recall(['msg_here', 'msg_other'])
      for (const id of ['msg_here', 'msg_other']) {
        const { coolsFor } = await one.ledger.recallOne(id)
        expect(coolsFor).toBeGreaterThan(30_000)
        expect(coolsFor).toBeLessThanOrEqual(62_000)
      }
    }
  },
)

it('a clink is left alone for as long as a member wants, though its clock is set forward before the others know', async (context) => {
  needPostgres(context)
  const url = await cluster.database()
  const { member: opened, store } = await spoilt(url, 'here')
  await using here = opened
  await using other = await member('other', url, 0)
  store().writes = 'fail'
  await here.ledger.cooling.set('msg', 60_000)
  here.ahead = 2 * HOUR
  store().writes = 'work'
  await expect.poll(() => here.ledger.isHealthy, { timeout: 5_000 }).toBe(true)
  await other.ledger.recall(['msg'])
  expect((await other.ledger.recallOne('msg')).coolsFor).toBeGreaterThan(30_000)
})

it('a clink is left alone for as long as the member wants that wants it longest: one that has slept learns late that it has lost its claim', async (context) => {
  needPostgres(context)
  const url = await cluster.database()
  await using here = await member('here', url, 0)
  await using other = await member('other', url, 0)
  const coolsFor = async ({ ledger }: Member): Promise<number> => {
    await ledger.recall(['msg'])
    return (await ledger.recallOne('msg')).coolsFor
  }
  await here.ledger.cooling.set('msg', 60_000)
  for (const ms of [-10_000, 0, 1_000]) {
    await other.ledger.cooling.set('msg', ms)
    expect(await coolsFor(here)).toBeGreaterThan(30_000)
    expect(await coolsFor(other)).toBeGreaterThan(30_000)
  }
  await other.ledger.cooling.set('msg', 120_000)
  expect(await coolsFor(here)).toBeGreaterThan(90_000)
})

it.for(CLOCKS)(
  'a sleep that another member has begun ends on one whose clock is two hours %s as on that one',
  async ([, ahead], context) => {
    needPostgres(context)
    const url = await cluster.database()
    await using here = await member('here', url, 0)
    await using other = await member('other', url, ahead)
    const step = {
      is: 'sleep',
      name: 'a while',
      value: JSON.stringify({ at: wallNow() + 60_000, for: 60_000 }),
    } as const
    await here.take(clink)
    await here.begin(clink)
    await here.ledger.steps.keep(clink, step)
    const { ledger } = other
    await other.take(clink)
    const kept = (await ledger.steps.of(clink)).values().next().value
    const clock = { now: () => 0, wall: () => wallNow() + ahead }
    const end = ledger.steps.endOf(
      clink,
      'a while',
      JSON.parse(kept?.value ?? '{}') as { at: number; for: number },
      clock,
      false,
    )
    expect(end).toBeGreaterThan(30_000)
    expect(end).toBeLessThanOrEqual(60_000)
  },
)
