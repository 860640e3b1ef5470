import { beforeEach, describe, expect, it } from 'vitest'
import { Ledger } from '../../src/ledger/ledger.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { Sightings } from '../../src/ledger/sightings.ts'
import type { LedgerTables } from '../../src/ledger/tables.ts'
import { clink } from '../support/sample-records.ts'
import { letter, recalled } from '../support/states.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const KEEP = 14 * DAY

let now: number
let tables: LedgerTables
let ledger: Ledger
/** What was written about the inbox, by table. */
let writes: string[]

beforeEach(() => {
  now = Date.UTC(2026, 0, 5)
  writes = []
  tables = memoryTables()
  for (const name of ['letters', 'own', 'facts', 'attempts', 'results'] as const) {
    const set = tables[name].set.bind(tables[name])
    tables[name].set = async (...args: [string, never]) => {
      writes.push(name)
      await set(...args)
    }
  }
  ledger = new Ledger(tables, undefined, () => now)
})

/** An hour after the other the inbox is looked at and shows these; the worker forgets what it may. */
async function work(time: number, ...shown: string[]): Promise<void> {
  for (const end = now + time; now < end; now += HOUR) {
    for (const id of shown) await ledger.sightings.see(id)
    await ledger.sightings.looked([])
    await ledger.prune(KEEP)
  }
}

async function discarded(id: string): Promise<void> {
  await ledger.deadLetter({ ...letter, clink: { ...clink, clink_id: id }, at: now })
  await ledger.letters.discard(id)
}

const of = (id: string) => ({ ...clink, clink_id: id })
const isKnown = {
  discarded: async (id: string) => (await recalled(ledger, id)).isGivenUp,
  'a kept result': async (id: string) => await Promise.resolve(ledger.keptResult(of(id)) !== undefined),
  'an attempt': async (id: string) => await Promise.resolve(ledger.attemptsOf(id).starts > 0),
}
const make = {
  discarded,
  'a kept result': async (id: string) => await ledger.keepResult(of(id), 'the result'),
  'an attempt': async (id: string) => void (await ledger.begin({ letter: id })),
}
const KINDS = ['discarded', 'a kept result', 'an attempt'] as const

it.each(KINDS)(
  '%s: not forgotten while the inbox shows it, however long; forgotten when it has not for state.keep (P5, P10, P15, §5)',
  async (what) => {
    await make[what]('shown')
    await make[what]('gone')
    await work(KEEP / 2, 'shown', 'gone')
    await work(KEEP - DAY, 'shown')
    expect([await isKnown[what]('shown'), await isKnown[what]('gone')]).toEqual([true, true])
    await work(3 * DAY, 'shown')
    expect([await isKnown[what]('shown'), await isKnown[what]('gone')]).toEqual([true, false])
    await work(10 * KEEP, 'shown')
    expect(await isKnown[what]('shown')).toBe(true)
    await work(KEEP + 3 * DAY)
    expect(await isKnown[what]('shown')).toBe(false)
  },
)

it.each(KINDS)(
  '%s: not forgotten by a worker that was away for long, before it has looked for state.keep (P5, P10, P15, §5)',
  async (what) => {
    await make[what]('pending')
    await work(DAY, 'pending')
    now += 3 * KEEP
    await ledger.prune(KEEP)
    expect(await isKnown[what]('pending')).toBe(true)
    await work(2 * DAY)
    expect(await isKnown[what]('pending')).toBe(true)
    await work(KEEP)
    expect(await isKnown[what]('pending')).toBe(false)
  },
)

it.each(KINDS)('%s: not forgotten while the inbox cannot be looked at (P5, P10, P15, §5)', async (what) => {
  await make[what]('pending')
  await work(DAY, 'pending')
  for (let n = 0; n < 24 * 60; n += 1) {
    now += HOUR
    await ledger.prune(KEEP)
  }
  expect(await isKnown[what]('pending')).toBe(true)
})

it('a dead letter that nobody has discarded stays, seen or not (P10, §5)', async () => {
  await ledger.deadLetter({ ...letter, at: now })
  await work(5 * KEEP)
  expect(ledger.letters.all()).toHaveLength(1)
})

it('a sighting is written once a day at most, and a look once an hour', async () => {
  await discarded('one')
  await ledger.begin({ letter: 'two' })
  writes = []
  for (let n = 0; n < 1_000; n += 1) {
    await ledger.sightings.see('one')
    await ledger.sightings.see('two')
    await ledger.sightings.see('unknown')
    await ledger.sightings.looked([])
    now += (2 * DAY) / 1_000
  }
  expect(writes.filter((name) => name === 'letters').length).toBeLessThanOrEqual(2)
  expect(writes.filter((name) => name === 'attempts').length).toBeLessThanOrEqual(2)
  expect(writes.filter((name) => name === 'facts').length).toBeLessThanOrEqual(50)
})

describe('a sighting', () => {
  it.each([
    { since: 0, isNoted: false },
    { since: DAY - 1, isNoted: false },
    { since: DAY, isNoted: true },
    // The wall clock was set back.
    { since: -1, isNoted: true },
  ])('$since ms after the last one is noted: $isNoted', async ({ isNoted, since }) => {
    await discarded('one')
    await ledger.begin({ letter: 'two' })
    await ledger.sightings.see('one')
    writes = []
    now += since
    for (const id of ['one', 'two']) await ledger.sightings.see(id)
    expect(writes).toEqual(isNoted ? ['letters', 'attempts'] : [])
  })

  it('of what nothing is remembered of notes nothing', async () => {
    await ledger.sightings.see('unknown')
    expect(writes).toEqual([])
  })

  it('is told to the fleet where attempts or a result are kept, once a day', async () => {
    const told: unknown[] = []
    const sightings = new Sightings(tables, () => now, { changed: (id, what) => void told.push([id, what]) })
    await ledger.begin({ letter: 'tried' })
    await ledger.keepResult(of('done'), 'the result')
    await discarded('discarded')
    now += DAY
    for (const id of ['tried', 'done', 'discarded', 'unknown', 'tried', 'done']) await sightings.see(id)
    expect(told).toEqual([
      ['tried', 'result'],
      ['done', 'result'],
    ])
  })
})

describe('looks at everything', () => {
  const facts = (): readonly (string | undefined)[] => ['looking since', 'looked'].map((name) => tables.facts.get(name))

  it.each([
    { after: 0, looked: 0, since: 0 },
    { after: HOUR - 1, looked: 0, since: 0 },
    { after: HOUR, looked: HOUR, since: 0 },
    { after: DAY - 1, looked: DAY - 1, since: 0 },
    { after: DAY, looked: DAY, since: DAY },
    { after: -1, looked: -1, since: -1 },
  ])('$after ms after the last one: as of $looked, and all the time since $since', async ({ after, looked, since }) => {
    const start = now
    await ledger.sightings.looked([])
    expect(facts()).toEqual([String(start), String(start)])
    writes = []
    now += after
    await ledger.sightings.looked([])
    expect(facts()).toEqual([String(start + since), String(start + looked)])
    expect(writes.length > 0).toBe(looked !== 0)
  })

  it('forget what we sent once an hour, over a new start too', async () => {
    await ledger.addOwn('sent', now)
    now += HOUR / 2
    await ledger.sightings.looked([])
    now += HOUR / 2
    await new Sightings(tables, () => now).looked([])
    await ledger.sightings.looked([])
    expect((await recalled(ledger, 'sent')).isOwn).toBe(true)
    now += HOUR / 2
    await ledger.sightings.looked([])
    expect((await recalled(ledger, 'sent')).isOwn).toBe(false)
  })

  it.each([
    { less: 1, lookedBefore: 0, isForgotten: false },
    { less: 0, lookedBefore: 0, isForgotten: true },
    { less: 0, lookedBefore: DAY - 1, isForgotten: true },
    { less: 0, lookedBefore: DAY, isForgotten: false },
  ])(
    'for state.keep and a day, less $less ms, the last of them $lookedBefore ms ago: what they did not show is forgotten: $isForgotten',
    async ({ isForgotten, less, lookedBefore }) => {
      await ledger.begin({ letter: 'gone' })
      const end = now + KEEP + DAY - less
      for (; now < end - lookedBefore; now += DAY / 2) await ledger.sightings.looked([])
      now = end - lookedBefore
      await tables.facts.set('looked', String(now))
      now = end
      await ledger.prune(KEEP)
      expect(ledger.attemptsOf('gone').starts).toBe(isForgotten ? 0 : 1)
    },
  )
})

it('a result that was given up stays as long as its letter waits for somebody, and goes when that is discarded (P5, §5)', async () => {
  await ledger.keepResult(of('one'), 'the result')
  await ledger.deadLetter({ ...letter, clink: of('one'), at: now }, true)
  await work(5 * KEEP)
  expect(ledger.keptResult(of('one'))?.response).toBe('the result')
  await ledger.letters.discard('one')
  await work(KEEP)
  expect(ledger.keptResult(of('one'))).toBeUndefined()
})

it.each(KINDS)('%s: a wall clock that goes forward by months and back forgets nothing (P5, P10, P15)', async (what) => {
  await make[what]('pending')
  await work(DAY, 'pending')
  now += 90 * DAY
  await work(2 * HOUR)
  now -= 90 * DAY
  await work(DAY)
  expect(await isKnown[what]('pending')).toBe(true)
})

it('a wall clock that was set back forgets nothing', async () => {
  await discarded('pending')
  await work(KEEP / 2, 'pending')
  now -= 365 * DAY
  await ledger.prune(KEEP)
  await work(DAY)
  expect((await recalled(ledger, 'pending')).isGivenUp).toBe(true)
})

describe('what we sent ourselves (P15, §5)', () => {
  const look = async (inHand: readonly string[], ...shown: string[]): Promise<void> => {
    for (const id of shown) await ledger.sightings.see(id)
    await ledger.sightings.looked(inHand)
  }
  const known = async (...ids: string[]): Promise<boolean[]> =>
    await Promise.all(ids.map(async (id) => (await recalled(ledger, id)).isOwn))

  it('is forgotten when a look at everything shows that it is gone, and not while it is shown, or held', async () => {
    for (const id of ['shown', 'held', 'gone']) await ledger.addOwn(id, now)
    for (const end = now + 10 * DAY; now < end; now += 10 * 60_000) await look(['held'], 'shown')
    expect(await known('shown', 'held', 'gone')).toEqual([true, true, false])
    now += 2 * HOUR
    await look([])
    expect(await known('shown', 'held')).toEqual([false, false])
  })

  it('is not forgotten by a look that began before it was sent', async () => {
    await look([])
    now += 2 * HOUR
    await ledger.addOwn('just sent', now)
    await look([])
    expect(await known('just sent')).toEqual([true])
  })

  it.each([90 * DAY, -90 * DAY])(
    'is known after the wall clock was moved by %i, as long as it is shown',
    async (ms) => {
      await ledger.addOwn('shown', now)
      await look([], 'shown')
      now += ms
      for (const end = now + DAY; now < end; now += HOUR) await look([], 'shown')
      expect(await known('shown')).toEqual([true])
    },
  )

  it('is not forgotten while the inbox cannot be looked at', async () => {
    await ledger.addOwn('pending', now)
    now += 90 * DAY
    await ledger.prune(KEEP)
    expect(await known('pending')).toEqual([true])
  })

  it('is forgotten when it is settled', async () => {
    await ledger.addOwn('settled', now)
    await ledger.settled({ ...clink, clink_id: 'settled' })
    expect(await known('settled')).toEqual([false])
  })

  it('is forgotten in several looks where it is very much', async () => {
    for (let n = 0; n < 30_000; n += 1) await ledger.addOwn(`${n}`, now)
    now += 2 * HOUR
    await look([])
    expect(await known('29999')).toEqual([true])
    now += 1_000
    writes = []
    await look([])
    expect(await known('0', '29999')).toEqual([false, false])
    expect(writes).toEqual([])
  })

  it('is noted twice an hour at most while it is shown', async () => {
    await ledger.addOwn('shown', now)
    writes = []
    for (const end = now + 10 * HOUR; now < end; now += 60_000) await look([], 'shown')
    expect(writes.filter((name) => name === 'own').length).toBeLessThanOrEqual(20)
  })
})
