import { describe, expect, it } from 'vitest'
import type { Transport } from '../../../src/clink/transport.ts'
import { Bench, until, type Station } from '../../support/harness.ts'
import { requests, requestsFor, story, times } from '../../support/record.ts'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

type Damage = (record: Record<string, unknown>) => unknown

const DEEP = `${'['.repeat(20_000)}${']'.repeat(20_000)}`

/** Spoils the record of one clink, in pages or in whatever the service answers about it. */
const spoil =
  (is: (record: Record<string, unknown>) => boolean, damage: Damage, where: RegExp) =>
  (inner: Transport): Transport => ({
    send: async (request) => {
      const answer = await inner.send(request)
      if (!where.test(request.path) || answer.status !== 200) return answer
      const body = JSON.parse(answer.body) as { data: Record<string, unknown> }
      const { clinks } = body.data
      if (Array.isArray(clinks)) {
        body.data['clinks'] = clinks.map((one: Record<string, unknown>) => (is(one) ? damage(one) : one))
      } else if (is(body.data)) {
        return { ...answer, body: JSON.stringify({ success: true, data: damage(body.data) }) }
      }
      // Nested so deep it could not be written by this either.
      return { ...answer, body: JSON.stringify(body).replace('"[deep]"', DEEP) }
    },
  })

const isBad = ({ content }: Record<string, unknown>): boolean => content === 'bad'
const fields = ['group_id', 'sender_id', 'sender_name', 'content', 'created_at', 'status']
const others = [
  'group_name',
  'group_slug',
  'claimed_by',
  'claimed_at',
  'claim_expires_at',
  'completed_by',
  'completed_at',
  'for',
]
const without =
  (name: string): Damage =>
  ({ [name]: _, ...rest }) =>
    rest
const ways: readonly (readonly [string, (name: string) => Damage])[] = [
  ['missing', without],
  ['null', (name) => (record) => ({ ...record, [name]: null })],
  ['a number', (name) => (record) => ({ ...record, [name]: 7 })],
  ['an object', (name) => (record) => ({ ...record, [name]: { of: 'another kind' } })],
]
/** Nobody can tell what there is to do, for whom, or whether it is to be done. */
const mayNotRun = new Set(['group_id', 'sender_id', 'content', 'status'])
const cases = [...fields, ...others].flatMap((name) => ways.map(([way, damage]) => [name, way, damage(name)] as const))

function expectWorkedOrParked(bench: Bench, station: Station, bad: string, name: string): void {
  const isWorked = bench.status(bad) === 'completed'
  if (!mayNotRun.has(name)) expect(isWorked).toBe(true)
  expect(station.runsOf(bad)).toHaveLength(isWorked ? 1 : 0)
  // Never released and claimed in a circle.
  expect(story(bench.emulator, bad).filter((what) => what === 'released')).toEqual([])
  expect(times(bench.emulator, bad, 'claimed')).toBeLessThanOrEqual(1)
  if (!isWorked) expect(station.all('clink.leftAlone').map(({ clinkId }) => clinkId)).toContain(bad)
}

describe.concurrent('§0, P14: one field of a clink', () => {
  it.for(cases)(
    '%s %s: it is worked or parked, and the rest of the page is worked (batch)',
    async ([name, , damage]) => {
      await using bench = await Bench.open()
      const before = bench.sendMany(2)
      const bad = bench.send('bad')
      const after = bench.sendMany(2)
      const station = bench.work(() => 'done', {
        wrap: spoil(isBad, damage, /^\/inbox/),
        settings: { inbox: { claim: 'batch' } },
      })
      await bench.completed([...before, ...after])
      const last = bench.send('later')
      await bench.completed(last)
      await until(() => mayNotRun.has(name) || bench.status(bad) === 'completed', 'it is worked')

      expectWorkedOrParked(bench, station, bad, name)
      for (const id of [...before, ...after, last]) expect(station.runsOf(id)).toHaveLength(1)
      await station.close()
      expect(bench.status(bad)).not.toBe('claimed')
    },
  )

  it.for(cases)('%s %s: it is worked or left alone, and the rest is worked (select)', async ([name, , damage]) => {
    await using bench = await Bench.open()
    const bad = bench.send('bad')
    const after = bench.sendMany(2)
    const settings = { inbox: { claim: 'select' }, claim: { exclusive: true } } as const
    const station = bench.work(() => 'done', { wrap: spoil(isBad, damage, /^\/inbox/), settings })
    await bench.completed(after)
    await bench.completed(bench.send('later'))
    await until(() => mayNotRun.has(name) || bench.status(bad) === 'completed', 'it is worked')

    expectWorkedOrParked(bench, station, bad, name)
  })

  it.for(cases)('%s %s in every answer to its claim and its settlement: it is worked once', async ([, , damage]) => {
    await using bench = await Bench.open()
    const id = bench.send('bad')
    const settings = { inbox: { claim: 'select' }, claim: { exclusive: true } } as const
    const wrap = spoil(isBad, damage, /^\/clinks\//)
    const station = bench.work(({ content }) => content, { wrap, settings })
    await bench.completed(id)

    expect(station.runs.map(({ content }) => content)).toEqual(['bad'])
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
  })
})

describe.concurrent('§0: an id that fits no path', () => {
  it.for(['clink_id', 'group_id'])(
    '(%s) in the answers to its claim and its settlement: it is worked',
    async (name) => {
      await using bench = await Bench.open()
      const id = bench.send('bad')
      const settings = { inbox: { claim: 'select' }, claim: { exclusive: true } } as const
      const wrap = spoil(isBad, (record) => ({ ...record, [name]: '\ud800' }), /^\/clinks\//)
      const station = bench.work(({ content }) => content, { wrap, settings })
      await bench.completed(id, 5_000)

      expect(station.exit).toBeUndefined()
      expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    },
  )
})

describe.concurrent('§0: the slug of a group', () => {
  it.for(ways)('%s: inbox.groups goes by what the list of groups says', async ([, damage]) => {
    await using bench = await Bench.open()
    const id = bench.send('bad')
    const station = bench.work(() => 'done', {
      wrap: spoil(isBad, damage('group_slug'), /./),
      settings: { inbox: { groups: ['ops'] }, claim: { exclusive: true } },
    })
    await bench.completed(id)
    expect(station.runsOf(id)).toHaveLength(1)
  })
})

describe.concurrent('§0: an id that is a number', () => {
  it.for(['batch', 'select'] as const)('is read as its text, everybody’s (%s)', async (claim) => {
    await using bench = await Bench.open()
    const numbers: Damage = (record) => ({
      ...record,
      sender_id: 4711,
      for: 12,
      claimed_by: record['claimed_by'] == null ? null : 12,
    })
    const seen: unknown[] = []
    const id = bench.send('bad')
    const station = bench.work((clink) => void seen.push([clink.sender_id, clink.for]), {
      wrap: spoil(isBad, numbers, /./),
      settings: { inbox: { claim }, claim: { exclusive: true } },
    })
    await bench.completed(id)

    expect(seen).toEqual([['4711', '12']])
    expect(station.all('worker.identity').map(({ identity }) => identity)).toEqual(['12'])
  })

  it('a sender without a name goes by its id, and a route sees texts only', async () => {
    await using bench = await Bench.open()
    const seen: unknown[] = []
    const damage: Damage = ({ sender_name: _, created_at: __, ...rest }) => rest
    bench.work((clink) => void seen.push([clink.sender_name, clink.created_at]), {
      wrap: spoil(isBad, damage, /^\/inbox/),
    })
    await bench.completed(bench.send('bad'))

    expect(seen).toEqual([['user_bob', '']])
  })

  it('without the time of its creation a clink is not too old', async () => {
    await using bench = await Bench.open()
    const settings = { inbox: { maxAge: 60_000 }, claim: { exclusive: true } }
    const station = bench.work(() => 'done', { wrap: spoil(isBad, without('created_at'), /./), settings })
    await bench.completed(bench.send('bad'))
    await bench.completed(bench.send('good'))

    expect(station.runs).toHaveLength(2)
  })
})

const deep: Damage = (record) => ({ ...record, extra: '[deep]' })
const large: Damage = (record) => ({ ...record, extra: 'x'.repeat(300_000) })

describe.concurrent('§0: a record that nobody could copy or write', () => {
  it.for([
    ['nested 20,000 deep', deep, 'nested'],
    ['of 300,000 characters', large, 'longer'],
    [
      'of 300,000 fields',
      (record: Record<string, unknown>) => ({ ...record, extra: Array.from({ length: 300_000 }, () => 1) }),
      'longer',
    ],
  ] as const)('(%s) is malformed, and the rest of the page is worked', async ([, damage, why]) => {
    await using bench = await Bench.open()
    const before = bench.sendMany(2)
    const bad = bench.send('bad')
    const after = bench.sendMany(2)
    const station = bench.work(() => 'done', { wrap: spoil(isBad, damage, /^\/inbox/) })
    await bench.completed([...before, ...after])
    const left = station.all('clink.leftAlone').find(({ clinkId }) => clinkId === bad)

    expect(left).toMatchObject({ why: 'malformed', detail: expect.stringContaining(why) })
    expect(station.runsOf(bad)).toEqual([])
    expect(station.exit).toBeUndefined()
    await station.close()
    expect(bench.status(bad)).toBe('pending')
  })
})

describe('§0, P10: a clink that cannot be worked', () => {
  const noContent = { content: 'bad' }
  const bench = (claim: 'batch' | 'auto', exclusive = false): VirtualBench =>
    new VirtualBench({
      settings: { inbox: { claim }, claim: { exclusive } },
      handle: async () => 'done',
      spoil: spoil((record) => record['content'] === noContent.content, without('content'), /^\/inbox/),
    })

  it('is claimed once a lease by polls, and released by the stop only', async () => {
    const batch = bench('batch')
    const id = batch.send('bad')
    await batch.watch(60 * MINUTE, () => {})
    expect(times(batch.emulator, id, 'claimed')).toBeLessThanOrEqual(13)
    expect(times(batch.emulator, id, 'released')).toBe(0)
    await batch.stop()
    expect(batch.emulator.clink(id)?.status).toBe('pending')
    batch.begin()
    await batch.watch(2 * MINUTE, () => {})
    await batch.stop()
    expect(times(batch.emulator, id, 'claimed')).toBeLessThanOrEqual(14)
  })

  it('is claimed once where claims by id are safe, and hides nothing', async () => {
    const auto = bench('auto', true)
    const bad = auto.send('bad')
    await auto.watch(30 * MINUTE, () => {})
    const good = auto.send('good')
    await auto.watch(30 * MINUTE, () => {})
    await auto.stop()

    expect(times(auto.emulator, bad, 'claimed')).toBe(1)
    expect(story(auto.emulator, good)).toEqual(['created', 'claimed', 'completed'])
    expect(requestsFor(auto.emulator, bad).map(({ operation }) => operation)).toEqual([])
    expect(requests(auto.emulator, 'check_inbox').length).toBeLessThan(2_000)
  })

  it('is worked as soon as its record can be read', async () => {
    let isSpoilt = true
    const damage: Damage = (record) => (isSpoilt ? without('content')(record) : record)
    const healing = new VirtualBench({
      settings: { claim: { exclusive: true } },
      handle: async () => 'done',
      spoil: spoil(isBad, damage, /^\/inbox/),
    })
    const id = healing.send('bad')
    await healing.watch(10 * MINUTE, () => {})
    isSpoilt = false
    await healing.watch(10 * MINUTE, () => {})
    await healing.stop()

    expect(story(healing.emulator, id)).toEqual(['created', 'claimed', 'expired', 'claimed', 'completed'])
  })
})
