import { describe, expect, it } from 'vitest'
import type { SeenRequest } from '../../../src/emulator/emulator.ts'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { Bench, until } from '../../support/harness.ts'
import {
  claimingPoll,
  claimingPolls,
  isLookForClaims,
  lookForClaims,
  requests,
  story,
  times,
} from '../../support/record.ts'
import { VirtualBench } from '../../support/virtual.ts'

/** The longest page of a look. */
const PAGE = 100
const settings = { claim: { exclusive: true, timeout: 60_000 }, clink: { identity: 'ap_worker' } } as const

/** A sibling holds it, for an hour. */
function hold(bench: Bench, id: string): void {
  const at = bench.emulator.now()
  const claim = { by: 'ap_worker', key: 'worker', session: 'other', at, expires: at + 3_600_000 }
  bench.emulator.changeClink(id, { status: 'claimed', claim })
}

function looks(bench: Bench): SeenRequest[] {
  return requests(bench.emulator, 'check_inbox').filter(isLookForClaims)
}

describe.concurrent('P7, §3: the first poll of a process, whose answer is lost', () => {
  it('is looked for like any other, and what it claimed is taken up long before it runs out', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(3)
    bench.fault({ ...claimingPoll, nth: 1 }, { cut: 'after' })
    const station = bench.work(() => 'done', { settings })
    await station.seen('poll.lost')
    await bench.completed(ids)

    for (const id of ids) expect(times(bench.emulator, id, 'claimed')).toBe(1)
    expect(station.all('clink.takenUp')).toHaveLength(3)
  })

  it('takes up nothing that our owner held before', async () => {
    await using bench = await Bench.open()
    const held = bench.send('held')
    hold(bench, held)
    const id = bench.send('work')
    bench.fault({ ...claimingPoll, nth: 1 }, { cut: 'after' })
    const station = bench.work(() => 'done', { settings })
    await bench.completed(id)

    expect(station.runsOf(held)).toEqual([])
    expect(requests(bench.emulator, 'claim_clink').filter(({ path }) => path.includes(held))).toEqual([])
  })

  it('goes ahead where the look before it fails, and takes up nothing by it', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    bench.fault({ ...lookForClaims, nth: 1 }, { status: 503 })
    bench.fault({ ...claimingPoll, nth: 1 }, { cut: 'after' })
    const id = bench.send('work')
    const station = bench.work(() => 'done', { settings })
    await bench.completed(id)

    expect(station.all('poll.lost')).toHaveLength(1)
    expect(station.all('clink.takenUp')).toEqual([])
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'expired', 'claimed', 'completed'])
  })

  it('takes up nothing where the look before it may not have shown all', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    for (const held of bench.sendMany(PAGE)) hold(bench, held)
    bench.fault({ ...claimingPoll, nth: 1 }, { cut: 'after' })
    const id = bench.send('work')
    const station = bench.work(() => 'done', { settings })
    await bench.completed(id)

    expect(station.all('poll.lost')).toHaveLength(1)
    expect(station.all('clink.takenUp')).toEqual([])
  })

  it('looks again before a poll that is the first to claim, where neither look nor poll had an answer', async () => {
    await using bench = await Bench.open()
    const away = bench.fault({ operation: 'check_inbox' }, { status: 400 })
    const ids = bench.sendMany(3)
    const station = bench.work(() => 'done', { settings })
    await station.seen('poll.failed')
    away.remove()
    bench.fault({ ...claimingPoll, nth: 1 }, { cut: 'after' })
    await bench.completed(ids)

    expect(station.all('poll.lost')).toHaveLength(1)
    expect(station.all('clink.takenUp')).toHaveLength(3)
  })

  it('claims nothing any more where the worker is stopped during the look before it (P8)', async () => {
    await using bench = await Bench.open()
    const look = bench.fault({ ...lookForClaims, nth: 1 }, { delayBefore: 500 })
    bench.sendMany(3)
    const station = bench.work(() => 'done', { settings })
    await until(() => look.hits === 1, 'it looks')
    await station.daemon.stop('test')

    expect(claimingPolls(bench.emulator)).toEqual([])
    expect(station.exit).toBe(0)
  })

  it('is not preceded by a look where a claim by id could take a sibling’s work: nothing is taken up then', async () => {
    await using bench = await Bench.open({ switches: { identity: 'key' } })
    const ledger = new Ledger(memoryTables())
    await ledger.process.noteServiceFact(bench.emulator.url, 'siblings', 'granted')
    bench.work(() => 'done', { ledger })
    await bench.completed(bench.send('work'))

    expect(looks(bench)).toEqual([])
  })

  it('is not preceded by a look where nothing is claimed by polls', async () => {
    await using bench = await Bench.open()
    bench.work(() => 'done', { settings: { ...settings, inbox: { claim: 'select' } } })
    await bench.completed(bench.send('work'))

    expect(looks(bench)).toEqual([])
  })
})

it('§3: the first poll waits three seconds at most for the look before it', async () => {
  const bench = new VirtualBench({
    settings,
    weather: ({ path }) => (path.includes('status=claimed') ? 'hang' : undefined),
    handle: async () => 'done',
  })
  const id = bench.send('work')
  await bench.pass(4_000)
  const [look] = bench.sent.filter(({ path }) => path.includes('status=claimed'))
  const [poll] = bench.sent.filter(({ path }) => path.includes('claim=true'))
  await bench.stop()

  expect((poll?.at ?? Infinity) - (look?.at ?? 0)).toBeLessThanOrEqual(3_000)
  expect(bench.emulator.clink(id)?.status).toBe('completed')
})
