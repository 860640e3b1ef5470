import { describe, expect, it } from 'vitest'
import type { Transport } from '../../../src/clink/transport.ts'
import { Bench } from '../../support/harness.ts'
import { requests, times } from '../../support/record.ts'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

/** Spoils the records of a page whose content is `bad`. */
const spoil =
  (damage: (record: Record<string, unknown>) => unknown) =>
  (inner: Transport): Transport => ({
    send: async (request) => {
      const answer = await inner.send(request)
      if (!request.path.startsWith('/inbox')) return answer
      const body = JSON.parse(answer.body) as { data: { clinks: Record<string, unknown>[] } }
      body.data.clinks = body.data.clinks.map((record) =>
        record['content'] === 'bad' ? (damage(record) as Record<string, unknown>) : record,
      )
      return { ...answer, body: JSON.stringify(body) }
    },
  })

describe.concurrent('P14: a malformed clink in a page', () => {
  it.for<[string, (record: Record<string, unknown>) => unknown]>([
    ['null', () => null],
    ['a text', () => 'clink'],
    ['a list', () => []],
    ['without an id', ({ clink_id: _, ...rest }) => rest],
    ['with a number for an id', (record) => ({ ...record, clink_id: 7 })],
    ['with an id that is empty', (record) => ({ ...record, clink_id: '' })],
    ['with an id that means a directory', (record) => ({ ...record, clink_id: '..' })],
    ['with an id that is no text that can be sent', (record) => ({ ...record, clink_id: 'msg_\uD800' })],
    ['with a group that cannot be asked about', (record) => ({ ...record, group_id: '.' })],
    ['without content', ({ content: _, ...rest }) => rest],
    ['with an object for content', (record) => ({ ...record, content: {} })],
    ['without a status', ({ status: _, ...rest }) => rest],
    ['with a claim time that is none', (record) => ({ ...record, claim_expires_at: 'soon', claimed_at: 'now' })],
  ])('(%s) does not hurt the others', async ([, damage]) => {
    await using bench = await Bench.open()
    const before = bench.sendMany(2)
    bench.send('bad')
    const after = bench.sendMany(4)
    const station = bench.work(() => 'done', { wrap: spoil(damage), settings: { concurrency: 4 } })
    await bench.completed([...before, ...after])

    for (const id of [...before, ...after]) expect(station.runsOf(id)).toHaveLength(1)
    expect(station.exit).toBeUndefined()
  })

  it('does not keep those behind it from ever being claimed, though its claim runs out before the next poll and it has no id', async () => {
    const bench = new VirtualBench({
      switches: { defaultTimeout: 3, inboxOrder: 'oldest' },
      settings: { concurrency: 2, inbox: { claim: 'batch' }, poll: { interval: 8_000, maxInterval: 8_000 } },
      spoil: spoil(({ clink_id: _, ...rest }) => rest),
      handle: async () => await Promise.resolve('done'),
    })
    for (const text of ['bad', 'bad', 'good', 'good', 'good']) bench.send(text)
    await bench.pass(MINUTE)
    await bench.stop()

    expect(bench.all('clink.completed')).toHaveLength(3)
  })

  it.for(['soon', '', '-271821-04-20T00:00:00Z', '+275760-09-12T00:00:00Z'])(
    '(created at %j) does not hurt those that are listed after it',
    async (time) => {
      await using bench = await Bench.open()
      const bad = bench.send('bad')
      const station = bench.work(() => 'done', {
        wrap: spoil((record) => ({ ...record, created_at: time })),
        settings: { inbox: { claim: 'select' }, claim: { exclusive: true } },
      })
      await bench.completed(bad)
      await bench.completed(bench.send('good'))

      expect(station.runs).toHaveLength(2)
      expect(station.exit).toBeUndefined()
    },
  )

  it('does not hide what is behind it, even when it fills pages', async () => {
    await using bench = await Bench.open()
    for (let n = 0; n < 6; n += 1) bench.send('bad')
    const good = bench.sendMany(4)
    const station = bench.work(() => 'done', { wrap: spoil(() => ({})), settings: { concurrency: 2 } })
    await bench.completed(good)

    expect(station.all('clink.leftAlone').filter(({ why }) => why === 'malformed').length).toBeGreaterThan(0)
    expect(station.runs).toHaveLength(4)
  })

  it('is named', async () => {
    await using bench = await Bench.open()
    const id = bench.send('bad')
    const station = bench.work(() => 'done', { wrap: spoil(({ group_id: _, ...rest }) => rest) })
    const left = await station.seen('clink.leftAlone')

    expect(left).toMatchObject({ clinkId: id, why: 'malformed' })
    expect(left.detail).toContain('group_id')
  })
})

/** Takes the status out of every record. */
const withoutStatus = (inner: Transport): Transport => ({
  send: async (request) => {
    const answer = await inner.send(request)
    return { ...answer, body: answer.body.replaceAll(/"status":"\w+"/g, `"status":null`) }
  },
})

it('P2, §0: a claim on a clink without a status ends when the answer about it says, and is not released after that', async () => {
  const bench = new VirtualBench({
    switches: { pollRecords: 'snapshot', maxTimeout: 'cap:17' },
    settings: {
      claim: { timeout: 23_000 },
      poll: { interval: MINUTE, maxInterval: MINUTE },
      inbox: { claim: 'batch' },
    },
    spoil: withoutStatus,
    handle: async () => await Promise.resolve('done'),
  })
  const id = bench.send('odd')
  await bench.pass(18_000)
  await bench.stop()

  expect(bench.all('clink.parked').map(({ why }) => why)).toEqual(['malformed'])
  expect(times(bench.emulator, id, 'renewed')).toBe(1)
  expect(requests(bench.emulator, 'release_clink')).toEqual([])
})

describe('P14: a malformed clink without an id', () => {
  it('is polled for at once no more where its kind comes round, since claims run out before polls have come to the last (P13)', async () => {
    const bench = new VirtualBench({
      switches: { defaultTimeout: 3, maxTimeout: 'cap:3' },
      settings: {
        concurrency: 1,
        inbox: { claim: 'batch' },
        poll: { interval: 5_000, maxInterval: 5_000, sweep: 10 * MINUTE },
      },
      spoil: spoil(({ clink_id: _, ...rest }) => rest),
      handle: async () => 'done',
    })
    for (let n = 0; n < 400; n += 1) bench.send('bad')
    await bench.pass(MINUTE)
    expect(bench.all('inbox.starved')).toHaveLength(1)
    expect(bench.all('poll.succeeded').length).toBeLessThan(150)
    await bench.stop()
  })

  it('is warned of once an hour, however often it is shown', async () => {
    const bench = new VirtualBench({ handle: async () => 'done', spoil: spoil(({ clink_id: _, ...rest }) => rest) })
    bench.send('bad')
    const warned = (): number => bench.all('clink.leftAlone').filter(({ why }) => why === 'malformed').length
    await bench.pass(50 * MINUTE)
    expect(bench.all('poll.succeeded').length).toBeGreaterThan(10)
    expect(warned()).toBe(1)
    await bench.pass(60 * MINUTE)
    expect(warned()).toBe(2)
    await bench.stop()
  })
})
