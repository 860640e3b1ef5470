import { describe, expect, it } from 'vitest'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { Bench, take, until } from '../../support/harness.ts'
import { requestsFor, story } from '../../support/record.ts'
import { TransportError } from '../../../src/clink/transport.ts'
import { VirtualBench } from '../../support/virtual.ts'

const select = { inbox: { claim: 'select' } } as const

describe.concurrent('P3, §1: whether claims keep siblings apart', () => {
  it.for([
    ['session', 'renew'],
    ['session', 'refuse'],
    ['session', 'ignore'],
    ['key', 'refuse'],
    ['owner', 'refuse'],
  ] as const)(
    'identity %s, reclaim %s: refused, and the clink on which it was found runs',
    async ([identity, reclaim]) => {
      await using bench = await Bench.open({ switches: { identity, reclaim } })
      const ids = bench.sendMany(5)
      const station = bench.work(() => 'done', { settings: select })
      await bench.completed(ids)

      expect(station.all('worker.siblings')).toEqual([{ event: 'worker.siblings', verdict: 'refused' }])
      for (const id of ids) expect(station.runsOf(id)).toHaveLength(1)
    },
  )

  it.for([
    ['key', 'renew'],
    ['key', 'ignore'],
    ['owner', 'renew'],
  ] as const)(
    'identity %s, reclaim %s: granted; its clink does not run, and nothing else is claimed (P3)',
    async ([identity, reclaim]) => {
      await using bench = await Bench.open({ switches: { identity, reclaim } })
      const ids = bench.sendMany(5)
      const station = bench.work(() => 'done', { settings: select })
      const { reason, advice } = await station.seen('worker.notReady')

      expect(station.all('worker.siblings')).toEqual([{ event: 'worker.siblings', verdict: 'granted' }])
      expect(reason).toContain('inbox.claim: select')
      expect(advice).toContain('claim.exclusive')
      expect(ids.filter((id) => story(bench.emulator, id).includes('claimed'))).toHaveLength(1)
      expect(station.runs).toEqual([])
      expect(station.all('clink.leftToExpire')).toHaveLength(1)
    },
  )

  it('the second session never has the claim in the end: our own claims it back', async () => {
    await using bench = await Bench.open({ switches: { identity: 'key' } })
    const id = bench.send('work')
    const station = bench.work(() => 'done', { settings: select })
    await station.seen('worker.notReady')

    const sessions = requestsFor(bench.emulator, id).map(({ session }) => session)
    expect(sessions).toHaveLength(3)
    expect(sessions[0]).toBe(sessions[2])
    expect(bench.emulator.clink(id)?.claim?.session).toBe(sessions[0])
  })

  it('nothing is found out while nobody needs to know', async () => {
    await using bench = await Bench.open()
    const station = bench.work(() => 'done')
    await bench.completed(bench.sendMany(8))

    expect(station.all('worker.siblings')).toEqual([])
    expect(bench.emulator.requests().filter(({ operation }) => operation === 'claim_clink')).toEqual([])
  })

  it('it is kept over a restart, and not asked again', async () => {
    await using bench = await Bench.open()
    const ledger = new Ledger(memoryTables())
    const first = bench.work(() => 'done', { settings: select, ledger })
    await bench.completed(bench.send('one'))
    await first.close()
    const second = bench.work(() => 'done', { settings: select, ledger })
    await bench.completed(bench.send('two'))

    expect(first.all('worker.siblings')).toHaveLength(1)
    expect(second.all('worker.siblings')).toEqual([])
  })

  it('an answer that says neither as long as it is asked is unknown: the clink does not run then, and comes back', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    const id = bench.send('work')
    bench.fault({ operation: 'claim_clink', from: 2 }, { status: 500 })
    const station = bench.work(() => 'done', { settings: { ...select, claim: { timeout: 2_000 } } })
    expect((await station.seen('worker.siblings')).verdict).toBe('unknown')
    await station.seen('clink.leftToExpire', id)

    expect(station.runs).toEqual([])
  })

  it.each([
    ['completes', 'completed'],
    ['takes', 'claimed'],
  ] as const)('a person who %s the clink in that moment does not make it refused', async (_, status) => {
    await using bench = await Bench.open({ switches: { identity: 'key' } })
    const id = bench.send('work')
    bench.fault({ operation: 'claim_clink', nth: 2 }, { delayBefore: 400 })
    const station = bench.work(() => 'done', { settings: select })
    await until(() => bench.status(id) === 'claimed', 'claimed')
    const clink = bench.emulator.clink(id)
    if (clink === undefined) throw new Error('unreachable')
    const by = { by: 'user_bob', key: 'bob', session: 'web', at: bench.emulator.now() }
    const end = status === 'completed' ? { completed: by } : { claim: { ...by, expires: by.at + 60_000 } }
    bench.emulator.changeClink(id, { status, ...end })

    expect((await station.seen('worker.siblings')).verdict).toBe('unknown')
    expect(station.runs).toEqual([])
  })

  it('claim.exclusive is the operator’s word: nothing is found out, and claims by id are used', async () => {
    await using bench = await Bench.open({ switches: { identity: 'owner' } })
    const ids = bench.sendMany(4)
    const station = bench.work(() => 'done', { settings: { ...select, claim: { exclusive: true } } })
    await bench.completed(ids)

    expect(station.all('worker.siblings')).toEqual([])
    for (const id of ids) expect(station.runsOf(id)).toHaveLength(1)
  })

  it('two workers with one key share an inbox in select mode, and no clink runs twice (P3)', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(40)
    const one = bench.work(async (_, ctx) => await take(30, ctx), { settings: select })
    const two = bench.work(async (_, ctx) => await take(30, ctx), { settings: select })
    await bench.completed(ids)

    for (const id of ids) expect([...one.runsOf(id), ...two.runsOf(id)]).toHaveLength(1)
    expect(one.runs.length).toBeGreaterThan(0)
    expect(two.runs.length).toBeGreaterThan(0)
  })
})

describe('§1: a trial on a claim that the questions make shorter', () => {
  it('ends with that claim, and says so', async () => {
    let polls = 0
    let trials = 0
    const bench = new VirtualBench({
      switches: { identity: 'session', reclaim: 'renew', defaultTimeout: 300 },
      // What a lost poll may have claimed is looked for: so the trial is made, on what a poll has claimed for five minutes.
      settings: { inbox: { claim: 'auto' }, claim: { timeout: 5_000 } },
      spoil: (inner) => ({
        async send(request) {
          polls += request.path.includes('claim=true') ? 1 : 0
          if (request.path.includes('claim=true') && polls === 1) throw new TransportError('reset', 'maybe', 'reset')
          const isTrial = request.path.endsWith('/claim') && request.headers['x-clink-session-id']?.endsWith('-sibling')
          if (isTrial !== true) return await inner.send(request)
          trials += 1
          // The first is never seen, and our own session claims back for five seconds; the next one hangs.
          if (trials === 1) throw new TransportError('reset', 'maybe', 'reset')
          return await new Promise((_, reject) => {
            const end = Math.min(bench.time.now + request.timeout, request.deadline ?? Infinity)
            bench.time.at(end, () => reject(new TransportError('timeout', 'maybe', 'timeout')))
          })
        },
      }),
      handle: async () => await Promise.resolve('done'),
    })
    bench.send('work')
    await bench.pass(20_000)
    const said = bench.all('clink.leftToExpire')
    await bench.stop()

    expect(trials).toBe(2)
    expect(said).toMatchObject([{ why: 'another session may hold it (siblings: unknown)' }])
  })
})
