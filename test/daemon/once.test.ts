import { describe, expect, it } from 'vitest'
import { Bench, obey, take } from '../support/harness.ts'
import { leapingClock } from '../support/leaping-clock.ts'
import { claimingPoll, lookForClaims, stillClaimed, story } from '../support/record.ts'

const once = {}

describe.concurrent('§9: --once', () => {
  it('ends with 0 at once when the inbox is empty', async () => {
    await using bench = await Bench.open()
    const station = bench.work(() => 'done', { once })

    expect(await station.ended()).toBe(0)
    expect(station.runs).toEqual([])
  })

  it('works the inbox empty, also of what arrives while it works', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(12)
    const station = bench.work(
      async ({ content }, ctx) => {
        await take(50, ctx)
        if (content === 'task 11') ids.push(bench.send('one more'))
      },
      { once, settings: { concurrency: 3 } },
    )

    expect(await station.ended()).toBe(0)
    expect(ids).toHaveLength(13)
    for (const id of ids) expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
  })

  it('waits for what runs long and for what is held', async () => {
    await using bench = await Bench.open()
    const long = bench.send('long')
    const held = bench.send('held')
    const station = bench.work(
      async ({ content }, ctx) => {
        if (content === 'long') await take(2_000, ctx)
        else if (ctx.attempt === 1) throw new Error('not yet')
      },
      { once, settings: { retry: { backoff: 3_000, maxBackoff: 3_000 } } },
    )

    expect(await station.ended()).toBe(0)
    expect([bench.status(long), bench.status(held)]).toEqual(['completed', 'completed'])
  })

  it('waits for a settlement that takes several tries', async () => {
    await using bench = await Bench.open()
    bench.fault({ operation: 'complete_clink', times: 4 }, { status: 503 })
    const id = bench.send('work')
    const station = bench.work(() => 'done', { once })

    expect(await station.ended()).toBe(0)
    expect(bench.status(id)).toBe('completed')
  })

  it('waits for the end of a claim that ran out here, and works its clink again', async () => {
    await using bench = await Bench.open({ switches: { reclaim: 'refuse', defaultTimeout: 4 } })
    const id = bench.send('work')
    let runs = 0
    const station = bench.work(
      async (_, ctx) => {
        runs += 1
        if (runs === 1) await obey(ctx)
      },
      { once, settings: { claim: { timeout: 4_000 }, poll: { interval: 100, maxInterval: 200 } } },
    )

    expect(await station.ended()).toBe(0)
    expect(bench.status(id)).toBe('completed')
    expect(runs).toBe(2)
  })

  it('ends with 1 when something was given up', async () => {
    await using bench = await Bench.open()
    const bad = bench.send('bad')
    const good = bench.send('good')
    const station = bench.work(({ content }, ctx) => (content === 'bad' ? ctx.reject('no') : 'done'), { once })

    expect(await station.ended()).toBe(1)
    expect([bench.status(bad), bench.status(good)]).toEqual(['pending', 'completed'])
  })

  it('ends with 0 when a handler released something, and leaves it pending', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const station = bench.work((_, ctx) => ctx.release('not me'), { once })

    expect(await station.ended()).toBe(0)
    expect(station.runs).toHaveLength(1)
    expect(bench.status(id)).toBe('pending')
  })

  it('ends when there is more to leave alone than it has slots', async () => {
    await using bench = await Bench.open()
    bench.sendMany(7)
    const station = bench.work((_, ctx) => ctx.release('not me'), { once, settings: { concurrency: 2 } })

    expect(await station.ended()).toBe(0)
    expect(station.runs).toHaveLength(7)
    expect(stillClaimed(bench.emulator)).toEqual([])
  })

  it('ends with 69 when the service is away from the start', async () => {
    await using bench = await Bench.open()
    bench.emulator.disconnect()
    const station = bench.work(() => 'done', { once })

    expect(await station.ended()).toBe(69)
    await bench.emulator.reconnect()
  })

  it('ends with 69 when the service answers nothing but errors', async () => {
    await using bench = await Bench.open()
    bench.fault({}, { status: 503 })
    const station = bench.work(() => 'done', { once })

    expect(await station.ended()).toBe(69)
  })

  it('ends with 69 when the service answers lists and nothing that claims', async () => {
    await using bench = await Bench.open()
    const station = bench.work(() => 'done', {
      once,
      wrap: (inner) => ({
        send: async (request) =>
          request.path.includes('claim=true') ? { status: 503, headers: {}, body: '' } : await inner.send(request),
      }),
    })

    expect(await station.ended()).toBe(69)
  })

  it('ends with 77 when the key is refused', async () => {
    await using bench = await Bench.open()
    const station = bench.work(() => 'done', { once, key: 'suspended' })

    expect(await station.ended()).toBe(77)
  })

  it('ends with 77 when the key may not claim', async () => {
    await using bench = await Bench.open()
    bench.send('work')
    const station = bench.work(() => 'done', { once, key: 'readonly' })

    expect(await station.ended()).toBe(77)
  })

  it('outlives two failures in a row', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    // The look before the first poll, that poll, and a probe.
    bench.fault({ operation: 'check_inbox', times: 3 }, { status: 503 })
    const station = bench.work(() => 'done', { once })

    expect(await station.ended()).toBe(0)
    expect(bench.status(id)).toBe('completed')
  })

  it('does not end while it looks for what a lost poll has claimed (P1, P7, §9)', async () => {
    await using bench = await Bench.open()
    bench.fault({ ...claimingPoll, nth: 2 }, { cut: 'after' })
    // The first look finds nothing.
    bench.fault({ ...lookForClaims, nth: 2 }, { status: 503 })
    const ids = [bench.send('first')]
    const station = bench.work(({ content }) => void (content === 'first' && ids.push(bench.send('second'))), {
      once,
      settings: { claim: { exclusive: true }, poll: { interval: 1, maxInterval: 2 } },
    })

    expect(await station.ended()).toBe(0)
    expect(station.all('poll.lost')).toHaveLength(1)
    expect(ids.map((id) => bench.status(id))).toEqual(['completed', 'completed'])
    expect(stillClaimed(bench.emulator)).toEqual([])
  })

  it('ends by maxTime, and gives back what runs', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const station = bench.work(async (_, ctx) => await obey(ctx), {
      once: { maxTime: 700 },
      settings: { shutdown: { timeout: 3_000, drain: 300 } },
    })

    await station.ended()
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'released'])
  })

  it('is not ended before maxTime by a wall clock that is set forward (§2)', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    const id = bench.send('work')
    const clock = { ...leapingClock(), steady: bench.clock }
    const station = bench.work(async (_, ctx) => await obey(ctx), { once: { maxTime: 600_000 }, clock })
    await station.seen('clink.started', id)
    clock.leap(3_600_000)
    await station.ended()

    expect(station.all('worker.stopping').map(({ reason }) => reason)).toEqual(['the inbox is empty'])
  })

  it('ends with 78 where what the configuration asks for may not be done, and claims nothing more', async () => {
    await using bench = await Bench.open({ switches: { identity: 'key' } })
    bench.sendMany(3)
    const station = bench.work(() => 'done', { once, settings: { inbox: { claim: 'select' } } })

    expect(await station.ended()).toBe(78)
    expect(station.all('worker.notReady')).toHaveLength(1)
    expect(station.runs).toEqual([])
  })
})
