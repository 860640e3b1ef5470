import { describe, expect, it } from 'vitest'
import type { FaultAction } from '../../../src/emulator/emulator.ts'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { Bench, take, until, type Run, type Station } from '../../support/harness.ts'
import { leapingClock } from '../../support/leaping-clock.ts'
import { requests, requestsFor, story, times } from '../../support/record.ts'

const select = { inbox: { claim: 'select' } } as const
const isNotOther = ({ content }: { readonly content: string }): boolean => content !== 'other'

/** Clinks that were claimed at some time. */
function touched(bench: Bench, ids: readonly string[]): string[] {
  return ids.filter((id) => story(bench.emulator, id).includes('claimed'))
}

/** Runs of one clink that overlap, in whichever worker. */
function overlaps(stations: readonly Station[]): Run[] {
  const runs = stations.flatMap((station) => station.runs)
  return runs.filter((one) =>
    runs.some(
      (other) =>
        other !== one && other.id === one.id && other.start >= one.start && other.start < (one.end ?? Infinity),
    ),
  )
}

describe.concurrent('§1: the verdict, found out while polls claim', () => {
  it.for([
    ['session', 'renew', 'refused'],
    ['session', 'refuse', 'refused'],
    ['session', 'ignore', 'refused'],
    ['key', 'renew', 'granted'],
    ['key', 'refuse', 'refused'],
    ['key', 'ignore', 'granted'],
    ['owner', 'renew', 'granted'],
    ['owner', 'refuse', 'refused'],
    ['owner', 'ignore', 'granted'],
  ] as const)(
    'identity %s, reclaim %s: %s; its clink is run once, at once only after refused (P3)',
    async ([identity, reclaim, verdict]) => {
      await using bench = await Bench.open({ switches: { identity, reclaim, defaultTimeout: 3 } })
      // What has no route is a reason to want claims by id.
      bench.send('other')
      const station = bench.work(() => 'done', { takes: isNotOther })
      await station.seen('clink.parked')
      const id = bench.send('finds it out')
      await bench.completed(id)

      expect(station.all('worker.siblings').map((found) => found.verdict)).toEqual([verdict])
      expect(station.runsOf(id)).toHaveLength(1)
      const once = ['created', 'claimed', 'completed']
      const twice = ['created', 'claimed', 'expired', 'claimed', 'completed']
      expect(story(bench.emulator, id)).toEqual(verdict === 'refused' ? once : twice)
    },
  )

  it('is found on one clink of a page, and the others are not kept by it', async () => {
    await using bench = await Bench.open({ switches: { identity: 'key' } })
    bench.send('other')
    bench.fault({ operation: 'claim_clink', nth: 1 }, { delayAfter: 1_000 })
    const station = bench.work(() => 'done', { takes: isNotOther })
    await station.seen('clink.parked')
    const fault = bench.fault({ operation: 'check_inbox' }, { status: 503 })
    const ids = bench.sendMany(4)
    fault.remove()
    await station.seen('worker.siblings')
    await until(() => station.all('clink.completed').length === 3, 'three are completed')

    const asked = ids.filter((id) =>
      requestsFor(bench.emulator, id).some(({ operation }) => operation === 'claim_clink'),
    )
    expect(asked).toHaveLength(1)
    expect(station.all('clink.leftToExpire').map(({ clink }) => clink.clink_id)).toEqual(asked)
  })
})

describe.concurrent('§1: an answer that says neither', () => {
  it.for<[string, FaultAction]>([
    ['500', { status: 500 }],
    ['500 after the effect', { status: 500, effect: true }],
    ['429', { status: 429, headers: { 'retry-after': '0' } }],
    ['400', { status: 400 }],
    ['403 under every session, since the key may claim no more', { status: 403 }],
    ['a cut', { cut: 'after' }],
    ['no answer', { hang: 'before' }],
  ])(
    '(%s) and stays is unknown: one clink is left to run out, no other is claimed, and it is tried again later',
    async ([, effect]) => {
      await using bench = await Bench.open()
      const ids = bench.sendMany(5)
      const fault = bench.fault({ operation: 'claim_clink', from: 2 }, effect)
      const clock = leapingClock()
      const settings = { ...select, claim: { timeout: 60_000 }, clink: { timeout: 1_500 } }
      const station = bench.work(() => 'done', { settings, clock })
      await until(() => fault.hits > 0, 'the second session has asked')
      clock.leap(30_000)
      expect((await station.seen('worker.siblings')).verdict).toBe('unknown')
      const { reason, advice } = await station.seen('worker.notReady')

      expect(reason).toContain('inbox.claim: select')
      expect(advice).toContain('claim.exclusive')
      expect(touched(bench, ids)).toHaveLength(1)
      expect(station.runs).toEqual([])

      fault.remove()
      const [first = ''] = touched(bench, ids)
      clock.leap(120_000)
      await bench.completed(ids.filter((id) => id !== first))
      expect(station.all('worker.siblings').map(({ verdict }) => verdict)).toEqual(['unknown', 'refused'])
      expect(station.runsOf(first)).toEqual([])
      expect(times(bench.emulator, first, 'claimed')).toBe(1)
    },
  )

  it('comes back when its claim has run out, and is worked once', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    const id = bench.send('work')
    const fault = bench.fault({ operation: 'claim_clink', from: 2 }, { status: 500 })
    const clock = leapingClock()
    const settings = { ...select, claim: { timeout: 2_000 }, poll: { sweep: 300 } }
    const station = bench.work(() => 'done', { settings, clock })
    await station.seen('clink.leftToExpire', id)
    fault.remove()
    await until(() => bench.status(id) === 'pending', 'it has run out')
    clock.leap(120_000)
    await bench.completed(id)

    expect(station.runsOf(id)).toHaveLength(1)
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'expired', 'claimed', 'completed'])
  })

  it('that never changes keeps no clink from its work: what was tried on in vain runs when a poll brings it again', async () => {
    await using bench = await Bench.open({ switches: { refusals: 'bare', defaultTimeout: 2 } })
    bench.send('other')
    const clock = leapingClock()
    const station = bench.work(() => 'done', { takes: isNotOther, clock })
    await station.seen('clink.parked')
    const id = bench.send('work')
    await station.seen('clink.leftToExpire', id)
    clock.leap(120_000)
    await bench.completed(id)

    expect(station.all('worker.siblings').map(({ verdict }) => verdict)).toEqual(['unknown'])
    expect(station.runsOf(id)).toHaveLength(1)
  })

  it('a length that the service does not take is left out, and says nothing about sessions', async () => {
    await using bench = await Bench.open({ switches: { maxTimeout: 'reject:1' } })
    bench.send('other')
    const station = bench.work(() => 'done', { takes: isNotOther })
    await station.seen('clink.parked')
    const id = bench.send('work')
    await bench.completed(id)

    expect(station.all('worker.siblings').map(({ verdict }) => verdict)).toEqual(['refused'])
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
  })

  it.for<[string, FaultAction]>([
    ['a 403 page', { status: 403, body: '<html>' }],
    ['a 409 page', { status: 409, body: '<html>' }],
    ['a 409 without the envelope', { status: 409, body: { error: 'conflict' } }],
    ['a 503', { status: 503 }],
    ['a cut', { cut: 'before' }],
    ['a cut after the effect', { cut: 'after' }],
    ['a 429', { status: 429 }],
  ])('(%s) is asked again on the same clink, which then runs at once', async ([, effect]) => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    bench.fault({ operation: 'claim_clink', nth: 2 }, effect)
    const station = bench.work(() => 'done', { settings: select })
    await bench.completed(id)

    expect(station.all('worker.siblings').map(({ verdict }) => verdict)).toEqual(['refused'])
    expect(station.all('clink.leftToExpire')).toEqual([])
    expect(story(bench.emulator, id).filter((what) => what !== 'renewed')).toEqual(['created', 'claimed', 'completed'])
  })

  it.for<[string, FaultAction]>([
    ['a 403 page', { status: 403, body: '<html>' }],
    ['a 409 page after the effect', { status: 409, body: '<html>', effect: true }],
    ['a 403 without the envelope', { status: 403, body: { message: 'Forbidden' } }],
    ['a cut after the effect', { cut: 'after' }],
  ])('(%s) is never taken for a refusal: siblings that are granted are found out', async ([, effect]) => {
    await using bench = await Bench.open({ switches: { identity: 'key' } })
    const id = bench.send('work')
    bench.fault({ operation: 'claim_clink', nth: 2 }, effect)
    const station = bench.work(() => 'done', { settings: select })
    await station.seen('worker.notReady')

    expect(station.all('worker.siblings').map(({ verdict }) => verdict)).toEqual(['granted'])
    expect(station.runsOf(id)).toEqual([])
  })

  it('a 403 that the second session alone gets is a refusal', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    bench.fault({ operation: 'claim_clink', nth: 2 }, { status: 403 })
    const station = bench.work(() => 'done', { settings: select })
    await bench.completed(id)

    expect(station.all('worker.siblings').map(({ verdict }) => verdict)).toEqual(['refused'])
    expect(station.runsOf(id)).toHaveLength(1)
  })

  it('a person who completes the clink meanwhile is no refusal, though siblings would be refused', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    bench.fault({ operation: 'claim_clink', nth: 2 }, { delayBefore: 600 })
    const station = bench.work(() => 'done', { settings: select })
    await until(() => requests(bench.emulator, 'claim_clink').length === 2, 'the second session asks')
    const by = { by: 'user_bob', key: 'bob', session: 'web', at: bench.emulator.now() }
    bench.emulator.changeClink(id, { status: 'completed', completed: by })

    expect((await station.seen('worker.siblings')).verdict).toBe('unknown')
    expect(station.runs).toEqual([])
  })
})

/** What an earlier worker remembers, which has found out that siblings are granted. */
async function foundGranted(bench: Bench): Promise<Ledger> {
  const ledger = new Ledger(memoryTables())
  bench.send('finds it out')
  const first = bench.work(() => 'done', { settings: select, ledger })
  await first.seen('worker.notReady')
  await first.close()
  return ledger
}

describe.concurrent('§1: a verdict that is known', () => {
  it('granted is kept over a restart: what needs claims by id claims nothing at all', async () => {
    await using bench = await Bench.open({ switches: { identity: 'key' } })
    const ledger = await foundGranted(bench)
    const ids = bench.sendMany(3)
    const second = bench.work(() => 'done', { settings: { inbox: { groups: ['ops'] } }, ledger })
    const { reason } = await second.seen('worker.notReady')

    expect(reason).toContain('inbox.groups')
    expect(second.all('worker.ready')).toEqual([])
    expect(touched(bench, ids)).toEqual([])
  })

  it('is about one service, and found out anew at another', async () => {
    const ledger = new Ledger(memoryTables())
    await using one = await Bench.open({ switches: { identity: 'key' } })
    one.send('finds it out')
    const first = one.work(() => 'done', { settings: select, ledger })
    expect((await first.seen('worker.siblings')).verdict).toBe('granted')
    await first.close()
    await using two = await Bench.open()
    const id = two.send('work')
    const second = two.work(() => 'done', { settings: select, ledger })
    await two.completed(id)

    expect(second.all('worker.siblings').map(({ verdict }) => verdict)).toEqual(['refused'])
  })

  it('claim.exclusive goes before a verdict that was granted', async () => {
    await using bench = await Bench.open({ switches: { identity: 'key' } })
    const ledger = await foundGranted(bench)
    const ids = bench.sendMany(3)
    const second = bench.work(() => 'done', { settings: { ...select, claim: { exclusive: true } }, ledger })
    await bench.completed(ids)

    expect(second.all('worker.siblings')).toEqual([])
  })
})

describe.concurrent('P3: two workers with one key', () => {
  it.for([
    ['select, siblings refused', 'session', 'select'],
    ['auto, siblings refused', 'session', 'auto'],
    ['auto, siblings granted', 'key', 'auto'],
  ] as const)('%s: no clink runs twice at once, though answers get lost', async ([, identity, claim]) => {
    await using bench = await Bench.open({ switches: { identity, defaultTimeout: 3 } })
    const ids = bench.sendMany(24)
    bench.send('other')
    bench.fault({ operation: 'claim_clink', every: 9 }, { cut: 'after' })
    bench.fault({ operation: 'check_inbox', every: 10 }, { cut: 'after' })
    const options = {
      takes: isNotOther,
      settings: { inbox: { claim }, claim: { timeout: 4_000 }, poll: { sweep: 500 } },
    }
    const one = bench.work(async (_, ctx) => await take(40, ctx), options)
    const two = bench.work(async (_, ctx) => await take(40, ctx), options)
    await bench.completed(ids)

    expect(overlaps([one, two])).toEqual([])
    expect(one.all('worker.failed')).toEqual([])
    expect(two.all('worker.failed')).toEqual([])
  })
})
