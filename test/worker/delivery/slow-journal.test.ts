import { describe, expect, it } from 'vitest'
import type { LedgerTables } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { writing } from '../../simulation/altered.ts'
import { VirtualBench, type VirtualOptions } from '../../support/virtual.ts'
import { recalled } from '../../support/states.ts'

const SECOND = 1_000

/** A journal that takes its time to note the first start. */
function slowToStart(ms: number, bench: () => VirtualBench): LedgerTables {
  const tables = memoryTables()
  let isFirst = true
  const claims = writing(tables.claims, async (_, row, write) => {
    await write()
    if (!isFirst || row.attempts === undefined) return
    isFirst = false
    const { time } = bench()
    await new Promise<void>((resolve) => void time.at(time.now + ms, resolve))
  })
  return { ...tables, claims }
}

/** A journal that takes its time to note that a run has ended, once. */
function slow(ms: number, bench: () => VirtualBench): LedgerTables {
  const tables = memoryTables()
  let isFirst = true
  const facts = writing(tables.facts, async (name, row, write) => {
    await write()
    if (name !== 'ended' || row === '' || !isFirst) return
    isFirst = false
    const { time } = bench()
    await new Promise<void>((resolve) => void time.at(time.now + ms, resolve))
  })
  return { ...tables, facts }
}

function open(journal: number, options: Omit<VirtualOptions, 'tables'>): VirtualBench {
  const bench: VirtualBench = new VirtualBench({ ...options, tables: slow(journal, () => bench) })
  return bench
}

describe('P10, §4: what follows from a run is decided when it ends, and not when the journal has noted that', () => {
  it('what was rejected while its claim stood is given up, though the claim runs out meanwhile', async () => {
    let runs = 0
    const bench = open(60 * SECOND, {
      switches: { reclaim: 'refuse', defaultTimeout: 10 },
      handle: async (_, ctx) => {
        runs += 1
        await bench.take(5 * SECOND, ctx.signal)
        return ctx.reject('bad request')
      },
    })
    const id = bench.send('work')
    await bench.pass(120 * SECOND)

    expect([runs, (await recalled(bench.ledger, id)).isGivenUp, bench.all('clink.lost')]).toEqual([1, true, []])
    await bench.stop()
  })

  it('a failure before a stop has cut anything short costs its attempt, though the time of the stop ends meanwhile', async () => {
    const bench = open(3 * SECOND, {
      settings: { shutdown: { timeout: 4 * SECOND, drain: 2 * SECOND }, retry: { attempts: 2 } },
      handle: async (_, ctx) => {
        await bench.take(5 * SECOND, ctx.signal)
        throw new Error('no')
      },
    })
    const id = bench.send('work')
    await bench.pass(4 * SECOND)
    const stopped = bench.daemon.stop('test')
    await bench.pass(10 * SECOND)
    await stopped

    expect([bench.ledger.attemptsOf(id).starts, bench.ledger.attemptsOf(id).errors]).toEqual([1, ['no']])
    expect(bench.emulator.clink(id)?.status).toBe('pending')
  })

  it('a failure before the route was paused costs its attempt, though the route is paused meanwhile', async () => {
    const bench = open(5 * SECOND, {
      settings: { concurrency: 12, retry: { attempts: 1 } },
      handle: async ({ content }, ctx) => {
        await bench.take(content === 'first' ? SECOND : 2 * SECOND, ctx.signal)
        throw new Error('no')
      },
    })
    const first = bench.send('first')
    for (let n = 0; n < 10; n += 1) bench.send('later')
    await bench.pass(4 * SECOND)

    expect(bench.all('route.paused')).toHaveLength(1)
    expect(bench.all('clink.deadLettered').map(({ clink }) => clink.clink_id)).toContain(first)
    await bench.stop()
  })
})

describe('P9, §4: a start whose claim is lost while it is journalled', () => {
  it('is one that may have run, for the start after a crash, until it is taken back', async () => {
    const bench: VirtualBench = new VirtualBench({
      tables: slowToStart(30 * SECOND, () => bench),
      switches: { reclaim: 'refuse', defaultTimeout: 10 },
      handle: async () => await Promise.resolve('done'),
    })
    const id = bench.send('work')
    await bench.pass(9.5 * SECOND)
    expect(bench.all('clink.lost')).toHaveLength(1)
    const [claim] = bench.ledger.process.claims()
    expect([claim?.running, claim?.releasing, bench.ledger.attemptsOf(id).starts]).toEqual([true, true, 0])

    await bench.pass(60 * SECOND)
    expect([bench.ledger.process.claims(), bench.ledger.attemptsOf(id).starts]).toEqual([[], 0])
    await bench.stop()
  })
})
