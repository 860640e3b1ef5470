import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import type { Switches } from '../../../src/emulator/switches.ts'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { Bench, obey, until } from '../../support/harness.ts'
import { answers, requestsFor, story, times } from '../../support/record.ts'
import type { Settings } from '../../support/settings.ts'

const unrenewed = { reclaim: 'refuse', defaultTimeout: 2 } as const
const ADVICE = 'while the handler ran, and the service does not renew claims: make the handler shorter'

function upTo(attempts: number, more: Settings = {}): Settings {
  return { claim: { timeout: 2_000 }, ...more, retry: { attempts, ...more.retry } }
}

describe.concurrent('P10, §4: a handler that outlives its claim where the service does not renew it', () => {
  it.for(['refuse', 'ignore'] as const)(
    'is started as often as it may fail; then its clink is given up and released (reclaim: %s)',
    async (reclaim) => {
      await using bench = await Bench.open({ switches: { ...unrenewed, reclaim } })
      const id = bench.send('too long')
      const station = bench.work(async (clink, ctx) => (clink.content === 'later' ? 'done' : await obey(ctx)), {
        settings: upTo(2),
      })
      const dead = await station.seen('clink.deadLettered', id)
      await until(() => times(bench.emulator, id, 'released') > 0, 'it is released')
      await bench.completed(bench.send('later'))

      expect(dead).toMatchObject({ reason: `its claim ran out 2 times ${ADVICE}`, attempts: 2 })
      expect(station.all('clink.lost', id).map(({ cause }) => cause)).toEqual(['refused', 'refused'])
      expect(station.runsOf(id)).toHaveLength(2)
      const [, ...then] = story(bench.emulator, id)
      expect(then.slice(0, 6)).toEqual(['claimed', 'expired', 'claimed', 'expired', 'claimed', 'released'])
    },
  )

  it('is given up where the service refuses in a form of its own, though its claims are short', async () => {
    await using bench = await Bench.open({ switches: { ...unrenewed, defaultTimeout: 4, refusals: 'bare' } })
    const id = bench.send('too long')
    const station = bench.work(async (_, ctx) => await obey(ctx), { settings: upTo(2, { claim: { timeout: 4_000 } }) })
    const dead = await station.seen('clink.deadLettered', id)

    expect(dead).toMatchObject({ reason: `its claim ran out 2 times ${ADVICE}` })
    expect(station.runsOf(id)).toHaveLength(2)
  })

  it('tells the sender where onExhausted says so, under a claim that stands', async () => {
    await using bench = await Bench.open({ switches: unrenewed })
    const id = bench.send('too long')
    const station = bench.work(async (_, ctx) => await obey(ctx), {
      settings: upTo(1, { retry: { onExhausted: 'complete' } }),
    })
    await bench.completed(id)

    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'expired', 'claimed', 'completed'])
    expect(answers(bench.emulator)[0]?.content).toContain(`(claim-ran-out, ${id})`)
    expect(station.all('clink.deadLettered', id)[0]?.reason).toBe(`its claim ran out once ${ADVICE}`)
  })

  it('is given up where the margin is the better part of a claim', async () => {
    await using bench = await Bench.open({ switches: { ...unrenewed, claimTimes: 'seconds' } })
    const id = bench.send('too long')
    const station = bench.work(async (_, ctx) => await obey(ctx), { settings: upTo(1) })
    const { reason } = await station.seen('clink.deadLettered', id)

    expect(reason).toBe(`its claim ran out once ${ADVICE}`)
  })

  it('is not given up for a claim of which it had less than half', async () => {
    const switches: Partial<Switches> = { reclaim: 'refuse', defaultTimeout: 3 }
    await using bench = await Bench.open({ switches })
    const id = bench.send('late start')
    const station = bench.work(
      async (_, ctx) => {
        if (station.runs.length === 1) return ctx.retryAfter(1_600)
        return station.runs.length === 2 ? await obey(ctx) : 'done'
      },
      { settings: upTo(1) },
    )
    await bench.completed(id)

    expect(station.all('clink.lost', id).map(({ cause }) => cause)).toEqual(['refused'])
    expect(station.runs).toHaveLength(3)
    expect(station.all('clink.deadLettered')).toEqual([])
  })

  it('is not given up for what an earlier process left of a claim (P9)', async () => {
    await using bench = await Bench.open({ switches: { ...unrenewed, defaultTimeout: 4 } })
    const release = bench.fault({ operation: 'release_clink' }, { status: 503 })
    const id = bench.send('work')
    const before = new Ledger(memoryTables())
    const first = bench.work(async (_, ctx) => await obey(ctx), {
      settings: { shutdown: { timeout: 300, drain: 100 } },
      ledger: before,
    })
    await until(() => first.runs.length === 1, 'the handler starts')
    const after = new Ledger(memoryTables())
    for (const claim of before.process.claims()) await after.process.hold(claim)
    await first.close()
    release.remove()
    const second = bench.work(async (_, ctx) => (second.runs.length === 1 ? await obey(ctx) : 'done'), {
      settings: upTo(1),
      ledger: after,
    })
    await bench.completed(id)

    expect(second.all('worker.resumed')[0]?.claims).toBe(1)
    expect(second.all('clink.lost', id).map(({ cause }) => cause)).toEqual(['refused'])
    expect(second.all('clink.deadLettered')).toEqual([])
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'expired', 'claimed', 'completed'])
  })

  it('costs nothing when a stop aborted it before its claim ran out (P8)', async () => {
    await using bench = await Bench.open({ switches: unrenewed })
    const id = bench.send('stubborn')
    const gate = Promise.withResolvers<undefined>()
    const ledger = new Ledger(memoryTables())
    const station = bench.work(
      async () => {
        await gate.promise
        return 'too late'
      },
      { settings: upTo(1, { shutdown: { timeout: 4_000, drain: 50 } }), ledger },
    )
    await until(() => station.runs.length === 1, 'the handler starts')
    const stopped = station.daemon.stop('the test')
    await station.seen('clink.lost', id)
    gate.resolve(undefined)
    await stopped

    expect(station.runs[0]?.aborted?.code).toBe('shutdown')
    expect(station.all('clink.lost', id).map(({ cause }) => cause)).toEqual(['refused'])
    expect(ledger.attemptsOf(id).outlived).toBe(0)
  })
})

describe.concurrent('P10: a claim that ran out because the service was away', () => {
  it('costs no clink its life, however often that happens', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 1 } })
    const away = bench.fault({ operation: 'claim_clink' }, { status: 503 })
    const id = bench.send('work')
    const station = bench.work(async (_, ctx) => (station.runs.length < 4 ? await obey(ctx) : 'done'), {
      settings: upTo(1),
    })
    await until(() => station.runs.length === 4, 'it is started again and again')
    await bench.completed(id)

    expect(away.hits).toBeGreaterThan(3)
    expect(station.all('clink.lost', id).map(({ cause }) => cause)).toEqual(['expired', 'expired', 'expired'])
    expect(station.all('clink.deadLettered')).toEqual([])
  })

  it('is not put down to the service for an earlier answer that extended nothing', async () => {
    await using bench = await Bench.open({ switches: { reclaim: 'ignore', defaultTimeout: 2 } })
    const id = bench.send('work')
    const station = bench.work(async (_, ctx) => (station.runs.length === 1 ? await obey(ctx) : 'done'), {
      settings: upTo(1),
    })
    await until(() => requestsFor(bench.emulator, id).length > 0, 'a renewal is answered')
    bench.fault({ operation: 'claim_clink' }, { status: 503 })
    await bench.completed(id)

    expect(station.all('clink.lost', id).map(({ cause }) => cause)).toEqual(['expired'])
    expect(station.runs).toHaveLength(2)
  })
})

// Not beside the others: it blocks the event loop that they share.
describe('P10: a claim that ran out while the event loop was blocked', () => {
  it('is not put down to the service where there was time to ask again', async () => {
    await using bench = await Bench.open({ switches: { reclaim: 'ignore', defaultTimeout: 2 } }, systemClock())
    const id = bench.send('work')
    const station = bench.work(
      async () => {
        if (station.runs.length > 1) return 'done'
        await until(
          () => requestsFor(bench.emulator, id).some(({ status }) => status !== undefined),
          'a renewal is answered',
        )
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500)
        return 'too late'
      },
      { settings: upTo(1) },
    )
    await bench.completed(id)

    expect(station.all('clink.lost', id).map(({ cause }) => cause)).toEqual(['expired'])
    expect(station.all('clink.deadLettered')).toEqual([])
    expect(station.runs).toHaveLength(2)
  })
})
