import { describe, expect, it, vi } from 'vitest'
import { Ledger } from '../../src/ledger/ledger.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { Bench, obey, take, until } from '../support/harness.ts'
import { claimingPolls, stillClaimed, story, times } from '../support/record.ts'
import { answer, HOUR, MINUTE, VirtualBench } from '../support/virtual.ts'
import { recalled } from '../support/states.ts'

describe.concurrent('P8, §6: stopping', () => {
  it('lets running handlers finish within the drain and completes them', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(8)
    const station = bench.work(async (_, ctx) => await take(1_000, ctx), { settings: { concurrency: 4 } })
    await until(() => station.runs.length === 4, 'four handlers start')
    await station.daemon.stop('test')

    expect(await station.ended()).toBe(0)
    expect(station.runs).toHaveLength(4)
    for (const { id } of station.runs) expect(bench.status(id)).toBe('completed')
    expect(ids.filter((id) => bench.status(id) === 'pending')).toHaveLength(4)
    expect(stillClaimed(bench.emulator)).toEqual([])
  })

  it('renews what drains', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    const id = bench.send('long')
    const station = bench.work(async (_, ctx) => await take(5_000, ctx), {
      settings: { claim: { timeout: 2_000 }, shutdown: { timeout: 12_000, drain: 10_000 } },
    })
    await until(() => station.runs.length === 1, 'the handler starts')
    await station.daemon.stop('test')

    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
  })

  it('tells a handler first that it drains, then that it is over, and gives the clink back', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const draining: boolean[] = []
    const station = bench.work(
      async (_, ctx) => {
        ctx.draining.addEventListener('abort', () => draining.push(ctx.signal.aborted))
        await obey(ctx)
      },
      { settings: { shutdown: { timeout: 4_000, drain: 500 }, retry: { attempts: 1 } } },
    )
    await until(() => station.runs.length === 1, 'the handler starts')
    await station.daemon.stop('test')

    expect(await station.ended()).toBe(0)
    expect(draining).toEqual([false])
    expect(station.runs[0]?.aborted?.code).toBe('shutdown')
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'released'])
    expect(station.daemon.totals()).toMatchObject({ released: 1, deadLettered: 0 })
  })

  it('releases within its time what ignores the abort', async () => {
    await using bench = await Bench.open()
    const gate = Promise.withResolvers<undefined>()
    const ids = bench.sendMany(3)
    const station = bench.work(async () => await gate.promise, {
      settings: { shutdown: { timeout: 3_000, drain: 500 } },
    })
    await until(() => station.runs.length === 3, 'the handlers start')
    const start = bench.clock.now()
    await station.daemon.stop('test')
    const took = bench.clock.now() - start
    gate.resolve(undefined)

    for (const id of ids) expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'released'])
    expect(took).toBeLessThan(5_000)
  })

  it.for([
    [2, 0],
    [1, 1],
  ] as const)(
    'counts a run that ignores its timeout as failed: of %i attempts, %i dead letters (P10)',
    async ([attempts, deadLettered]) => {
      await using bench = await Bench.open()
      const gate = Promise.withResolvers<undefined>()
      const id = bench.send('stubborn')
      const ledger = new Ledger(memoryTables())
      const station = bench.work(async () => await gate.promise, {
        settings: {
          handlers: { timeout: 100, grace: 50 },
          retry: { attempts },
          shutdown: { timeout: 1_500, drain: 100 },
        },
        ledger,
      })
      await station.seen('clink.stuck', id)
      await station.daemon.stop('test')
      gate.resolve(undefined)

      expect(await station.ended()).toBe(0)
      expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'released'])
      expect(station.daemon.totals()).toMatchObject({ deadLettered })
      expect(ledger.attemptsOf(id).errors.length + ledger.letters.all().length).toBe(1)
      expect(ledger.attemptsOf(id).starts).toBe(deadLettered === 1 ? 0 : 1)
    },
  )

  it('releases what is held and what is queued', async () => {
    await using bench = await Bench.open()
    const station = bench.work(
      async (clink, ctx) => {
        if (clink.content !== 'runs') throw new Error('not now')
        await obey(ctx)
      },
      { settings: { concurrency: 1, retry: { backoff: 2_000, maxBackoff: 2_000 }, shutdown: { drain: 300 } } },
    )
    const queued = bench.send('queued')
    await station.seen('clink.held', queued)
    const runs = bench.send('runs')
    await until(() => station.runsOf(runs).length === 1, 'the other one runs')
    await until(() => station.daemon.snapshot().queued === 1, 'the held one is due and waits for the slot')
    await station.daemon.stop('test')

    expect(await station.ended()).toBe(0)
    expect(story(bench.emulator, queued)).toEqual(['created', 'claimed', 'released'])
    expect(story(bench.emulator, runs)).toEqual(['created', 'claimed', 'released'])
    expect(station.runsOf(queued)).toHaveLength(1)
  })

  it('releases a held clink at once, and not after the drain', async () => {
    await using bench = await Bench.open()
    const id = bench.send('held')
    const station = bench.work(
      () => {
        throw new Error('not now')
      },
      { settings: { retry: { backoff: 60_000, maxBackoff: 60_000 } } },
    )
    await station.seen('clink.held', id)
    await station.daemon.stop('test')

    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'released'])
    expect(station.daemon.totals()).toMatchObject({ deadLettered: 0 })
  })

  it('releases parked claims', async () => {
    await using bench = await Bench.open()
    const id = bench.send('given up')
    const station = bench.work((_, ctx) => ctx.reject('no'))
    await station.seen('clink.parked', id)
    await station.daemon.stop('test')

    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'released', 'claimed', 'released'])
    expect(await station.ended()).toBe(0)
  })

  it('releases what a poll in flight brings, and claims nothing afterwards', async () => {
    await using bench = await Bench.open()
    bench.fault({ operation: 'check_inbox' }, { delayAfter: 900 })
    const ids = bench.sendMany(4)
    const station = bench.work(() => 'done')
    await until(() => ids.every((id) => bench.status(id) === 'claimed'), 'the poll takes effect')
    await station.daemon.stop('test')

    expect(station.runs).toEqual([])
    for (const id of ids) expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'released'])
    expect(claimingPolls(bench.emulator)).toHaveLength(1)
  })

  it('waits no longer than it may for a poll that is not answered', async () => {
    await using bench = await Bench.open()
    const fault = bench.fault({ operation: 'check_inbox' }, { hang: 'before' })
    const station = bench.work(() => 'done', {
      settings: { clink: { timeout: 30_000 }, shutdown: { timeout: 2_000, drain: 1_000 } },
    })
    await until(() => fault.hits > 0, 'the poll arrives')
    const start = bench.clock.now()
    await station.daemon.stop('test')

    expect(bench.clock.now() - start).toBeLessThan(5_000)
  })

  it('names a clink whose result could not be sent, does not release it, and ends with 70', async () => {
    await using bench = await Bench.open()
    bench.fault({ operation: 'complete_clink' }, { status: 503 })
    const id = bench.send('work')
    const station = bench.work(() => 'done', { settings: { shutdown: { timeout: 2_000, drain: 500 } } })
    await station.seen('clink.settlementFailed', id)
    await station.daemon.stop('test')

    expect(await station.ended()).toBe(70)
    expect((await station.seen('worker.stopped')).leftBehind).toEqual([id])
    expect(times(bench.emulator, id, 'released')).toBe(0)
  })

  it('may be asked for twice, and before the start', async () => {
    await using bench = await Bench.open()
    const station = bench.work(async (_, ctx) => await take(500, ctx))
    const id = bench.send('work')
    await until(() => station.runs.length === 1, 'the handler starts')
    await Promise.all([station.daemon.stop('first'), station.daemon.stop('second')])
    await station.daemon.stop('third')
    expect(bench.status(id)).toBe('completed')
    expect(station.all('worker.stopped')).toHaveLength(1)

    const never = bench.work(() => 'done', { start: false })
    await never.daemon.stop('never started')
    expect(await never.ended()).toBe(0)
  })

  it('does not start anything that was due to start when it was asked for', async () => {
    await using bench = await Bench.open()
    bench.sendMany(3)
    const station = bench.work(() => 'done')
    await station.daemon.stop('at once')
    const runs = station.runs.length

    expect(await station.ended()).toBe(0)
    expect(station.runs).toHaveLength(runs)
    expect(stillClaimed(bench.emulator)).toEqual([])
  })

  it('skips the drain when it is hurried', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(5)
    const station = bench.work(async (_, ctx) => await obey(ctx), {
      settings: { shutdown: { timeout: 14_000, drain: 13_000 } },
    })
    await until(() => station.runs.length === 5, 'the handlers start')
    const stopped = station.daemon.stop('test')
    await station.seen('worker.stopping')
    expect(station.runs.every(({ aborted }) => aborted === undefined)).toBe(true)
    const start = bench.clock.now()
    station.daemon.hurry()
    await stopped

    expect(bench.clock.now() - start).toBeLessThan(5_000)
    for (const id of ids) expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'released'])
    expect(await station.ended()).toBe(0)
  })

  it('settles the outcome of a handler that ends after its abort', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const station = bench.work(
      async (_, ctx) => {
        await obey(ctx).catch(() => {})
        return 'finished all the same'
      },
      { settings: { shutdown: { timeout: 4_000, drain: 300 } } },
    )
    await until(() => station.runs.length === 1, 'the handler starts')
    await station.daemon.stop('test')

    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
  })
})

it('P8, §6: a stop waits for no look for lost claims that it has ended', async () => {
  let isLost = false
  const bench = new VirtualBench({
    handle: async () => 'done',
    settings: { claim: { exclusive: true } },
    weather: ({ path }) => {
      if (path.includes('status=claimed')) return 'hang'
      if (!isLost || !path.includes('claim=true')) return undefined
      isLost = false
      return 'reset'
    },
  })
  bench.send('first')
  await bench.pass(MINUTE)
  const looks = () => bench.sent.filter(({ path }) => path.includes('status=claimed')).length
  const before = looks()
  isLost = true
  await bench.pass(16_000)
  expect(looks()).toBeGreaterThan(before)
  void bench.daemon.stop('test')
  await bench.pass(100)
  expect(bench.all('worker.stopped')).toHaveLength(1)
})

it('P10, §2: a stop that the machine has slept through buries nothing for a run that has lost its claim', async () => {
  const bench = new VirtualBench({
    longestTimer: 500,
    settings: {
      handlers: { timeout: 1_000, grace: 1_000 },
      retry: { attempts: 1 },
      shutdown: { timeout: 5_000, drain: 1_000 },
    },
    handle: async () => await new Promise(() => {}),
  })
  const id = bench.send('stubborn')
  await bench.pass(2_000)
  void bench.daemon.stop('test')
  await bench.pass(200)
  bench.slept += HOUR
  bench.emulator.moveClock(HOUR)
  await bench.pass(10_000)

  expect(bench.all('clink.deadLettered')).toEqual([])
  expect(bench.all('clink.lost')).toMatchObject([{ cause: 'expired' }])
  expect((await recalled(bench.ledger, id)).isGivenUp).toBe(false)
})

it.each(['complete', 'release'])(
  'P5, P8, §6: a stop ends the wait before the next try of a %s that failed, since there may be no other time for it',
  async (kind) => {
    let isAway = true
    const bench = new VirtualBench({
      handle: async (_, ctx) => await Promise.resolve(kind === 'complete' ? 'done' : ctx.release('not now')),
      settings: { shutdown: { timeout: 1_500, drain: 500 } },
      weather: ({ path }) => (isAway && path.endsWith(`/${kind}`) ? answer(429) : undefined),
    })
    const id = bench.send('work')
    // Until the next try is far away.
    await bench.pass(60_000)
    const waits = bench.all('clink.settlementFailed').map(({ wait }) => wait)
    expect(waits.at(-1)).toBeGreaterThan(5_000)
    isAway = false
    void bench.daemon.stop('test')
    await bench.pass(1_500)

    expect(bench.all('worker.stopped')).toMatchObject([{ leftBehind: [] }])
    expect(bench.emulator.clink(id)?.status).toBe(kind === 'complete' ? 'completed' : 'pending')
  },
)

it('P8, §6: a stop in which a settlement fails again and again tries it no more often than otherwise', async () => {
  const bench = new VirtualBench({
    handle: async () => await Promise.resolve('done'),
    settings: { shutdown: { timeout: 20_000, drain: 10_000 } },
    weather: ({ path }) => (path.endsWith('/complete') ? answer(503) : undefined),
  })
  const id = bench.send('work')
  await bench.pass(60_000)
  const before = bench.all('clink.settlementFailed').length
  void bench.daemon.stop('test')
  await bench.pass(20_000)

  expect(bench.all('worker.stopped')).toMatchObject([{ leftBehind: [id] }])
  const tries = bench.all('clink.settlementFailed').length - before
  expect(tries).toBeGreaterThan(0)
  expect(tries).toBeLessThan(6)
})

it('P8, §6: a stop whose time is over does not wait until it is written that it was one', async () => {
  const tables = memoryTables()
  const { facts } = tables
  const set = facts.set.bind(facts)
  vi.spyOn(facts, 'set').mockImplementation((name, value) => {
    void set(name, value)
    return name === 'run' && value === 'stopped' ? new Promise(() => {}) : Promise.resolve()
  })
  const bench = new VirtualBench({
    tables,
    handle: async () => await Promise.resolve('done'),
    settings: { shutdown: { timeout: 5_000, drain: 1_000 } },
    weather: ({ path }) => (path.endsWith('/complete') ? answer(503) : undefined),
  })
  const id = bench.send('work')
  await bench.pass(10_000)
  void bench.daemon.stop('test')
  await bench.pass(5_100)

  expect(bench.all('worker.stopped')).toMatchObject([{ leftBehind: [id] }])
  // The journal writes it when it is closed.
  expect(bench.ledger.process.fact('run')).toBe('stopped')
})

it('P8, §6: a drain as long as the whole time leaves time to give back what does not finish', async () => {
  const bench = new VirtualBench({
    handle: async (_, ctx) =>
      await new Promise((_resolve, reject) => {
        ctx.signal.addEventListener('abort', () =>
          bench.time.at(bench.time.now + 500, () => reject(new Error('aborted'))),
        )
      }),
    settings: { shutdown: { timeout: 25_000, drain: 25_000 } },
  })
  const id = bench.send('work')
  await bench.pass(10_000)
  void bench.daemon.stop('test')
  await bench.pass(22_000)
  expect(bench.all('worker.aborting')).toEqual([])
  await bench.pass(3_000)
  expect(bench.all('worker.stopped')).toMatchObject([{ leftBehind: [] }])
  expect(bench.emulator.clink(id)?.status).toBe('pending')
})

it.each([
  ['with nothing held, while a poll is not answered', false],
  ['while a handler ignores its abort', true],
] as const)('§6: a second wish to stop %s is carried out within seconds', async (_name, isHeld) => {
  let isAway = false
  const bench = new VirtualBench({
    handle: async () => await new Promise(() => {}),
    settings: { clink: { timeout: 10 * MINUTE }, shutdown: { timeout: 60_000, drain: 50_000 } },
    weather: ({ path }) => (isAway && path.includes('/inbox') ? 'hang' : undefined),
  })
  if (isHeld) bench.send('work')
  await bench.pass(MINUTE)
  isAway = true
  await bench.pass(MINUTE)
  void bench.daemon.stop('first')
  await bench.pass(4_000)
  expect(bench.all('worker.stopped')).toEqual([])
  bench.daemon.hurry()
  await bench.pass(3_000)
  expect(bench.all('worker.stopped')).toMatchObject([{ leftBehind: [] }])
})
