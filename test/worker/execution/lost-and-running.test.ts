import { systemClock } from '../../../src/base/clock.ts'
import { describe, expect, it } from 'vitest'
import { CrashWatch } from '../../../src/worker/execution/crash-watch.ts'
import { WorkerSignals } from '../../../src/worker/signals.ts'
import { Ledger } from '../../../src/ledger/ledger.ts'
import type { HeldClaim } from '../../../src/ledger/process.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { makeSettings } from '../../support/settings.ts'
import { Bench, until, type Station } from '../../support/harness.ts'
import { times } from '../../support/record.ts'

const switches = { reclaim: 'refuse', defaultTimeout: 2 } as const

/** A handler that runs on when its claim is lost, until the gate is opened. Its second run ends at once. */
interface Stubborn extends AsyncDisposable {
  readonly bench: Bench
  readonly station: Station
  readonly id: string
  readonly gate: PromiseWithResolvers<undefined>
  /** What the journal knows of claims. */
  readonly claims: () => readonly HeldClaim[]
  /** Clinks that the next start would take for running, if the process ended now. */
  readonly wouldHaveRun: () => Promise<readonly string[]>
}

async function lost(): Promise<Stubborn> {
  const bench = await Bench.open({ switches })
  const id = bench.send('stubborn')
  const gate = Promise.withResolvers<undefined>()
  const tables = memoryTables()
  const ledger = new Ledger(tables)
  const station = bench.work(
    async () => {
      if (station.runs.length === 1) await gate.promise
      return 'done'
    },
    { settings: { claim: { timeout: 2_000 }, handlers: { grace: 300 } }, ledger },
  )
  await station.seen('clink.lost', id)
  return {
    bench,
    station,
    id,
    gate,
    claims: () => ledger.process.claims(),
    wouldHaveRun: async () => {
      const facts = memoryTables().facts
      for (const [name, value] of tables.facts.entries()) await facts.set(name, value)
      const found: string[] = []
      const next = new CrashWatch({
        ledger: new Ledger({ ...memoryTables(), facts }),
        emit: (event) => found.push(...(event.event === 'worker.crashed' ? event.running : [])),
        clock: systemClock(),
        settings: makeSettings(),
        signals: new WorkerSignals(),
      })
      await next.begin(ledger.process.claims())
      return found
    },
    [Symbol.asyncDispose]: async () => {
      gate.resolve(undefined)
      await bench[Symbol.asyncDispose]()
    },
  }
}

describe.concurrent('P9, §4: code that runs on after its claim was lost', () => {
  it('was running, for the start after a crash, and its claim is not held on to', async () => {
    await using stubborn = await lost()

    expect(await stubborn.wouldHaveRun()).toEqual([stubborn.id])
    expect(stubborn.claims()[0]).toMatchObject({ running: true, releasing: true })
  })

  it('was running also when its clink has come back and waits for it, until it ends', async () => {
    await using stubborn = await lost()
    const { bench, claims, gate, id, station } = stubborn
    await until(() => station.all('clink.claimed', id).length > 1, 'the clink comes back')
    await until(() => claims()[0]?.releasing === false, 'the new claim is noted')

    expect(await stubborn.wouldHaveRun()).toEqual([id])
    gate.resolve(undefined)
    await bench.completed(id)
    await until(() => claims().length === 0, 'nothing is noted any more')
    expect(station.runsOf(id)).toHaveLength(2)
  })

  it('is forgotten when it has ended', async () => {
    await using stubborn = await lost()
    const { bench, claims, gate, id } = stubborn
    await until(() => times(bench.emulator, id, 'expired') > 0, 'the claim ends')
    bench.emulator.changeClink(id, {
      status: 'completed',
      completed: { by: 'user_boss', key: 'web', session: 'web', at: Date.now() },
    })
    const before = claims().length
    gate.resolve(undefined)
    await until(() => claims().length === 0, 'nothing is noted any more')

    expect(before).toBe(1)
  })

  it.for([
    ['a fault ends the process', false],
    ['a fault comes while the worker stops', true],
  ] as const)('was running when %s, though it heeds the end', async ([, stops]) => {
    await using stubborn = await lost()
    if (stops) void stubborn.station.daemon.stop('the test')
    stubborn.station.daemon.fail('process', new Error('nobody caught it'))
    stubborn.gate.resolve(undefined)
    await stubborn.station.ended()

    expect(stubborn.claims()).toEqual([])
    expect(await stubborn.wouldHaveRun()).toEqual([stubborn.id])
  })
})

it('P9, §4: code whose claim a stop gives back was running, if the process crashes then', async () => {
  await using bench = await Bench.open()
  const release = bench.fault({ operation: 'release_clink' }, { hang: 'before' })
  const id = bench.send('stubborn')
  const gate = Promise.withResolvers<undefined>()
  const ledger = new Ledger(memoryTables())
  const station = bench.work(async () => await gate.promise, {
    settings: { shutdown: { timeout: 2_000, drain: 10 } },
    ledger,
  })
  await until(() => station.runs.length === 1, 'the handler starts')
  const stopped = station.daemon.stop('the test')
  await until(() => release.hits === 1, 'it is being given back')
  const [claim] = ledger.process.claims()
  gate.resolve(undefined)
  await stopped

  expect(claim).toMatchObject({ clink: { clink_id: id }, running: true, releasing: true })
})

describe.concurrent(
  'P8, §6: a handler that does not heed the abort of a stop, and whose claim is lost while it is released',
  () => {
    it('has one attempt taken back and not two', async () => {
      await using bench = await Bench.open({ switches: { ...switches, defaultTimeout: 4 } })
      bench.fault({ operation: 'release_clink' }, { hang: 'before' })
      const id = bench.send('stubborn')
      const gate = Promise.withResolvers<undefined>()
      const ledger = new Ledger(memoryTables())
      const station = bench.work(
        async () => {
          if (station.runs.length === 1) throw new Error('the first attempt fails')
          await gate.promise
          return 'too late'
        },
        {
          settings: { claim: { timeout: 4_000 }, retry: { backoff: 10 }, shutdown: { timeout: 4_000, drain: 10 } },
          ledger,
        },
      )
      await until(() => station.runs.length === 2, 'the second attempt starts')
      const stopped = station.daemon.stop('the test')
      await station.seen('clink.lost', id)
      gate.resolve(undefined)
      await stopped
      await until(() => station.all('clink.ended', id).length === 2, 'the second attempt ends')

      expect(ledger.attemptsOf(id).starts).toBe(1)
    })
  },
)
