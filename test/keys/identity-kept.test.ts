import { describe, expect, it } from 'vitest'
import { Identity, keepIdentity, keptIdentity } from '../../src/keys/identity.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { Bench, until, type Station } from '../support/harness.ts'
import { keysThat, seed } from '../support/key-owners.ts'
import { claimingPolls, story } from '../support/record.ts'

const quick = { poll: { interval: 20, maxInterval: 50 } }

/** What a worker with the usual key leaves that has worked one clink. */
async function usedLedger(bench: Bench): Promise<Ledger> {
  const ledger = new Ledger(memoryTables())
  const station = bench.work(() => 'done', { ledger, settings: quick })
  await bench.completed(bench.send('the first'))
  await station.daemon.stop('test')
  return ledger
}

async function polls(bench: Bench, count: number): Promise<void> {
  const before = claimingPolls(bench.emulator).length
  await until(() => claimingPolls(bench.emulator).length >= before + count, `${count} polls`)
}

function reasons(station: Station): string[] {
  return station.all('worker.notReady').map(({ reason }) => reason)
}

describe.concurrent('§8: who we are', () => {
  it('is kept, and the next process need not learn it', async () => {
    await using bench = await Bench.open({ seed })
    const ledger = await usedLedger(bench)
    const station = bench.work(() => 'done', { ledger, settings: quick })
    await bench.completed(bench.send('the second'))

    expect(keptIdentity(ledger, bench.emulator.url)).toBe('ap_worker')
    expect(station.all('worker.identity')).toEqual([])
    expect(station.all('key.refused')).toEqual([])
  })

  it('is learnt from what a handler sends, where claims do not tell', async () => {
    await using bench = await Bench.open({ seed, switches: { pollRecords: 'snapshot' } })
    const station = bench.work(
      async ({ group_id }, ctx) => {
        await ctx.api.sendClink({ group_id, content: 'for you', for: 'user_bob' })
      },
      { settings: quick },
    )
    await bench.completed(bench.send('work'))

    expect(station.all('worker.identity')).toMatchObject([{ identity: 'ap_worker', learntFrom: /handler/ }])
  })

  it('to one service says nothing about another', async () => {
    const ledger = new Ledger(memoryTables())
    await keepIdentity('an id with spaces', ledger, 'http://one')

    expect(keptIdentity(ledger, 'http://one')).toBe('an id with spaces')
    expect(keptIdentity(ledger, 'http://two')).toBeUndefined()
  })

  it('never changes once it is known', () => {
    const kept: string[] = []
    const identity = new Identity(
      undefined,
      () => {},
      (id) => kept.push(id),
    )
    identity.learn('a', 'a claim')
    identity.learn('b', 'a claim')

    expect([identity.id, kept]).toEqual(['a', ['a']])
  })
})

describe.concurrent("§8: a state directory with another owner's key", () => {
  it.for([
    ['a poll that says who claims', {}],
    ['a poll that does not', { pollRecords: 'snapshot' }],
  ] as const)('claims once, runs nothing, gives back, and says why it is not ready (%s, P1, P15)', async (variant) => {
    await using bench = await Bench.open({ seed })
    const ledger = await usedLedger(bench)
    bench.emulator.setSwitches(variant[1])
    const ids = bench.sendMany(2)
    const station = bench.work(() => 'done', { ledger, key: 'helper', settings: quick })
    await station.seen('worker.notReady')
    await until(() => ids.every((id) => story(bench.emulator, id).at(-1) === 'released'), 'all is given back')

    expect(station.all('key.refused')).toMatchObject([{ goesOn: false }])
    expect(reasons(station)).toEqual(['the key belongs to ap_helper, and this worker is ap_worker'])
    expect(station.runs).toEqual([])
    expect(ids.map((id) => keysThat(bench.emulator, id, 'claimed'))).toEqual([['helper'], ['helper']])
  })

  it('ends --once with 77 (§9)', async () => {
    await using bench = await Bench.open({ seed })
    const ledger = await usedLedger(bench)
    const id = bench.send('work')
    const station = bench.work(() => 'done', { ledger, key: 'helper', once: {}, settings: quick })

    expect(await station.ended()).toBe(77)
    expect(bench.status(id)).toBe('pending')
    expect(station.runs).toEqual([])
  })

  it('is the new owner by configuration: that counts, is said and kept', async () => {
    await using bench = await Bench.open({ seed })
    const ledger = await usedLedger(bench)
    const settings = { ...quick, clink: { url: bench.emulator.url, identity: 'ap_helper' } }
    const station = bench.work(() => 'done', { ledger, key: 'helper', settings })
    await bench.completed(bench.send('work'))

    expect(station.all('worker.identityReplaced')).toMatchObject([{ identity: 'ap_helper', before: 'ap_worker' }])
    expect(keptIdentity(ledger, bench.emulator.url)).toBe('ap_helper')
  })

  it('does not hold on to the claims of the owner before', async () => {
    await using bench = await Bench.open({ seed })
    const ledger = await usedLedger(bench)
    const id = bench.send('held by the one before')
    const hold = Promise.withResolvers<void>()
    const first = bench.work(async () => await hold.promise, { ledger, settings: quick })
    await first.seen('clink.started', id)
    const copy = new Ledger(memoryTables())
    for (const claim of ledger.process.claims()) await copy.process.hold(claim)
    await keepIdentity('ap_worker', copy, bench.emulator.url)
    const settings = { ...quick, clink: { url: bench.emulator.url, identity: 'ap_helper' } }
    const second = bench.work(() => 'done', { ledger: copy, key: 'helper', settings })
    await polls(bench, 10)
    hold.resolve()

    expect(second.runs).toEqual([])
    expect(second.all('worker.resumed')).toEqual([])
    expect(copy.process.claims()).toEqual([])
  })

  it('does not run with an identity that the configuration has wrong', async () => {
    await using bench = await Bench.open({ seed })
    const id = bench.send('work')
    const settings = { ...quick, clink: { url: bench.emulator.url, identity: 'user_bob' } }
    const station = bench.work(() => 'done', { settings })
    const { advice } = await station.seen('worker.notReady')
    await until(() => story(bench.emulator, id).at(-1) === 'released', 'it is given back')

    expect(advice).toContain('clink.identity')
    expect(station.runs).toEqual([])
  })
})
