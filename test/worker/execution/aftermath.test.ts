import { describe, expect, it } from 'vitest'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { Bench } from '../../support/harness.ts'
import { requestsFor } from '../../support/record.ts'
import { recalled } from '../../support/states.ts'

/** Claims that end before it is known whether a run has left something behind that ends the process. */
const switches = { reclaim: 'refuse', defaultTimeout: 3 } as const

describe.concurrent('P10, §4: what the run of a clink comes to that may have ended the process', () => {
  it('counts before it is known whether the run left something behind: what was rejected is not run again', async () => {
    await using bench = await Bench.open({ switches })
    const ledger = new Ledger(memoryTables())
    const id = bench.send('work')
    await ledger.outcome(id, { is: 'suspect' })
    const station = bench.work((_, ctx) => ctx.reject('bad request'), { ledger })
    await station.seen('clink.released', id)

    expect(station.all('clink.deadLettered').map(({ reason }) => reason)).toEqual(['bad request'])
    expect(station.runsOf(id)).toHaveLength(1)
    expect((await recalled(ledger, id)).isGivenUp).toBe(true)
  })

  it('keeps its slot, with nothing beside it, for ten seconds after a failure', async () => {
    await using bench = await Bench.open()
    const ledger = new Ledger(memoryTables())
    const id = bench.send('work')
    await ledger.outcome(id, { is: 'suspect' })
    const station = bench.work(
      ({ clink_id: one }) => {
        if (one === id) throw new Error('no')
      },
      { ledger, settings: { retry: { attempts: 1 } } },
    )
    await station.seen('clink.released', id)
    const other = bench.send('beside')
    await bench.completed(other)

    const [first, second] = [station.runsOf(id)[0], station.runsOf(other)[0]]
    expect((second?.start ?? 0) - (first?.start ?? 0)).toBeGreaterThanOrEqual(10_000)
    expect(requestsFor(bench.emulator, id).map(({ operation }) => operation)).toContain('release_clink')
  })
})
