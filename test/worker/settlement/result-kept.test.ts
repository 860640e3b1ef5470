import { describe, expect, it } from 'vitest'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { Bench, until } from '../../support/harness.ts'
import { answers, requests, requestsFor, story, times, when } from '../../support/record.ts'

describe.concurrent('P5, §5: a result', () => {
  it('that could not be sent within its lease is sent under the next claim and not computed again', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    bench.fault({ operation: 'complete_clink' }, { status: 503 })
    bench.fault({ operation: 'claim_clink' }, { status: 503 })
    const id = bench.send('work')
    const station = bench.work(() => `result ${station.runs.length}`)
    await until(() => times(bench.emulator, id, 'expired') > 0, 'the claim ends')
    bench.emulator.clearFaults()
    await bench.completed(id)

    const [expired, again] = [when(bench.emulator, id, 'expired'), when(bench.emulator, id, 'claimed', 2)]
    expect(requestsFor(bench.emulator, id).filter(({ at }) => at >= expired && at < again)).toEqual([])
    expect(story(bench.emulator, id).slice(0, 4)).toEqual(['created', 'claimed', 'expired', 'claimed'])
    expect(station.runs).toHaveLength(1)
    expect(answers(bench.emulator).map(({ content }) => content)).toEqual(['result 1'])
  })

  it('whose acknowledgement is late makes no refusal of the renewal that comes after it', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 6 } })
    bench.fault({ operation: 'complete_clink', nth: 1 }, { hang: 'after' })
    const id = bench.send('work')
    const settings = { claim: { timeout: 6_000 }, clink: { timeout: 4_000 } }
    const station = bench.work(() => 'done', { settings })
    await until(() => station.daemon.totals().completed === 1, 'it is settled')

    const renewals = requests(bench.emulator, 'claim_clink').map(({ status }) => status)
    expect(renewals).toContain(409)
    expect(station.all('clink.renewalRefused')).toEqual([])
    expect(station.all('worker.renewalUnsupported')).toEqual([])
    expect(station.runsOf(id)).toHaveLength(1)
  })

  it.for(['409', '200'])(
    'whose acknowledgement is cut off is settled once and never run again (completeTwice: %s)',
    async (completeTwice) => {
      await using bench = await Bench.open({ switches: { completeTwice } as object })
      const fault = bench.fault({ operation: 'complete_clink', nth: 1 }, { cut: 'after' })
      const id = bench.send('work')
      const station = bench.work(() => 'done')
      await bench.completed(id)
      await until(() => station.daemon.snapshot().settling === 0, 'the settlement ends')

      expect(fault.hits).toBe(1)
      expect(station.runs).toHaveLength(1)
      expect(times(bench.emulator, id, 'completed')).toBe(1)
      expect(answers(bench.emulator)).toHaveLength(1)
      expect(station.daemon.totals()).toMatchObject({ completed: 1, lost: 0, deadLettered: 0 })
    },
  )

  it('of an earlier process that a renewal shows as completed by us is done, though it waits for a slot', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 6 } })
    const fault = bench.fault({ operation: 'complete_clink', nth: 1 }, { hang: 'after' })
    const [long, quick] = [bench.send('long'), bench.send('quick')]
    const ledger = new Ledger(memoryTables())
    const over = Promise.withResolvers<void>()
    const work = async ({ content }: { content: string }) => (content === 'long' ? await over.promise : 'done')
    bench.work(work, { ledger })
    await until(() => fault.hits === 1, 'it is completed, and nobody is told')
    const copy = new Ledger(memoryTables())
    for (const claim of ledger.process.claims()) await copy.process.hold(claim)
    for (const name of ['session', 'identity']) await copy.process.note({ [name]: ledger.process.fact(name) ?? '' })
    for (const { clink } of ledger.process.claims()) if (clink.clink_id === quick) await copy.keepResult(clink, 'done')
    const now = bench.work(work, { ledger: copy, settings: { concurrency: 1 } })
    const renewals = () => requestsFor(bench.emulator, quick).filter(({ operation }) => operation === 'claim_clink')
    const refused = () => renewals().filter(({ status }) => status === 409)
    await until(() => refused().length === 2, 'a renewal of each is refused')
    over.resolve()
    const { presumed } = await now.seen('clink.completed', quick)

    expect(presumed).toBe(false)
    expect(now.runsOf(quick)).toEqual([])
    expect(now.runsOf(long)).toHaveLength(1)
    expect(copy.late.all().filter(({ clink }) => clink.clink_id === quick)).toEqual([])
    expect(now.all('clink.settledElsewhere', quick)).toEqual([])
  })

  it.for([
    ['503', { status: 503 }],
    ['429', { status: 429, headers: { 'retry-after': '0' } }],
    ['a lost request', { cut: 'before' }],
    ['a proxy page', { status: 502, body: '<html>bad gateway</html>' }],
  ] as const)('is sent again while it is answered with %s', async ([, effect]) => {
    await using bench = await Bench.open()
    const fault = bench.fault({ operation: 'complete_clink', times: 3 }, effect)
    const id = bench.send('work')
    const station = bench.work(() => 'done')
    await bench.completed(id)

    expect(fault.hits).toBe(3)
    expect(station.runs).toHaveLength(1)
    expect(requests(bench.emulator, 'complete_clink')).toHaveLength(4)
    expect(answers(bench.emulator).map(({ content }) => content)).toEqual(['done'])
  })

  it('is sent again when no answer comes at all', async () => {
    await using bench = await Bench.open()
    bench.fault({ operation: 'complete_clink', nth: 1 }, { hang: 'before' })
    const id = bench.send('work')
    const station = bench.work(() => 'done', { settings: { clink: { timeout: 500 } } })
    await bench.completed(id)

    expect(station.runs).toHaveLength(1)
    expect(times(bench.emulator, id, 'completed')).toBe(1)
  })

  it('for a clink that somebody else settled is not run again, and counts no failure', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const station = bench.work(() => {
      bench.emulator.changeClink(id, { status: 'completed' })
      return 'done'
    })
    await station.seen('clink.settledElsewhere', id)
    const next = bench.send('next')
    await bench.completed(next)

    expect(station.runsOf(id)).toHaveLength(1)
    expect(station.daemon.totals().deadLettered).toBe(0)
  })
})
