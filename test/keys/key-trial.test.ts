import { describe, expect, it } from 'vitest'
import type { Emulator } from '../../src/emulator/emulator.ts'
import type { TransportResponse } from '../../src/clink/transport.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { Bench, obey, until } from '../support/harness.ts'
import { requests } from '../support/record.ts'
import { change, exchange, keysThat, seed } from '../support/key-owners.ts'

/** What an earlier process of the worker's own profile kept. */
async function ownLedger(emulator: Emulator): Promise<Ledger> {
  const ledger = new Ledger(memoryTables())
  await ledger.process.note({ identity: `${emulator.url} ap_worker` })
  return ledger
}

describe.concurrent("§8: a worker that was started with another owner's key", () => {
  it('takes the right key though it is of another kind than the wrong one', async () => {
    await using bench = await Bench.open({ seed })
    const id = bench.send('work')
    const station = bench.work(() => 'done', { key: 'alice', ledger: await ownLedger(bench.emulator) })
    await station.seen('worker.notReady')
    change(station, bench.emulator, 'worker')
    await bench.completed(id)

    expect(keysThat(bench.emulator, id, 'completed')).toEqual(['worker'])
  })

  it('is not called ready by the poll that found it out', async () => {
    await using bench = await Bench.open({ seed })
    bench.send('work')
    const station = bench.work(() => 'done', { key: 'helper', ledger: await ownLedger(bench.emulator) })
    await station.seen('worker.notReady')

    expect(station.all('worker.ready')).toEqual([])
  })

  it('runs nothing while the service does not answer whose its claims are (P15)', async () => {
    await using bench = await Bench.open({ seed, switches: { pollRecords: 'snapshot', reclaim: 'ignore' } })
    const away = bench.fault({ operation: 'claim_clink' }, { status: 503 })
    const id = bench.send('work')
    const station = bench.work(() => 'done', { key: 'helper', ledger: await ownLedger(bench.emulator) })
    const { why } = await station.seen('clink.parked', id)
    await until(() => bench.status(id) === 'pending', 'it is given back')
    away.remove()
    await station.seen('key.refused')

    expect(why).toBe('owner-unknown')
    expect(station.runs).toEqual([])
  })

  it('knows a key again that an earlier process knew to be ours, though what it asks about its claim is not answered at first', async () => {
    await using bench = await Bench.open({ seed, switches: { pollRecords: 'snapshot' } })
    const ledger = await ownLedger(bench.emulator)
    const first = bench.work(() => 'done', { ledger })
    await bench.completed(bench.send('first'))
    await first.close()
    bench.fault({ operation: 'claim_clink', times: 2 }, { status: 503 })
    const id = bench.send('second')
    const second = bench.work(() => 'done', { ledger })
    await bench.completed(id)

    expect(second.all('clink.parked')).toEqual([])
  })

  it('is found out by a list where polls do not say who claims and renewals are refused (P15)', async () => {
    await using bench = await Bench.open({ seed, switches: { pollRecords: 'snapshot', reclaim: 'refuse' } })
    const id = bench.send('work')
    const station = bench.work(() => 'done', { key: 'helper', ledger: await ownLedger(bench.emulator) })
    const { goesOn } = await station.seen('key.refused')
    await until(() => bench.status(id) === 'pending', 'it is given back')

    expect(goesOn).toBe(false)
    expect(station.runs).toEqual([])
  })
})

const select = { inbox: { claim: 'select' }, claim: { exclusive: true } } as const
const NAMED = /"claimed_by":"[^"]*",?/g

/** An answer that does not say who claims. */
const unnamed = (answer: TransportResponse): TransportResponse => ({
  ...answer,
  body: answer.body.replaceAll(NAMED, ''),
})

describe.concurrent('§8: a key on trial', () => {
  it('is found out by a list where the answers to its claims do not say who claims (select, P15)', async () => {
    await using bench = await Bench.open({ seed })
    const id = bench.send('work')
    const station = bench.work(() => 'done', {
      key: 'helper',
      ledger: await ownLedger(bench.emulator),
      settings: select,
      wrap: (inner) => ({
        send: async (request) => {
          const answer = await inner.send(request)
          return request.path.endsWith('/claim') ? unnamed(answer) : answer
        },
      }),
    })
    await station.seen('key.refused')
    await until(() => bench.status(id) === 'pending', 'it is given back')

    expect(station.runs).toEqual([])
  })

  it('that was current before is not what the worker goes back to when it is refused (P10)', async () => {
    await using bench = await Bench.open({ seed })
    const station = bench.work(() => 'done', { key: 'helper', ledger: await ownLedger(bench.emulator) })
    await station.seen('worker.ready')
    await exchange(station, bench.emulator, 'next')
    await exchange(station, bench.emulator, 'helper')
    const id = bench.send('work')
    const { goesOn } = await station.seen('key.refused')
    await station.seen('worker.notReady')
    await until(() => bench.status(id) === 'pending', 'it is given back')

    expect(goesOn).toBe(false)
    expect(keysThat(bench.emulator, id, 'claimed')).toEqual(['helper'])
  })

  it('says nothing in the name of its owner for a clink that the suspended key before has claimed (P15)', async () => {
    await using bench = await Bench.open({ seed })
    const gate = Promise.withResolvers<void>()
    const station = bench.work(async (_, ctx) => {
      await gate.promise
      await ctx.reply('half of it', { to: 'group' })
    })
    const id = bench.send('work')
    await station.seen('clink.started', id)
    change(station, bench.emulator, 'helper')
    await station.seen('key.changed')
    bench.emulator.suspendKey('worker')
    gate.resolve()
    await station.seen('clink.ended', id)

    expect(bench.emulator.clinks().map(({ clink_id }) => clink_id)).toEqual([id])
  })
})

describe.concurrent('§8: what a stranger’s key has listed', () => {
  it('is not claimed with our own: it may be for the stranger (select, P15)', async () => {
    await using bench = await Bench.open({ seed })
    const gate = Promise.withResolvers<undefined>()
    const station = bench.work(async ({ content }) => void (content === 'busy' && (await gate.promise)), {
      ledger: await ownLedger(bench.emulator),
      settings: { concurrency: 1, ...select },
    })
    await station.seen('clink.started', bench.send('busy'))
    const open = bench.send('for anybody')
    const theirs = bench.emulator.send('ops', 'for the stranger', { for: 'helper' }).clink_id
    change(station, bench.emulator, 'helper')
    await station.seen('key.changed')
    gate.resolve(undefined)
    await station.seen('key.refused')
    await bench.completed(open)

    expect(keysThat(bench.emulator, open, 'claimed')).toEqual(['helper', 'worker'])
    expect([bench.status(theirs), station.runsOf(theirs)]).toEqual(['pending', []])
  })
})

describe.concurrent('§8: what a stranger’s key has claimed', () => {
  it('is not run where the answer does not tell whose the claim is, and another one has (select, P15)', async () => {
    await using bench = await Bench.open({ seed })
    const ids = [bench.send('one'), bench.send('two')]
    const answered: string[] = []
    const station = bench.work(() => 'done', {
      key: 'helper',
      ledger: await ownLedger(bench.emulator),
      settings: select,
      wrap: (inner) => ({
        send: async (request) => {
          const answer = await inner.send(request)
          if (!request.path.endsWith('/claim')) return answer
          answered.push(answer.body)
          if (answered.length === 1) return answer
          await station.seen('key.refused')
          return unnamed(answer)
        },
      }),
    })
    await until(() => answered.length === 2, 'both are claimed')
    await until(() => ids.every((id) => bench.status(id) === 'pending'), 'both are given back')

    expect(station.runs).toEqual([])
  })
})

describe.concurrent('§8: what a refused key has given back', () => {
  it('is not claimed once more in another form (select, P15)', async () => {
    await using bench = await Bench.open({ seed })
    // The service's refusal of a length: the worker asks for none from then on.
    const slow = bench.fault({ operation: 'claim_clink', nth: 1 }, { delayBefore: 500, status: 400 })
    const ids = [bench.send('one'), bench.send('two')]
    const station = bench.work(() => 'done', {
      key: 'helper',
      ledger: await ownLedger(bench.emulator),
      settings: { inbox: { claim: 'select' }, claim: { timeout: 60_000, exclusive: true } },
    })
    await station.seen('key.refused')
    await until(() => slow.hits === 1 && station.all('poll.succeeded').length === 1, 'both are answered')

    expect(ids.flatMap((id) => keysThat(bench.emulator, id, 'claimed'))).toEqual(['helper'])
  })

  it('and whose release is not answered is said to be left to expire (select, P1)', async () => {
    await using bench = await Bench.open({ seed })
    const away = bench.fault({ operation: 'release_clink' }, { status: 503 })
    const id = bench.send('work')
    const station = bench.work(() => 'done', {
      key: 'helper',
      ledger: await ownLedger(bench.emulator),
      settings: select,
    })
    const { why } = await station.seen('clink.leftToExpire', id)
    expect([away.hits, bench.status(id)]).toEqual([1, 'claimed'])
    expect(why).toMatch(/claimed for another owner, and .*503/)
  })

  it('is left to expire where the claim has ended by then (select, P2)', async () => {
    await using bench = await Bench.open({ seed })
    const id = bench.send('work')
    const station = bench.work(() => 'done', {
      key: 'helper',
      ledger: await ownLedger(bench.emulator),
      settings: { inbox: { claim: 'select' }, claim: { timeout: 1_000, exclusive: true } },
      wrap: (inner) => ({
        send: async (request) => {
          const answer = await inner.send(request)
          if (request.path.endsWith('/claim')) await until(() => bench.status(id) === 'pending', 'the claim has ended')
          return answer
        },
      }),
    })
    const { why } = await station.seen('clink.leftToExpire', id)

    expect(why).toMatch(/claimed for another owner, and /)
    expect(requests(bench.emulator, 'release_clink')).toEqual([])
  })

  it('is claimed with a good one at once, though a list of what is new does not show it (select, P1)', async () => {
    await using bench = await Bench.open({ seed })
    const station = bench.work(() => 'done', {
      settings: {
        inbox: { claim: 'select' },
        claim: { timeout: 60_000, exclusive: true },
      },
    })
    await bench.completed(bench.send('so that it knows who it is'))
    bench.emulator.suspendKey('worker')
    await station.seen('worker.notReady')
    const old = bench.send('old')
    bench.emulator.moveClock(5_000)
    const fresh = bench.send('fresh')
    change(station, bench.emulator, 'helper')
    await station.seen('key.refused')
    await until(() => bench.status(old) === 'pending' && bench.status(fresh) === 'pending', 'both are given back')
    change(station, bench.emulator, 'next')
    await bench.completed([old, fresh])

    expect(keysThat(bench.emulator, old, 'claimed')).toEqual(['helper', 'next'])
  })
})

it("a strange key is not proven by a claim that names nobody where others name their owners: the worker's own one is taken after it (§8)", async () => {
  await using bench = await Bench.open({ seed })
  const station = bench.work(() => 'done', {
    wrap: (inner) => ({
      async send(request) {
        const answer = await inner.send(request)
        if (!answer.body.includes('"odd"')) return answer
        return { ...answer, body: answer.body.replaceAll(/"claimed_by":"[^"]*"/g, '"claimed_by":null') }
      },
    }),
    settings: { inbox: { claim: 'batch' } },
  })
  await bench.completed(bench.send('so that it knows who it is'))
  bench.fault({ operation: 'get_my_permissions', times: 1 }, { status: 403 })
  await exchange(station, bench.emulator, 'alice')
  const odd = bench.send('odd')
  await until(() => bench.status(odd) !== 'pending', 'the strange key has claimed it')
  await station.seen('clink.claimed', odd)
  change(station, bench.emulator, 'next')
  await until(() => station.all('key.changed').length + station.all('key.refused').length > 1, 'the own key is judged')

  expect(station.all('key.refused')).toEqual([])
})

it('a strange key that passed for ours, since no claim named anybody, is found out by the first that does, and what runs for it is aborted (select, P15, P1)', async () => {
  await using bench = await Bench.open({ seed })
  const odd = bench.send('odd')
  const station = bench.work(async (_, ctx) => await obey(ctx), {
    key: 'helper',
    ledger: await ownLedger(bench.emulator),
    settings: select,
    wrap: (inner) => ({
      async send(request) {
        const answer = await inner.send(request)
        return answer.body.includes('"odd"') ? unnamed(answer) : answer
      },
    }),
  })
  await station.seen('clink.started', odd)
  const plain = bench.send('plain')
  const { goesOn } = await station.seen('key.refused')
  const { cause } = await station.seen('clink.lost', odd)
  await until(() => bench.status(plain) === 'pending', 'it is given back')
  await until(() => station.runs[0]?.aborted !== undefined, 'the run is aborted')

  expect(goesOn).toBe(false)
  expect(cause).toBe('taken')
  expect(station.runs.map(({ aborted, content }) => [content, aborted?.code])).toEqual([['odd', 'lease-lost']])
})
