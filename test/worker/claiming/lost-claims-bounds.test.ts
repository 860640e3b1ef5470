import { describe, expect, it } from 'vitest'
import type { FaultAction, Switches } from '../../../src/emulator/emulator.ts'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { Bench, obey, take, until } from '../../support/harness.ts'
import { isLookForClaims, mostClaimed, requests, requestsFor, times, when } from '../../support/record.ts'

const exclusive = { exclusive: true, timeout: 60_000 } as const

/** What a worker remembers that has found out that siblings are refused. */
async function knowing(bench: Bench): Promise<Ledger> {
  const ledger = new Ledger(memoryTables())
  const station = bench.work(() => 'done', { settings: { inbox: { claim: 'select' } }, ledger })
  await bench.completed(bench.send('finds it out'))
  await station.close()
  return ledger
}

describe.concurrent('P7: taking up', () => {
  it('leaves alone what a sibling holds, and takes its own (P3)', async () => {
    await using bench = await Bench.open()
    const ledger = await knowing(bench)
    let go = false
    const sibling = bench.work(async () => await until(() => go, 'it may end'), { settings: { concurrency: 3 } })
    const theirs = bench.sendMany(3)
    await until(() => sibling.runs.length === 3, 'the sibling runs three')
    const station = bench.work(() => 'done', { settings: { concurrency: 4 }, ledger })
    const first = bench.send('first')
    await bench.completed(first)
    // The sibling claims more in the same moments, so that it is not their age that tells.
    bench.fault({ operation: 'check_inbox', times: 1 }, { cut: 'after' })
    const lost = bench.send('lost')
    await station.seen('poll.lost')
    await bench.completed(lost)
    go = true
    await bench.completed(theirs)

    expect(station.all('clink.takenUp').map(({ clink }) => clink.clink_id)).toEqual([lost])
    for (const id of theirs) {
      expect(sibling.runsOf(id)).toHaveLength(1)
      expect(station.runsOf(id)).toEqual([])
      expect(times(bench.emulator, id, 'claimed')).toBe(1)
    }
  })

  it('is refused what a sibling has claimed since the poll was lost, and asks for it once', async () => {
    await using bench = await Bench.open()
    const ledger = await knowing(bench)
    const station = bench.work(() => 'done', { settings: { concurrency: 4 }, ledger })
    await bench.completed(bench.send('first'))
    bench.fault({ operation: 'check_inbox', times: 1 }, { cut: 'before' })
    await station.seen('poll.lost')
    const id = bench.send('theirs')
    const at = bench.emulator.now()
    const claim = { by: 'ap_worker', key: 'worker', session: 'another', at, expires: at + 3_600_000 }
    bench.emulator.changeClink(id, { status: 'claimed', claim })
    const looks = () => requests(bench.emulator, 'check_inbox').filter(isLookForClaims).length
    const before = looks()
    await until(() => looks() > before + 2, 'it is looked for')

    expect(station.runsOf(id)).toEqual([])
    expect(requestsFor(bench.emulator, id).map(({ status }) => status)).toEqual([409])
    expect(bench.emulator.clink(id)?.claim).toEqual(claim)
  })

  it('starts no more than there are slots, within ten seconds, each clink once (P6)', async () => {
    await using bench = await Bench.open()
    let go = false
    const station = bench.work(
      async ({ content }, ctx) => {
        if (content === 'long') await until(() => go, 'it may end')
        else await take(50, ctx)
      },
      { settings: { claim: exclusive, concurrency: 3 } },
    )
    bench.send('long')
    await bench.completed(bench.send('first'))
    bench.fault({ operation: 'check_inbox', times: 1 }, { cut: 'after' })
    const ids = bench.sendMany(6)
    const at = bench.clock.now()
    await bench.completed(ids)
    const took = bench.clock.now() - at
    go = true

    expect(took).toBeLessThan(30_000)
    // One slot is busy for long, another perhaps until its completion is confirmed.
    const [asked = 0] = station.all('poll.lost').map((lost) => lost.asked)
    expect([1, 2]).toContain(asked)
    expect(station.all('clink.takenUp')).toHaveLength(asked)
    expect(station.mostRunning).toBeLessThanOrEqual(3)
    expect(mostClaimed(bench.emulator)).toBeLessThanOrEqual(3)
    for (const id of ids) {
      expect(station.runsOf(id)).toHaveLength(1)
      expect(times(bench.emulator, id, 'claimed')).toBe(1)
    }
  })

  it('looks for nothing where the connection was refused', async () => {
    await using bench = await Bench.open()
    const station = bench.work(() => 'done', { settings: { claim: exclusive } })
    await bench.completed(bench.send('first'))
    await until(() => station.daemon.snapshot().settling === 0, 'nothing is on its way')
    bench.emulator.disconnect()
    // A poll that was on its way is cut, and may be lost; the next ones are refused.
    await until(() => station.all('poll.failed').length > 1, 'polls fail')
    const lost = station.all('poll.lost').length
    await until(() => station.all('poll.failed').length > 3, 'more polls fail')
    await bench.emulator.reconnect()
    await bench.completed(bench.send('work'))

    expect(station.all('poll.lost')).toHaveLength(lost)
    expect(lost).toBeLessThanOrEqual(1)
  })

  it('stops keeping slots free when there is nothing to find, after ten seconds (P6)', async () => {
    await using bench = await Bench.open()
    const station = bench.work(() => 'done', { settings: { claim: exclusive, concurrency: 1 } })
    await bench.completed(bench.send('first'))
    bench.fault({ operation: 'check_inbox', times: 1 }, { cut: 'before' })
    await station.seen('poll.lost')
    expect(station.daemon.snapshot().maybeClaimed).toBe(1)
    await bench.completed(bench.send('work'))
    await until(() => station.daemon.snapshot().maybeClaimed === 0, 'a last look has found nothing')
  })
})

describe.concurrent('P2: a claim that was taken up', () => {
  it.for<[Partial<Switches>, FaultAction]>([
    [{ claimedAtOnRenew: 'moves' }, { delayBefore: 1 }],
    [{ claimedAtOnRenew: 'stays' }, { delayBefore: 1 }],
    [{ claimedAtOnRenew: 'moves', maxTimeout: 'cap:2' }, { delayBefore: 1 }],
    [{ claimedAtOnRenew: 'stays', maxTimeout: 'cap:2' }, { delayBefore: 1 }],
    [{ claimedAtOnRenew: 'stays', reclaim: 'ignore' }, { delayBefore: 1 }],
    [{ claimedAtOnRenew: 'moves', claimTimes: 'seconds' }, { delayBefore: 1 }],
    [{ claimedAtOnRenew: 'stays', claimTimes: 'seconds' }, { delayBefore: 1 }],
    [{ claimedAtOnRenew: 'moves' }, { delayAfter: 900 }],
    [{ claimedAtOnRenew: 'stays' }, { delayAfter: 900 }],
    [{ claimedAtOnRenew: 'stays', clockSkew: '-2h' }, { delayBefore: 900 }],
  ])('%o, its claim %o: nothing is sent for it after the service has it back', async ([switches, effect]) => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 4, ...switches } })
    const station = bench.work(async ({ content }, ctx) => (content === 'first' ? undefined : await obey(ctx)), {
      settings: { claim: { exclusive: true, timeout: 4_000 }, retry: { attempts: 1 } },
    })
    const first = bench.send('first')
    await bench.completed(first)
    // Times without a fraction tell claims apart that were made in different seconds.
    const second = Math.floor(when(bench.emulator, first, 'claimed') / 1_000)
    await until(() => Math.floor(bench.emulator.now() / 1_000) > second, 'the next second')
    bench.fault({ operation: 'check_inbox', times: 1 }, { cut: 'after' })
    const id = bench.send('lost')
    bench.fault({ path: `/clinks/${id}/claim`, nth: 1 }, effect)
    // Renewals are refused, in the worst moment: the lease is all that the worker has.
    bench.fault({ path: `/clinks/${id}/claim`, from: 2 }, { status: 503 })
    await station.seen('poll.lost')
    const polls = bench.fault({ operation: 'check_inbox', method: 'GET', from: 3 }, { status: 503 })
    await until(() => times(bench.emulator, id, 'expired') > 0, 'its claim has run out')
    const end = bench.emulator.history(id).find(({ what }) => what === 'expired')?.at ?? 0
    await until(() => bench.emulator.now() > end + 1_500, 'a while has passed')
    polls.remove()

    const sent = requestsFor(bench.emulator, id)
    expect(sent.length).toBeGreaterThan(0)
    for (const { at } of sent) expect(at).toBeLessThan(end)
    for (const run of station.runsOf(id)) expect(run.aborted?.at ?? Infinity).toBeLessThanOrEqual(end)
    expect(station.runsOf(id).length).toBeLessThanOrEqual(1)
  })
})
