import { describe, expect, it } from 'vitest'
import type { Transport } from '../../../src/clink/transport.ts'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { Bench, obey, until } from '../../support/harness.ts'
import { seed } from '../../support/key-owners.ts'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'
import { requests, requestsFor, stillClaimed, story, when } from '../../support/record.ts'

type Times = Record<'claimed_at' | 'claim_expires_at', string | undefined>

/** A service that tells the times of a claim in its own way. */
function telling(change: (times: Times) => Partial<Times>): (inner: Transport) => Transport {
  return (inner) => ({
    async send(request) {
      const answer = await inner.send(request)
      const body = JSON.parse(answer.body, (_, value: unknown) => {
        if (typeof value !== 'object' || value === null || !('claimed_at' in value)) return value
        const { claimed_at, claim_expires_at } = value as Times
        return { ...value, ...change({ claimed_at, claim_expires_at }) }
      }) as unknown
      return { ...answer, body: JSON.stringify(body) }
    },
  })
}

/** Notes what claims by id ask for. */
function noting(bodies: unknown[]): (inner: Transport) => Transport {
  return (inner) => ({
    async send(request) {
      if (request.path.endsWith('/claim')) bodies.push(JSON.parse(request.body ?? '{}'))
      return await inner.send(request)
    },
  })
}

const withoutStart = telling(() => ({ claimed_at: undefined }))
const withoutEnd = telling(() => ({ claim_expires_at: undefined }))
const zoneless = telling(({ claimed_at, claim_expires_at }) => ({
  claimed_at: claimed_at?.slice(0, -1),
  claim_expires_at,
}))
const hoursApart = telling(({ claim_expires_at }) => ({
  claim_expires_at:
    claim_expires_at === undefined ? undefined : new Date(Date.parse(claim_expires_at) + 3_240_000).toISOString(),
}))
const settings = { claim: { timeout: 60_000 } }

describe.concurrent('P2, §2: a claim of unknown length', () => {
  it.for([
    ['shown as it was before', { pollRecords: 'snapshot' }, undefined],
    ['without its start', {}, withoutStart],
    ['without its end', {}, withoutEnd],
    ['without times', { claimTimes: 'absent' }, undefined],
    ['that seems hours longer than what a poll gives', {}, hoursApart],
  ] as const)('%s is renewed with a length asked for before its handler starts', async ([, switches, wrap]) => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 4, ...switches } })
    const id = bench.send('work')
    const station = bench.work(async (_, ctx) => await obey(ctx), { settings, ...(wrap && { wrap }) })
    await station.seen('clink.started', id)

    expect(when(bench.emulator, id, 'renewed')).toBeLessThanOrEqual(station.runs[0]?.start ?? 0)
    const [entry] = bench.emulator.history(id).filter(({ what }) => what === 'renewed')
    expect((entry?.expires ?? 0) - (entry?.at ?? 0)).toBe(60_000)
  })

  it.for([
    ['a page that shows clinks as they were', { pollRecords: 'snapshot' }],
    ['absent times', { claimTimes: 'absent' }],
  ] as const)('is not run where it is refused, and after three the worker is not ready: %s', async ([, switches]) => {
    await using bench = await Bench.open({ switches: { reclaim: 'refuse', ...switches } })
    const ids = bench.sendMany(6)
    const station = bench.work(() => 'done', { settings: { ...settings, inbox: { claim: 'batch' }, concurrency: 3 } })
    const { reason } = await station.seen('worker.claimsUnusable')
    await until(() => station.all('worker.notReady').length > 0, 'it says so')

    expect(reason).toContain('does not say how long a claim lasts')
    expect(station.daemon.readiness()).toMatchObject({ ready: false, reasons: [expect.stringContaining(reason)] })
    expect(station.runs).toEqual([])
    // The rest is left to others.
    expect(stillClaimed(bench.emulator).length).toBeLessThan(6)
    expect(ids.map((id) => bench.status(id))).toContain('pending')
  })

  it('is not claimed again and again where its renewals are refused in another form than the API has', async () => {
    const bench = new VirtualBench({
      switches: { claimTimes: 'absent', reclaim: 'refuse', defaultTimeout: 5 },
      settings: { claim: { timeout: 5_000 } },
      spoil: (inner) => ({
        async send(request) {
          const answer = await inner.send(request)
          return answer.status < 400 ? answer : { ...answer, body: '{"detail":"no"}' }
        },
      }),
      handle: async () => await Promise.resolve('done'),
    })
    for (let count = 0; count < 50; count += 1) bench.send('work')
    await bench.pass(10 * MINUTE)
    const polls = bench.sent.filter(({ path }) => path.includes('claim=true')).length
    await bench.stop()

    expect(bench.all('worker.claimsUnusable').length).toBeGreaterThan(0)
    expect(bench.daemon.readiness()).toMatchObject({ ready: false })
    // One a minute.
    expect(polls).toBeLessThan(40)
    expect(bench.all('clink.started')).toEqual([])
  })

  it('is a claim like any other again, once the service tells how long its claims last', async () => {
    const bench = new VirtualBench({
      switches: { claimTimes: 'absent', reclaim: 'refuse' },
      settings: { inbox: { claim: 'batch' } },
      handle: async () => await Promise.resolve('done'),
    })
    for (let count = 0; count < 10; count += 1) bench.send('work')
    await bench.pass(3 * MINUTE)
    expect(bench.all('worker.claimsUnusable').length).toBeGreaterThan(0)

    bench.emulator.setSwitches({ claimTimes: 'present', reclaim: 'renew' })
    for (let count = 0; count < 30; count += 1) bench.send('work')
    await bench.pass(5 * MINUTE)
    expect(bench.daemon.totals().completed).toBeGreaterThanOrEqual(30)
  })

  it('is asked about until there is an answer, and lost when there is none by the end of the least that it may last', async () => {
    await using bench = await Bench.open({ switches: { pollRecords: 'snapshot', defaultTimeout: 4 } })
    bench.fault({ operation: 'claim_clink', times: 2 }, { status: 503 })
    const id = bench.send('work')
    const station = bench.work(() => 'done', { settings: { ...settings, concurrency: 1 } })
    await bench.completed(id)

    expect(requests(bench.emulator, 'claim_clink').map(({ status }) => status)).toEqual([503, 503, 200])
    expect(station.runs).toHaveLength(1)
  })

  it('has its slot while it is asked about (P6), and is given back by a stop (P8)', async () => {
    await using bench = await Bench.open({ switches: { pollRecords: 'snapshot' } })
    bench.fault({ operation: 'claim_clink' }, { delayBefore: 400, status: 503 })
    const ids = bench.sendMany(5)
    const station = bench.work(() => 'done', { settings: { ...settings, concurrency: 2 } })
    await until(() => requests(bench.emulator, 'claim_clink').length >= 4, 'it asks')
    expect(stillClaimed(bench.emulator)).toHaveLength(2)
    await station.daemon.stop('test')

    expect(station.runs).toEqual([])
    expect(ids.map((id) => bench.status(id))).toEqual(ids.map(() => 'pending'))
  })

  it('is said once, and asked about each time that a poll has made it: its length is the service’s own (P3)', async () => {
    await using bench = await Bench.open({ switches: { claimTimes: 'absent', defaultTimeout: 2 } })
    const ids = bench.sendMany(3)
    const station = bench.work(async () => await new Promise((resolve) => setTimeout(resolve, 3_000)), {
      settings: { ...settings, concurrency: 1 },
    })
    await bench.completed(ids)

    expect(station.all('worker.claimLengthUntold')).toHaveLength(1)
    for (const id of ids) expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    expect(station.runs).toHaveLength(3)
  })

  it('that is parked is asked about, so that a stop knows whether it may be given back (P8)', async () => {
    await using bench = await Bench.open({ switches: { pollRecords: 'snapshot' } })
    const id = bench.send('nobody')
    const station = bench.work(() => 'done', {
      settings: { ...settings, inbox: { claim: 'batch' } },
      takes: () => false,
    })
    await station.seen('clink.parked', id)
    await until(() => requestsFor(bench.emulator, id).some(({ operation }) => operation === 'claim_clink'), 'it asks')
    await station.daemon.stop('test')

    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'released'])
  })

  it('reads times without a zone as UTC, wherever the machine stands: a claim of 4 s is no claim of hours (§0)', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 4 } })
    const zone = process.env['TZ']
    process.env['TZ'] = 'America/New_York'
    try {
      const station = bench.work(async (_, ctx) => await obey(ctx), { settings, wrap: zoneless })
      const { lease } = await station.seen('clink.claimed', bench.send('work'))
      expect(lease).toBeLessThan(4_000)
    } finally {
      process.env['TZ'] = zone ?? 'UTC'
    }
  })
})

describe.concurrent(
  'P2, §2: a request that claims what is ours already asks for the length, and its answer is a renewal',
  () => {
    it('of a worker that learns who it is from it', async () => {
      const bodies: unknown[] = []
      await using bench = await Bench.open({ switches: { pollRecords: 'snapshot' } })
      bench.send('hello\n— clink-worker', { from: 'alice' })
      const station = bench.work(async (_, ctx) => await obey(ctx), { settings, wrap: noting(bodies) })
      await station.seen('clink.started')

      expect(bodies[0]).toEqual({ timeout_seconds: 60 })
    })

    it('of a start with another key, which asks again while the lease stands (P9, §7)', async () => {
      const bodies: unknown[] = []
      await using bench = await Bench.open({ seed, switches: { identity: 'owner' } })
      const ledger = new Ledger(memoryTables())
      const id = bench.send('work')
      const over = Promise.withResolvers<void>()
      const before = bench.work(async () => await over.promise, { ledger, settings })
      await before.seen('clink.started', id)
      const copy = new Ledger(memoryTables())
      for (const claim of ledger.process.claims()) await copy.process.hold(claim)
      for (const name of ['session', 'identity']) await copy.process.note({ [name]: ledger.process.fact(name) ?? '' })
      const away = bench.fault({ operation: 'claim_clink', times: 2 }, { status: 503 })
      const now = bench.work(async (_, ctx) => await obey(ctx), {
        ledger: copy,
        settings,
        key: 'next',
        wrap: noting(bodies),
      })
      await now.seen('clink.started', id)

      expect(away.hits).toBe(2)
      expect(now.all('clink.leftToExpire')).toEqual([])
      expect(bodies.slice(0, 3)).toEqual([60, 60, 60].map((seconds) => ({ timeout_seconds: seconds })))
      const end = bench.emulator.history(id).findLast(({ what }) => what === 'renewed')?.expires ?? 0
      const left = now.all('clink.renewed')[0]?.left ?? Infinity
      expect(left).toBeLessThan(end - Date.now() + 1_000)
      over.resolve()
    })

    it('of a worker that claims back what a sibling was granted', async () => {
      const bodies: unknown[] = []
      await using bench = await Bench.open({ switches: { identity: 'owner' } })
      bench.send('work')
      const station = bench.work(() => 'done', {
        settings: { ...settings, inbox: { claim: 'select' } },
        wrap: noting(bodies),
      })
      await station.seen('worker.siblings')

      expect(bodies.length).toBeGreaterThan(2)
      for (const body of bodies) expect(body).toEqual({ timeout_seconds: 60 })
    })
  },
)
