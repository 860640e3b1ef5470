import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { Bench, until } from '../../support/harness.ts'
import { mostClaimed, stillClaimed } from '../../support/record.ts'
import { recalled } from '../../support/states.ts'

const retry = { attempts: 3, backoff: 40, maxBackoff: 100 } as const

/** A handler whose application can be away. */
function application() {
  const state = { isAway: true, running: 0, most: 0, starts: 0 }
  const handle = async (): Promise<string> => {
    state.starts += 1
    state.running += 1
    state.most = Math.max(state.most, state.running)
    try {
      await delay(5)
      if (state.isAway) throw new Error('the application is away')
      return 'done'
    } finally {
      state.running -= 1
    }
  }
  return { state, handle }
}

describe.concurrent('P10, §4: a broken dependency', () => {
  it('pauses the route after ten failed starts of five clinks, says so once, and costs nobody an attempt from then on', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(8)
    const { state, handle } = application()
    const station = bench.work(handle, { settings: { retry } })
    const { failures, clinks, error } = await station.seen('route.paused')
    expect([failures, error.message]).toEqual([10, 'the application is away'])
    expect(clinks).toBeGreaterThanOrEqual(5)
    expect(station.daemon.snapshot().paused).toEqual(['test'])

    const before = state.starts
    await until(() => state.starts >= before + 15, 'fifteen probes')
    expect(station.all('clink.deadLettered')).toEqual([])
    state.isAway = false
    await bench.completed(ids)

    expect(station.all('route.paused')).toHaveLength(1)
    expect(station.all('route.resumed')).toHaveLength(1)
    expect(station.all('clink.deadLettered')).toEqual([])
    expect(station.daemon.snapshot().paused).toEqual([])
  })

  it('notes a failure that costs nothing all the same: the next process takes no such clink for a fresh one', async () => {
    await using bench = await Bench.open()
    bench.sendMany(5)
    const { handle } = application()
    const ledger = new Ledger(memoryTables())
    const station = bench.work(handle, { settings: { retry }, ledger })
    await station.seen('route.paused')
    const fresh = bench.send('fresh')
    // It may be held for its route before it runs.
    await until(
      () => ledger.attemptsOf(fresh).errors.length > 0 && ledger.attemptsOf(fresh).starts === 0,
      'its failure is noted',
    )

    expect(ledger.attemptsOf(fresh).errors).toContain('the application is away')
    expect(ledger.attemptsOf(fresh).starts).toBe(0)
  })

  it('costs no attempt either where a stop ends a probe that goes on after its timeout (§6)', async () => {
    await using bench = await Bench.open()
    bench.sendMany(10)
    const gate = Promise.withResolvers<void>()
    const ledger = new Ledger(memoryTables())
    const station = bench.work(
      async ({ content }) => {
        if (content === 'stubborn') await gate.promise
        else throw new Error('the application is away')
      },
      {
        settings: {
          handlers: { timeout: 100, grace: 50 },
          retry: { ...retry, attempts: 1 },
          shutdown: { timeout: 1_500, drain: 100 },
        },
        ledger,
      },
    )
    await station.seen('route.paused')
    const probe = bench.send('stubborn')
    await station.seen('clink.stuck', probe)
    await station.daemon.stop('test')
    gate.resolve()

    expect([(await recalled(ledger, probe)).isGivenUp, ledger.attemptsOf(probe).starts, bench.status(probe)]).toEqual([
      false,
      0,
      'pending',
    ])
    expect(ledger.attemptsOf(probe).errors).toHaveLength(1)
  })

  it('probes with one clink at a time, and claims no more than may be held (P6)', async () => {
    await using bench = await Bench.open()
    bench.sendMany(60)
    const { state, handle } = application()
    const station = bench.work(handle, { settings: { retry, concurrency: 3 } })
    await station.seen('route.paused')
    await until(() => state.running === 0, 'what ran has ended')
    const before = state.starts
    state.most = 0
    await until(() => state.starts >= before + 10, 'ten probes')

    expect(state.most).toBe(1)
    expect(mostClaimed(bench.emulator)).toBeLessThanOrEqual(3 + 3 * 4)
  })

  it('waits longer between probes, up to the longest backoff', async () => {
    await using bench = await Bench.open()
    bench.sendMany(10)
    const { state, handle } = application()
    const station = bench.work(handle, { settings: { retry: { attempts: 3, backoff: 20, maxBackoff: 1_000 } } })
    await station.seen('route.paused')
    const before = state.starts
    await until(() => state.starts >= before + 6, 'six probes')
    const starts = station.runs.slice(before).map(({ start }) => start)
    const gaps = starts.slice(1).map((start, n) => start - (starts[n] ?? 0))

    expect(gaps.at(-1)).toBeGreaterThan(200)
  })

  it('leaves what is listed while the route is paused, and claims it once the route is open, before the next sweep (P6, §3)', async () => {
    await using bench = await Bench.open()
    for (let n = 0; n < 8; n += 1) bench.send(`broken ${n}`)
    const { state, handle } = application()
    const station = bench.work(async ({ content }) => (content === 'whole' ? 'done' : await handle()), {
      // So that no probe is due before the whole one is done: a fresh clink would be claimed for it.
      settings: {
        retry: { ...retry, backoff: 3_000, maxBackoff: 3_000 },
        inbox: { claim: 'select' },
        claim: { exclusive: true },
        poll: { sweep: 300_000 },
      },
      routes: ['broken', 'whole'],
    })
    await station.seen('route.paused')
    const late = [bench.send('broken, late'), bench.send('broken, later')]
    // Older than the next one by the service's clock: a look at what is new does not show them again.
    await delay(5)
    await bench.completed(bench.send('whole'))
    const claimed = late.filter((id) => bench.status(id) !== 'pending')
    state.isAway = false
    await bench.completed(late)

    expect(claimed).toEqual([])
    expect(station.all('route.resumed')).toHaveLength(1)
  })

  it('is not noticed where one start in ten succeeds', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(20)
    let n = 0
    const station = bench.work(
      () => {
        n += 1
        if (n % 10 !== 0) throw new Error('no')
      },
      // Waits so short that no more are held than may be: what is given back for that is parked.
      { settings: { retry: { ...retry, attempts: 2 }, concurrency: 1 } },
    )
    await until(
      () => ids.every((id) => bench.status(id) === 'completed' || station.all('clink.deadLettered', id).length === 1),
      'all have ended',
    )

    expect(station.all('route.paused')).toEqual([])
  })

  it('is not noticed where fewer than five clinks fail: those are given up (P10)', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(4)
    const { handle } = application()
    const station = bench.work(handle, { settings: { retry } })
    for (const id of ids) await station.seen('clink.deadLettered', id)

    expect(station.all('route.paused')).toEqual([])
    for (const id of ids) expect(station.runsOf(id)).toHaveLength(3)
  })

  it('a retryAfter, a release or a rejection is not a failure of the route', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(14)
    const station = bench.work(
      ({ content }, ctx) => {
        if (content === 'task 9') return ctx.reject('bad request')
        throw new Error('no')
      },
      { settings: { retry: { ...retry, attempts: 1 }, concurrency: 1 } },
    )
    for (const id of ids) await station.seen('clink.deadLettered', id)

    expect(station.all('route.paused')).toEqual([])
  })

  it('a stop while the route is paused gives everything back (P8)', async () => {
    await using bench = await Bench.open()
    bench.sendMany(20)
    const { handle } = application()
    const station = bench.work(handle, { settings: { retry } })
    await station.seen('route.paused')
    await station.close()

    expect(stillClaimed(bench.emulator)).toEqual([])
    expect(await station.ended()).toBe(0)
  })
})
