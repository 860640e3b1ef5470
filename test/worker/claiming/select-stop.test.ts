import { describe, expect, it } from 'vitest'
import { Bench, obey, until } from '../../support/harness.ts'
import { isLookForClaims, requests, stillClaimed, story } from '../../support/record.ts'

const select = { inbox: { claim: 'select' }, claim: { timeout: 60_000 } } as const
const alone = { claim: { exclusive: true, timeout: 60_000 } } as const
const shutdown = { drain: 0 }

/** Waits until the service has carried out what was on its way when the worker ended. */
async function quiet(bench: Bench): Promise<void> {
  await until(
    () => bench.emulator.requests().every(({ status, ending }) => status !== undefined || ending !== undefined),
    'nothing is on its way',
  )
}

describe.concurrent('P8: a stop in select leaves no claim', () => {
  it.for(['delayBefore', 'delayAfter'] as const)('while a page of a sweep is on its way (%s)', async (when) => {
    await using bench = await Bench.open()
    bench.sendMany(130)
    bench.fault({ operation: 'check_inbox', nth: 2 }, { [when]: 500 })
    const settings = { ...select, concurrency: 200, shutdown }
    const station = bench.work(async (_, ctx) => await obey(ctx), { settings })
    await until(() => requests(bench.emulator, 'check_inbox').length === 2, 'the second page is asked for')
    await station.daemon.stop('the test says so')
    await quiet(bench)

    expect(stillClaimed(bench.emulator)).toEqual([])
    expect(station.all('worker.stopped')[0]?.leftBehind).toEqual([])
  })

  it.for(['delayBefore', 'delayAfter'] as const)('while claims by id are on their way (%s)', async (when) => {
    await using bench = await Bench.open()
    bench.sendMany(12)
    // The first two find out about siblings.
    bench.fault({ operation: 'claim_clink', from: 4 }, { [when]: 500 })
    const station = bench.work(async (_, ctx) => await obey(ctx), { settings: { ...select, shutdown } })
    await until(() => requests(bench.emulator, 'claim_clink').length >= 5, 'several claims are asked for')
    await station.daemon.stop('the test says so')
    await quiet(bench)

    expect(stillClaimed(bench.emulator)).toEqual([])
  })

  it.for(['delayBefore', 'delayAfter'] as const)('while siblings are found to be refused (%s)', async (when) => {
    await using bench = await Bench.open()
    bench.send('work')
    bench.fault({ operation: 'claim_clink', nth: 2 }, { [when]: 500 })
    const station = bench.work(async (_, ctx) => await obey(ctx), { settings: { ...select, shutdown } })
    await until(() => requests(bench.emulator, 'claim_clink').length === 2, 'it is being found out')
    await station.daemon.stop('the test says so')
    await quiet(bench)

    expect(stillClaimed(bench.emulator)).toEqual([])
    expect(station.runs).toEqual([])
  })

  it.for([
    [2, 'delayBefore'],
    [2, 'delayAfter'],
    [3, 'delayBefore'],
    [3, 'delayAfter'],
  ] as const)('but one that a sibling may hold is left to expire (P3: claim %i, %s)', async ([nth, when]) => {
    await using bench = await Bench.open({ switches: { identity: 'key' } })
    const id = bench.send('work')
    bench.fault({ operation: 'claim_clink', nth }, { [when]: 500 })
    const station = bench.work(async (_, ctx) => await obey(ctx), { settings: { ...select, shutdown } })
    await until(() => requests(bench.emulator, 'claim_clink').length === nth, 'it is being found out')
    await station.daemon.stop('the test says so')
    await quiet(bench)

    expect(requests(bench.emulator, 'release_clink')).toEqual([])
    expect(station.all('clink.leftToExpire', id)).toHaveLength(1)
    expect(station.runs).toEqual([])
  })

  it('while a second session’s claim is never answered: in bounded time', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    bench.fault({ operation: 'claim_clink', nth: 2 }, { hang: 'before' })
    const station = bench.work(async (_, ctx) => await obey(ctx), { settings: { ...select, shutdown } })
    await until(() => requests(bench.emulator, 'claim_clink').length === 2, 'it is being found out')
    const at = bench.clock.now()
    await station.daemon.stop('the test says so')

    expect(bench.clock.now() - at).toBeLessThan(5_000)
    // Whether a sibling holds it was not told.
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed'])
    expect(station.all('clink.leftToExpire', id)).toHaveLength(1)
  })

  it.for(['delayBefore', 'delayAfter'] as const)('while a claim is to tell who we are (%s)', async (when) => {
    await using bench = await Bench.open({ switches: { pollRecords: 'snapshot' } })
    bench.send('an answer\n— clink-worker')
    bench.fault({ operation: 'claim_clink', nth: 1 }, { [when]: 500 })
    const station = bench.work(async (_, ctx) => await obey(ctx), { settings: { shutdown } })
    await until(() => requests(bench.emulator, 'claim_clink').length === 1, 'it is asked')
    await station.daemon.stop('the test says so')
    await quiet(bench)

    expect(stillClaimed(bench.emulator)).toEqual([])
  })

  it('while the second session is refused and the clink is looked for', async () => {
    await using bench = await Bench.open()
    bench.send('work')
    bench.fault({ operation: 'get_clinks', nth: 1 }, { delayAfter: 500 })
    const station = bench.work(async (_, ctx) => await obey(ctx), { settings: { ...select, shutdown } })
    await until(() => requests(bench.emulator, 'get_clinks').length === 1, 'it is looked for')
    await station.daemon.stop('the test says so')
    await quiet(bench)

    expect(stillClaimed(bench.emulator)).toEqual([])
  })

  it.for(['delayBefore', 'delayAfter'] as const)('while a lost claim is taken up (%s)', async (when) => {
    await using bench = await Bench.open()
    const station = bench.work(async ({ content }, ctx) => (content === 'first' ? undefined : await obey(ctx)), {
      settings: { ...alone, shutdown },
    })
    await bench.completed(bench.send('first'))
    bench.fault({ operation: 'check_inbox', times: 1 }, { cut: 'after' })
    bench.fault({ operation: 'claim_clink', nth: 1 }, { [when]: 500 })
    bench.send('lost')
    await until(() => requests(bench.emulator, 'claim_clink').length === 1, 'it is taken up')
    await station.daemon.stop('the test says so')
    await quiet(bench)

    expect(stillClaimed(bench.emulator)).toEqual([])
  })

  it('while lost claims are looked for, in bounded time', async () => {
    await using bench = await Bench.open()
    const station = bench.work(() => 'done', { settings: { ...alone, shutdown } })
    await bench.completed(bench.send('first'))
    bench.fault({ operation: 'check_inbox', times: 1 }, { cut: 'after' })
    await station.seen('poll.lost')
    bench.fault({ operation: 'check_inbox' }, { hang: 'before' })
    const looks = () => requests(bench.emulator, 'check_inbox').filter(isLookForClaims).length
    const before = looks()
    await until(() => looks() > before, 'it is looked for')
    const at = bench.clock.now()
    await station.daemon.stop('the test says so')

    expect(bench.clock.now() - at).toBeLessThan(5_000)
    expect(station.exit).toBe(0)
  })
})
