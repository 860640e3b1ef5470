import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { ClinkClient } from '../../../src/clink/client.ts'
import { Bench, until, type Station } from '../../support/harness.ts'
import { isLookForClaims, requests, requestsFor, times } from '../../support/record.ts'
import { VirtualBench } from '../../support/virtual.ts'

const failure = { success: false, error: 'internal', message: 'no' }
const alone = { claim: { exclusive: true } } as const

/** A worker that has claimed before, so that it knows who it is and what the service's clock says. */
async function begun(bench: Bench, settings: object, handle: () => unknown = () => 'done'): Promise<Station> {
  const station = bench.work(
    async () => {
      await handle()
    },
    { settings },
  )
  await bench.completed(bench.send('first'))
  return station
}

describe.concurrent('P7, §3: what a claiming poll whose answer was lost has claimed', () => {
  it.for([
    ['500 after the effect', { status: 500, effect: true }],
    ['408 after the effect', { status: 408, effect: true }],
    ['a cut after the effect', { cut: 'after' }],
    ['half an answer', { truncate: 25 }],
    ['success: false', { replaceBody: JSON.stringify(failure) }],
    ['no answer', { hang: 'after' }],
  ] as const)('(%s) is taken up where nobody else uses the key, long before the claims run out', async ([, effect]) => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 300 } })
    const timeout = 'hang' in effect ? 1_500 : 5_000
    const station = await begun(bench, { ...alone, clink: { timeout } })
    const fault = bench.fault({ operation: 'check_inbox', times: 1 }, effect)
    const ids = bench.sendMany(3)
    await bench.completed(ids)

    expect(fault.hits).toBe(1)
    for (const id of ids) {
      expect(station.runsOf(id)).toHaveLength(1)
      expect(times(bench.emulator, id, 'claimed')).toBe(1)
      expect(station.all('clink.takenUp', id).length).toBeLessThanOrEqual(1)
    }
    expect(station.all('clink.takenUp').length).toBeGreaterThan(0)
  })

  it('is taken up where siblings are refused, which the next clink finds out', async () => {
    await using bench = await Bench.open()
    const station = await begun(bench, {})
    bench.fault({ operation: 'check_inbox', times: 1 }, { cut: 'after' })
    const lost = bench.sendMany(2)
    await station.seen('poll.lost')
    await bench.completed(bench.send('finds it out'))
    await bench.completed(lost)

    expect(station.all('worker.siblings').map(({ verdict }) => verdict)).toEqual(['refused'])
    for (const id of lost) expect(station.runsOf(id)).toHaveLength(1)
  })

  it('is not run again where it was released meanwhile, and a poll has brought it, and it was done before the claim was answered (P3, P5)', async () => {
    await using bench = await Bench.open()
    let id: string | undefined
    const gate = Promise.withResolvers<undefined>()
    const handle = async ({ content }: { readonly content: string }): Promise<string> => {
      if (content === 'keeps its slot while a poll is lost') await gate.promise
      return 'done'
    }
    const station = bench.work(handle, {
      settings: { ...alone, concurrency: 2 },
      wrap: (inner) => ({
        send: async (request) => {
          const answer = await inner.send(request)
          if (id === undefined || !request.path.endsWith(`/${id}/claim`)) return answer
          await inner.send({ ...request, path: request.path.replace(/claim$/, 'release'), body: '{}' })
          gate.resolve(undefined)
          await station.seen('clink.completed', id)
          return answer
        },
      }),
    })
    await bench.completed(bench.send('first'))
    await station.seen('clink.started', bench.send('keeps its slot while a poll is lost'))
    const fault = bench.fault({ operation: 'check_inbox', query: { claim: 'true' }, times: 1 }, { cut: 'after' })
    id = bench.send('lost')
    await station.seen('clink.takenUp', id)
    await bench.completed(bench.send('last'))

    expect(fault.hits).toBe(1)
    expect(station.runsOf(id)).toHaveLength(1)
  })

  it('is not mixed up with what a poll claims whose answer is on its way: that is its own (P3, P4)', async () => {
    await using bench = await Bench.open()
    const gate = Promise.withResolvers<undefined>()
    let held = 0
    let holds = false
    const station = bench.work(() => 'done', {
      settings: { ...alone, poll: { interval: 20, maxInterval: 50 } },
      wrap: (inner) => ({
        send: async (request) => {
          const answer = await inner.send(request)
          if (holds && request.path.includes('claim=true')) {
            held += 1
            await gate.promise
          }
          return answer
        },
      }),
    })
    await bench.completed(bench.send('first'))
    bench.fault({ operation: 'check_inbox', times: 1 }, { cut: 'after' })
    const lost = bench.send('lost')
    await station.seen('poll.lost')
    holds = true
    const other = bench.send('other')
    await until(() => held === 1 && bench.status(other) === 'claimed', 'a poll has claimed the other one')
    const looks = requests(bench.emulator, 'check_inbox').filter(isLookForClaims).length
    await delay(600)
    expect(requests(bench.emulator, 'check_inbox').filter(isLookForClaims)).toHaveLength(looks)
    gate.resolve(undefined)
    await bench.completed([lost, other])

    expect(station.all('clink.takenUp', other)).toEqual([])
    expect(station.runsOf(other)).toHaveLength(1)
  })

  it('is left to run out where a claim by id could take a sibling’s work (P3)', async () => {
    await using bench = await Bench.open({ switches: { identity: 'key', defaultTimeout: 3 } })
    const station = await begun(bench, {})
    bench.fault({ operation: 'check_inbox', times: 1 }, { cut: 'after' })
    const lost = bench.sendMany(2)
    await station.seen('poll.lost')
    bench.send('finds it out')
    await station.seen('worker.siblings')
    await bench.completed(lost)

    expect(station.all('clink.takenUp')).toEqual([])
    for (const id of lost) expect(times(bench.emulator, id, 'claimed')).toBe(2)
  })

  it.for([
    ['a refusal', { status: 400 }],
    ['a redirection', { status: 302 }],
    ['too many requests', { status: 429, headers: { 'retry-after': '0' } }],
  ] as const)('(%s) is nothing, and is not looked for', async ([, effect]) => {
    await using bench = await Bench.open()
    const station = await begun(bench, alone)
    const looks = () => requests(bench.emulator, 'check_inbox').filter(isLookForClaims)
    const before = looks().length
    bench.fault({ operation: 'check_inbox', times: 1 }, effect)
    await station.seen('poll.failed')
    await bench.completed(bench.sendMany(3))

    expect(looks()).toHaveLength(before)
    expect(station.daemon.snapshot().maybeClaimed).toBe(0)
  })

  it('keeps as many slots free while it is looked for (P6)', async () => {
    await using bench = await Bench.open({ switches: { claimedVisible: 'no' } })
    const station = await begun(bench, { ...alone, concurrency: 3 })
    bench.fault({ operation: 'check_inbox', times: 1 }, { cut: 'after' })
    bench.sendMany(2)
    await station.seen('poll.lost')

    // The slot of the first may not be free again when the poll is sent.
    const [asked = 0] = station.all('poll.lost').map(({ asked: count }) => count)
    expect(asked).toBeGreaterThan(1)
    expect(station.daemon.snapshot().maybeClaimed).toBe(asked)
  })

  it('is not taken for lost work when a handler claimed it by a client of its own', async () => {
    await using bench = await Bench.open()
    let theirs = ''
    const looks = () => requests(bench.emulator, 'check_inbox').filter(isLookForClaims)
    const station = bench.work(
      async ({ content }) => {
        if (content !== 'claims') return
        const before = looks().length
        bench.fault({ operation: 'check_inbox', times: 1 }, { delayBefore: 500, cut: 'after' })
        theirs = bench.send('theirs')
        const own = new ClinkClient({ key: bench.emulator.key, url: bench.emulator.url })
        await own.claimClink({ clink_id: theirs })
        own.close()
        await until(() => looks().length > before + 2, 'it is looked for')
      },
      { settings: { ...alone, concurrency: 2 } },
    )
    await bench.completed(bench.send('first'))
    await bench.completed(bench.send('claims'))

    expect(station.all('poll.lost')).toHaveLength(1)
    expect(station.all('clink.takenUp')).toEqual([])
    expect(station.runsOf(theirs)).toEqual([])
    expect(bench.status(theirs)).toBe('claimed')
  })

  it.for([
    ['moves', 'none', 300],
    ['stays', 'none', 300],
    ['stays', 'cap:2', 300],
    ['moves', 'cap:2', 300],
    ['stays', 'reject:2', 2],
    ['stays', 'none', 2],
  ] as const)(
    'has a lease that ends before the claim does: claimed_at %s, longest claim %s, a poll’s claim %i s (P2)',
    async ([claimedAtOnRenew, maxTimeout, defaultTimeout]) => {
      await using bench = await Bench.open({ switches: { claimedAtOnRenew, maxTimeout, defaultTimeout } })
      const station = await begun(bench, { ...alone, claim: { exclusive: true, timeout: 30_000 } })
      bench.fault({ operation: 'check_inbox', times: 1 }, { cut: 'after' })
      const id = bench.send('work')
      const { lease } = await station.seen('clink.claimed', id)
      const at =
        requestsFor(bench.emulator, id).findLast(({ operation }) => operation === 'claim_clink')?.at ?? Infinity
      const expires = bench.emulator.clink(id)?.claim?.expires ?? 0
      await bench.completed(id)

      expect(station.all('clink.takenUp', id)).toHaveLength(1)
      expect(lease).toBeLessThan(expires - at)
      await until(() => station.runsOf(id).length === 1, 'one run')
    },
  )

  it('is left alone where the answers carry no times: nothing tells how long the claim lasts (P2)', async () => {
    await using bench = await Bench.open({ switches: { claimTimes: 'absent', defaultTimeout: 2 } })
    const station = await begun(bench, { ...alone, claim: { exclusive: true, timeout: 2_000 } })
    bench.fault({ operation: 'check_inbox', times: 1 }, { cut: 'after' })
    const id = bench.send('work')
    await bench.completed(id)

    expect(station.all('clink.takenUp')).toEqual([])
    expect(times(bench.emulator, id, 'claimed')).toBe(2)
  })
})

it('P4, §3: what a poll claims that was begun while a look for lost claims was on its way is its own too, and is not claimed beside it', async () => {
  let isLost = false
  let id: string | undefined
  const polled = Promise.withResolvers<void>()
  const bench = new VirtualBench({
    settings: { ...alone, concurrency: 2, poll: { interval: 100, maxInterval: 200 } },
    weather: ({ path }) => {
      if (!isLost || !path.includes('claim=true')) return undefined
      isLost = false
      return 'reset'
    },
    spoil: (inner) => ({
      send: async (request) => {
        const isLook = request.path.includes('status=claimed') && bench.all('poll.lost').length > 0
        if (isLook) {
          id ??= bench.send('claimed while the look is on its way')
          await polled.promise
        }
        const answer = await inner.send(request)
        if (id === undefined || !request.path.includes('claim=true') || !answer.body.includes(id)) return answer
        polled.resolve()
        await new Promise<void>((resolve) => bench.time.at(bench.time.now + 1_000, resolve))
        return answer
      },
    }),
    handle: async ({ content }, { signal }) => {
      if (content === 'keeps its slot while a poll is lost') await bench.take(5_000, signal)
      return 'done'
    },
  })
  bench.send('first')
  await bench.pass(1_000)
  bench.send('keeps its slot while a poll is lost')
  await bench.pass(1_000)
  isLost = true
  await bench.pass(60_000)

  expect(bench.all('poll.lost')).toHaveLength(1)
  expect(bench.all('clink.completed').map(({ clink }) => clink.clink_id)).toContain(id)
  expect(bench.sent.filter(({ path }) => path.endsWith('/claim'))).toEqual([])
  await bench.stop()
})

describe('P6, §3: a claim on its way for what a lost poll has claimed', () => {
  it('keeps a slot free until it is answered, though lost claims are looked for no more', async () => {
    let isLost = false
    const bench = new VirtualBench({
      settings: { ...alone, concurrency: 2 },
      weather: (request) => {
        if (request.path.endsWith('/claim')) return 'hang'
        if (!isLost || !request.path.includes('claim=true')) return undefined
        isLost = false
        void bench.emulator.handle(request)
        return 'reset'
      },
      handle: async () => await Promise.resolve('done'),
    })
    bench.send('first')
    await bench.pass(2_000)
    bench.send('lost')
    isLost = true
    await bench.pass(25_000)
    const claim = bench.sent.find(({ path }) => path.endsWith('/claim'))
    const lost = bench.all('poll.lost').map(({ asked }) => asked)
    const polls = bench.sent.filter(({ path, at }) => path.includes('claim=true') && at > (claim?.at ?? Infinity))

    expect(lost).toEqual([2])
    expect(polls.length).toBeGreaterThan(1)
    expect(polls.filter(({ path }) => !path.includes('limit=1&') && !path.endsWith('limit=1'))).toEqual([])
    await bench.stop()
  })
})
