import { describe, expect, it } from 'vitest'
import type { Transport } from '../../../src/clink/transport.ts'
import { Bench, take, until } from '../../support/harness.ts'
import { requestsFor, story, times, when } from '../../support/record.ts'
import { HOUR, MINUTE, VirtualBench } from '../../support/virtual.ts'

const twoSeconds = { claim: { timeout: 2_000 } }

describe.concurrent('P4, §2: a claim', () => {
  it('is renewed throughout a handler that takes four leases', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    const id = bench.send('very long work')
    const station = bench.work(async (_, ctx) => await take(8_000, ctx), { settings: twoSeconds })
    await bench.completed(id)

    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    expect(times(bench.emulator, id, 'renewed')).toBeGreaterThan(4)
    expect(station.runs).toHaveLength(1)
  })

  it('is renewed by one request at a time, however slow the answers are', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 6 } })
    bench.fault({ operation: 'claim_clink' }, { delayAfter: 300 })
    const id = bench.send('long work')
    const flights = { now: 0, most: 0, all: 0 }
    const wrap = (inner: Transport): Transport => ({
      send: async (request) => {
        if (!request.path.endsWith('/claim')) return await inner.send(request)
        flights.now += 1
        flights.all += 1
        flights.most = Math.max(flights.most, flights.now)
        try {
          return await inner.send(request)
        } finally {
          flights.now -= 1
        }
      },
    })
    bench.work(async (_, ctx) => await take(10_000, ctx), { settings: { claim: { timeout: 6_000 } }, wrap })
    await bench.completed(id)

    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    expect(flights.all).toBeGreaterThan(2)
    expect(flights.most).toBe(1)
  })

  it.for([
    ['503', { status: 503 }],
    ['no answer', { hang: 'before' }],
    ['an answer that is lost', { cut: 'after' }],
    ['garbage', { replaceBody: '<html>' }],
  ] as const)('outlives a renewal that gets %s', async ([, effect]) => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 6 } })
    const fault = bench.fault({ operation: 'claim_clink', every: 2 }, effect)
    const id = bench.send('long work')
    const station = bench.work(async (_, ctx) => await take(10_000, ctx))
    await bench.completed(id)

    expect(fault.hits).toBeGreaterThan(0)
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    expect(station.runs).toHaveLength(1)
  })

  it.for([
    ['503', { status: 503 }],
    ['no answer', { hang: 'before' }],
  ] as const)('gets at least four tries before its lease ends when all get %s', async ([, effect]) => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 4 } })
    bench.fault({ operation: 'claim_clink' }, effect)
    const id = bench.send('long work')
    const station = bench.work(async (_, ctx) => await take(60_000, ctx))
    await until(() => station.runs[0]?.aborted !== undefined, 'the lease is lost')

    const aborted = station.runs[0]?.aborted
    const tries = requestsFor(bench.emulator, id).filter(({ at }) => at <= (aborted?.at ?? 0))
    expect(aborted?.code).toBe('lease-lost')
    expect(tries.length).toBeGreaterThanOrEqual(4)
    await until(() => times(bench.emulator, id, 'expired') > 0, 'the claim ends')
    expect(aborted?.at).toBeLessThan(when(bench.emulator, id, 'expired'))
  })

  it('is renewed until the completion is confirmed', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    const fault = bench.fault({ operation: 'complete_clink' }, { status: 503 })
    const id = bench.send('work')
    const station = bench.work(() => 'done', { settings: twoSeconds })
    await until(() => times(bench.emulator, id, 'renewed') >= 4, 'renewals while it is settled')
    fault.remove()
    await bench.completed(id)

    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    expect(station.runs).toHaveLength(1)
  })

  it('is renewed while the clink is held between two tries', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    const id = bench.send('work')
    const station = bench.work(
      () => {
        if (station.runs.length === 1) throw new Error('not yet')
        return 'done'
      },
      { settings: { ...twoSeconds, retry: { backoff: 5_000, maxBackoff: 5_000 } } },
    )
    await bench.completed(id)

    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    expect(times(bench.emulator, id, 'renewed')).toBeGreaterThan(1)
    expect(station.runs).toHaveLength(2)
  })

  it('is not renewed once its completion is confirmed', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 9 } })
    const ids = bench.sendMany(10)
    const settings = { claim: { timeout: 9_000 }, concurrency: 10 }
    bench.work(async ({ content }, ctx) => await take(content === 'last' ? 5_000 : 400, ctx), { settings })
    await bench.completed(ids)
    await bench.completed(bench.send('last'))

    for (const id of ids) {
      // The first renewal would be due seconds later.
      const done = when(bench.emulator, id, 'completed')
      expect(requestsFor(bench.emulator, id).filter(({ at }) => at > done)).toEqual([])
    }
  })

  it('of one second is kept for an hour, also where it begins and ends with a second to the millisecond', async () => {
    const bench = new VirtualBench({
      switches: { maxTimeout: 'cap:1' },
      settings: { handlers: { timeout: 2 * HOUR } },
      handle: async (_, { signal }) => await bench.take(HOUR, signal),
    })
    const id = bench.send('an hour of work')
    await bench.pass(HOUR + MINUTE)

    const whole = bench.emulator
      .history(id)
      .filter(({ what, at }) => what === 'renewed' && Math.floor(at) % 1_000 === 0)
    expect(whole.length).toBeGreaterThan(0)
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    expect(bench.all('clink.started')).toHaveLength(1)
    await bench.stop()
  })
})
