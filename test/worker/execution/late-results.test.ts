import { describe, expect, it } from 'vitest'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { Bench, obey, until } from '../../support/harness.ts'
import { answers, times } from '../../support/record.ts'

/** A person completes the clink in the web page. */
function completeByHand(bench: Bench, id: string): void {
  const completed = { by: 'user_boss', key: 'web', session: 'web', at: bench.emulator.now() }
  bench.emulator.changeClink(id, { status: 'completed', completed })
}

describe.concurrent('A result that Clink cannot be told', () => {
  it('because its claim has ended is kept for the operator, never sent, and the clink runs again (P2, P5, §5)', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    const away = bench.fault({ operation: 'claim_clink' }, { status: 503 })
    const id = bench.send('work')
    const ledger = new Ledger(memoryTables())
    const station = bench.work(
      async (_, ctx) => {
        if (station.runs.length > 1) return 'second'
        await obey(ctx).catch(() => {})
        away.remove()
        return 'first'
      },
      { ledger },
    )
    await bench.completed(id)

    expect(answers(bench.emulator).map(({ content }) => content)).toEqual(['second'])
    expect(ledger.late.all()).toMatchObject([
      { clink: { clink_id: id }, route: 'test', attempt: 1, why: 'late', outcome: 'done', response: 'first' },
    ])
  })

  it('because a person was faster is kept, costs no attempt, and is not computed again, should the clink come back (P5, §5)', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const ledger = new Ledger(memoryTables())
    const station = bench.work(
      () => {
        if (station.runs.length === 1) completeByHand(bench, id)
        return `result ${station.runs.length}`
      },
      { ledger },
    )
    await station.seen('clink.settledElsewhere', id)
    await until(() => station.daemon.snapshot().settling === 0, 'it is settled')

    expect(ledger.late.all()).toMatchObject([
      { clink: { clink_id: id }, attempt: 1, why: 'elsewhere', outcome: 'done', response: 'result 1' },
    ])
    expect(ledger.attemptsOf(id).starts).toBe(0)
    expect(answers(bench.emulator)).toEqual([])

    bench.emulator.changeClink(id, { status: 'pending', claim: undefined, completed: undefined })
    await bench.completed(id)
    expect(station.runs).toHaveLength(1)
    expect(answers(bench.emulator).map(({ content }) => content)).toEqual(['result 1'])
    // It is not late any more.
    await until(() => ledger.late.all().length === 0, 'its entry is gone')
  })

  it('because a renewal finds that a person was faster is kept, and its handler aborted (P4, §5)', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 3 } })
    const id = bench.send('work')
    const ledger = new Ledger(memoryTables())
    const station = bench.work(
      async (_, ctx) => {
        completeByHand(bench, id)
        await obey(ctx).catch(() => {})
        return ctx.reject('too late')
      },
      { ledger },
    )
    await station.seen('clink.lateResult', id)

    expect(station.all('clink.lost', id)).toMatchObject([{ cause: 'completed-elsewhere' }])
    expect(ledger.late.all()).toMatchObject([{ why: 'late', outcome: 'reject', reason: 'too late' }])
    expect(ledger.late.all()[0]).not.toHaveProperty('response')
    expect(times(bench.emulator, id, 'claimed')).toBe(1)
    expect(station.runs).toHaveLength(1)
  })

  it('is kept where the completion is being tried again when a person is faster (P5, §5)', async () => {
    await using bench = await Bench.open()
    const fault = bench.fault({ operation: 'complete_clink' }, { status: 503 })
    const id = bench.send('work')
    const ledger = new Ledger(memoryTables())
    const station = bench.work(() => 'result', { ledger })
    await until(() => fault.hits > 0, 'the completion is tried')
    completeByHand(bench, id)
    fault.remove()
    await station.seen('clink.settledElsewhere', id)
    await until(() => station.daemon.snapshot().settling === 0, 'it is over')

    expect(ledger.late.all()).toMatchObject([{ why: 'elsewhere', response: 'result' }])
    expect(station.runs).toHaveLength(1)
  })

  it('is not kept where there is none: a failed run, and a notice that the clink was given up (§5)', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const ledger = new Ledger(memoryTables())
    const station = bench.work(
      () => {
        completeByHand(bench, id)
        throw new Error('no')
      },
      { ledger, settings: { retry: { attempts: 1, onExhausted: 'complete' } } },
    )
    await station.seen('clink.settledElsewhere', id)
    expect(ledger.late.all()).toEqual([])
  })
})
