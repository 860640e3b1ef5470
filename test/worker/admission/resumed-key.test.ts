import { describe, expect, it } from 'vitest'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { Bench, until, type WorkOptions } from '../../support/harness.ts'
import { keysThat, seed } from '../../support/key-owners.ts'
import { claimingPolls, requests } from '../../support/record.ts'

const quick = { poll: { interval: 20, maxInterval: 50 } }

/** A worker that holds one clink, and another that starts from its journal as it is in that moment. */
async function restarted(bench: Bench, options: WorkOptions, isReady?: () => boolean) {
  const ledger = new Ledger(memoryTables())
  const id = bench.send('work')
  const over = Promise.withResolvers<void>()
  const before = bench.work(async () => await over.promise, { ledger, settings: quick })
  await before.seen('clink.started', id)
  const copy = new Ledger(memoryTables())
  for (const claim of ledger.process.claims()) await copy.process.hold(claim)
  for (const name of ['session', 'identity']) await copy.process.note({ [name]: ledger.process.fact(name) ?? '' })
  const now = bench.work(() => 'done', { ledger: copy, settings: quick, ...options })
  isReady ??= () => now.all('worker.resumed').length > 0
  await until(isReady, 'it has looked at the claims')
  return { id, now, ledger: copy, over: () => over.resolve() }
}

/** Both workers poll: the one that was started last, too. */
async function polls(bench: Bench): Promise<void> {
  const before = claimingPolls(bench.emulator).length
  await until(() => claimingPolls(bench.emulator).length > before + 10, 'a few polls')
}

describe.concurrent('§7, §8: a start whose key is not the one that made the claims in the journal', () => {
  it('holds on to those that a renewal with the new key confirms (P9)', async () => {
    await using bench = await Bench.open({ seed, switches: { identity: 'owner' } })
    const { id, now, over } = await restarted(bench, { key: 'next' })
    await bench.completed(id)
    over()

    expect(keysThat(bench.emulator, id, 'renewed')[0]).toBe('next')
    expect(keysThat(bench.emulator, id, 'completed')).toEqual(['next'])
    expect(keysThat(bench.emulator, id, 'claimed')).toEqual(['worker'])
    expect(now.runs).toHaveLength(1)
  })

  it('does not run those whose renewal is refused, where claims are bound to their key (P3)', async () => {
    await using bench = await Bench.open({ seed })
    const { id, now, ledger, over } = await restarted(bench, { key: 'next' })
    await polls(bench)

    expect(now.all('clink.leftToExpire', id)).toMatchObject([{ why: expect.stringContaining('another key') }])
    expect(now.runsOf(id)).toEqual([])
    expect(ledger.process.claims().map(({ clink }) => clink.clink_id)).not.toContain(id)
    over()
  })

  it("runs none of them with another owner's key (P15)", async () => {
    await using bench = await Bench.open({ seed })
    const { now, over } = await restarted(bench, { key: 'helper' })
    await polls(bench)

    expect(now.runs).toEqual([])
    over()
  })

  it("renews none of them any more once a poll has shown that the key is somebody else's (P15)", async () => {
    await using bench = await Bench.open({ seed, switches: { identity: 'owner' } })
    const away = bench.fault({ operation: 'claim_clink' }, { status: 503 })
    const asked = () => requests(bench.emulator, 'claim_clink').filter(({ key }) => key === 'helper').length
    const { id, now, over } = await restarted(bench, { key: 'helper' }, () => asked() > 0)
    bench.send('for somebody else', { for: 'helper' })
    await now.seen('key.refused')
    const before = asked()
    away.remove()
    await now.seen('clink.leftToExpire', id)

    expect(asked()).toBe(before)
    expect(now.all('clink.leftToExpire', id)).toMatchObject([{ why: expect.stringContaining("somebody else's") }])
    expect(now.runs).toEqual([])
    over()
  })

  it('holds on at once with the same key', async () => {
    await using bench = await Bench.open({ seed })
    const { id, now, over } = await restarted(bench, {})
    await bench.completed(id)
    over()

    expect(now.all('worker.resumed')).toMatchObject([{ claims: 1, gone: 0 }])
    expect(keysThat(bench.emulator, id, 'renewed')).toEqual([])
  })

  it('knows the key by a fingerprint that is too short to be of use (P13)', async () => {
    await using bench = await Bench.open({ seed })
    const ledger = new Ledger(memoryTables())
    const over = Promise.withResolvers<void>()
    const station = bench.work(async () => await over.promise, { ledger, settings: quick })
    await station.seen('clink.started', bench.send('work'))

    expect(ledger.process.claims()).toMatchObject([{ key: expect.stringMatching(/^[\da-f]{8}$/) }])
    over.resolve()
  })
})
