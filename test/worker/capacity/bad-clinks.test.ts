import { describe, expect, it } from 'vitest'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { Bench, until, type Station } from '../../support/harness.ts'
import { mostClaimed } from '../../support/record.ts'
import { HOUR, MINUTE, VirtualBench } from '../../support/virtual.ts'
import { recalled } from '../../support/states.ts'

const quick = { attempts: 2, backoff: 200, maxBackoff: 600_000 } as const
const exclusive = { claim: { exclusive: true }, inbox: { claim: 'select' } } as const

/** Fails on what is bad for as long as it is. */
function makeHandle() {
  const isBad = { value: (content: string): boolean => content.startsWith('bad') }
  const handle = ({ content }: { content: string }): string => {
    if (isBad.value(content)) throw new Error(`cannot: ${content}`)
    return 'done'
  }
  return { handle, isBad }
}

const send = (bench: Bench, name: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => bench.send(`${name} ${n}`))

const isReady = ({ daemon }: Station): boolean => daemon.readiness().ready

describe.concurrent('P10, §4: clinks that always fail', () => {
  it.for([
    ['batch', { inbox: { claim: 'batch' } }],
    ['select', exclusive],
    ['one slot', { concurrency: 1 }],
  ] as const)(
    'five among a hundred good ones end as dead letters, and keep none of these (%s)',
    async ([, settings]) => {
      await using bench = await Bench.open()
      const bad = send(bench, 'bad', 5)
      const good = send(bench, 'good', 100)
      const station = bench.work(makeHandle().handle, { settings: { ...settings, retry: quick } })
      await bench.completed(good, 30_000)
      for (const id of bad) await station.seen('clink.deadLettered', id, 30_000)
      await until(() => isReady(station), 'it is ready')
      expect(station.all('clink.deadLettered')).toHaveLength(5)
    },
  )

  it.for([
    ['with good ones', 100],
    ['alone', 0],
  ] as const)('end a worker that works the inbox empty with exit 1 (%s)', async ([, count]) => {
    await using bench = await Bench.open()
    const bad = send(bench, 'bad', 8)
    const good = send(bench, 'good', count)
    const retry = { attempts: 3, backoff: 50, maxBackoff: 100 }
    const station = bench.work(makeHandle().handle, { settings: { retry }, once: {} })
    expect(await station.ended(30_000)).toBe(1)
    expect(good.map((id) => bench.status(id))).toEqual(good.map(() => 'completed'))
    expect(bad.map((id) => station.all('clink.deadLettered', id).length)).toEqual(bad.map(() => 1))
  })

  it('do not end a worker that works the inbox empty before one that came after them was tried', async () => {
    await using bench = await Bench.open()
    send(bench, 'bad', 5)
    const { handle } = makeHandle()
    const good: string[] = []
    const settings = { ...exclusive, retry: { attempts: 2, backoff: 300, maxBackoff: 300 } }
    const station: Station = bench.work(
      (clink) => {
        if (station.runs.length === 10) good.push(bench.send('better'))
        return handle(clink)
      },
      // The other route is open, so that polls go on.
      { settings, once: {}, routes: ['b', 'other'] },
    )
    expect(await station.ended(30_000)).toBe(1)
    expect(good.map((id) => bench.status(id))).toEqual(['completed'])
    expect(station.all('route.paused')).toHaveLength(1)
  })

  it('with the default settings, five of 25 are dead letters within two minutes, and the worker is ready', async () => {
    const { handle } = makeHandle()
    const retry = { attempts: 5, backoff: 5_000, maxBackoff: 10 * MINUTE }
    const bench = new VirtualBench({
      settings: { concurrency: 10, retry, claim: { maxHold: 6 * HOUR } },
      handle: async (clink) => await Promise.resolve(handle(clink)),
    })
    for (let n = 0; n < 25; n += 1) bench.send(n % 5 === 0 ? `bad ${n}` : `good ${n}`)
    await bench.pass(2 * MINUTE)
    expect(bench.all('clink.completed')).toHaveLength(20)
    expect(bench.all('clink.deadLettered')).toHaveLength(5)
    expect(bench.daemon.readiness()).toEqual({ ready: true, reasons: [] })
    await bench.stop()
  })
})

describe.concurrent('P10, §4: a paused route', () => {
  it.for([
    ['batch', { inbox: { claim: 'batch' } }],
    ['select', exclusive],
  ] as const)(
    'claims a fresh clink for its next probe though no more may be held, and is open when that is done (%s, P6)',
    async ([, settings]) => {
      await using bench = await Bench.open()
      send(bench, 'bad', 12)
      const retry = { attempts: 5, backoff: 300, maxBackoff: 300 }
      const station = bench.work(makeHandle().handle, { settings: { ...settings, concurrency: 2, retry } })
      await station.seen('route.paused', undefined, 20_000)
      expect(station.daemon.readiness()).toMatchObject({ ready: false, reasons: [expect.stringContaining('test')] })
      await until(() => station.daemon.snapshot().held === 8, 'as many are held as may be', 20_000)
      await bench.completed(bench.send('good'), 20_000)
      expect(station.all('route.paused')).toHaveLength(1)
      expect(station.all('route.resumed')).toHaveLength(1)
      // A poll may bring what was released before: it is parked, to see what lies behind it.
      if (settings === exclusive) expect(mostClaimed(bench.emulator)).toBeLessThanOrEqual(2 + 2 * 4)
    },
  )

  it('keeps no clink of another route waiting', async () => {
    await using bench = await Bench.open()
    send(bench, 'bad', 12)
    const retry = { attempts: 5, backoff: 60_000, maxBackoff: 60_000 }
    const settings = { inbox: { claim: 'batch' }, concurrency: 2, retry } as const
    const station = bench.work(makeHandle().handle, { settings, routes: ['bad', 'good'] })
    const first = send(bench, 'good', 3)
    await bench.completed(first, 20_000)
    const later = send(bench, 'good', 3)
    await bench.completed(later, 20_000)
    expect(station.all('route.paused').map(({ route }) => route)).not.toContain('good')
  })

  it('costs no attempt for six hours; then what has failed ends as usual, and what is new is still tried one by one', async () => {
    const { handle } = makeHandle()
    const retry = { attempts: 5, backoff: 5_000, maxBackoff: 10 * MINUTE }
    const bench = new VirtualBench({
      settings: { concurrency: 10, retry, claim: { maxHold: 24 * HOUR } },
      handle: async (clink) => await Promise.resolve(handle(clink)),
    })
    for (let n = 0; n < 8; n += 1) bench.send(`bad ${n}`)
    await bench.pass(5.9 * HOUR)
    expect(bench.all('route.paused')).toHaveLength(1)
    expect(bench.all('clink.deadLettered')).toEqual([])
    await bench.pass(HOUR)
    expect(bench.all('clink.deadLettered')).toHaveLength(8)
    const [reason] = bench.daemon.readiness().reasons
    expect(reason).toContain('the route test is paused')
    bench.send('good')
    await bench.pass(2 * MINUTE)
    expect(bench.daemon.readiness()).toEqual({ ready: true, reasons: [] })
    expect(bench.all('route.paused')).toHaveLength(1)
    await bench.stop()
  })

  it('that a stop ends leaves no wait behind: the next process finds the route open', async () => {
    await using bench = await Bench.open()
    send(bench, 'bad', 10)
    const ledger = new Ledger(memoryTables())
    const retry = { attempts: 5, backoff: 50, maxBackoff: 60_000 }
    const station = bench.work(makeHandle().handle, { settings: { retry }, ledger })
    await station.seen('route.paused', undefined, 20_000)
    const waiting = (): string[] =>
      station.all('clink.held').flatMap(({ clink, why }) => (why.includes('paused') ? [clink.clink_id] : []))
    await until(() => waiting().length >= 5, 'five wait for their route', 20_000)
    await station.close()
    // One that was tried meanwhile has failed, and waits for itself.
    const whys = new Map(station.all('clink.held').map(({ clink, why }) => [clink.clink_id, why]))
    const [waits = ''] = [...whys].findLast(([, why]) => why.includes('paused')) ?? []
    expect((await recalled(ledger, waits)).isCooling).toBe(false)
  })
})
