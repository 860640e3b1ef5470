import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { LostCause } from '../../../src/events.ts'
import { clink } from '../../support/sample-records.ts'
import { BEGIN, HandleBench } from './handle-bench.ts'

vi.mock('../../../src/worker/claim/keeper.ts', async () => ({
  LeaseKeeper: (await import('./fake-keeper.ts')).FakeKeeper,
}))

const id = clink.clink_id

let bench: HandleBench

beforeEach(async () => {
  bench = await HandleBench.started()
})

describe('a claim in hand', () => {
  it('is kept for its owner, and renewed, from its start on', async () => {
    const { handle, key, keeper, lease, owner } = bench
    expect(keeper.calls).toEqual([['start', owner]])
    expect(keeper.options).toMatchObject({ clink, claim: { key, lease }, context: bench.context, owner: handle })
    expect([handle.api, handle.deadline, handle.of]).toEqual([key.api, lease.deadline, 'claim'])
    expect([handle.isLast, handle.isReleasing, handle.releaseTried, handle.heldFor, handle.isAsleep]).toEqual([
      false,
      false,
      false,
      0,
      false,
    ])
    handle.claimedAnew(lease)
    expect(keeper.calls.slice(1)).toEqual([['claimedAnew', lease]])
  })

  it('is told with the time that it has left', async () => {
    const begun = await HandleBench.of({ route: { mark: 'never', renewFirst: true } })
    begun.now += 20
    begun.handle.start(begun.owner)
    expect(begun.events).toEqual([{ event: 'clink.claimed', clink, route: 'work', lease: 89_980 }])
    expect([begun.handle.mark, begun.keeper.options.renewsFirst]).toEqual(['never', true])
  })

  it('says at which start it is, once there is one', async () => {
    expect((await HandleBench.of()).handle.facts).toStrictEqual({ clink, route: 'work' })
    expect(bench.handle.facts).toStrictEqual({ clink, route: 'work' })
    bench.owner.attempt = 2
    expect(bench.handle.facts).toStrictEqual({ clink, route: 'work', attempt: 2 })
  })

  it('with a result of before may be completed already, and only so', async () => {
    const kept = await HandleBench.of({ before: async (ledger) => await ledger.keepResult(clink, 'kept') })
    expect([kept.handle.hasKept, kept.keeper.completing]).toEqual([true, true])
    expect([bench.handle.hasKept, bench.keeper.completing]).toEqual([false, false])
  })

  it('knows how often its handler has outlived it, also what came of it since', async () => {
    expect(bench.handle.outlived).toEqual({ times: 0, timesAbsent: false })
    bench.terms.timesAbsent = true
    await bench.ledger.outcome(id, { is: 'outlived' })
    expect(bench.handle.outlived).toEqual({ times: 1, timesAbsent: true })
  })

  it('is the last of its clink once the worker stops', () => {
    bench.handle.drain()
    expect(bench.handle.isLast).toBe(true)
  })

  it('is watched by its own pulse while it is told, and until its owner is done (P12)', () => {
    bench.handle.trying(500)
    expect(bench.pulses.expected).toEqual([{ loop: 'settlement', clinkId: id, since: 0, dueBy: -500 }])
    bench.handle.end()
    expect([bench.pulses.expected, bench.keeper.isStopped]).toEqual([[], true])
  })

  it('shares what is remembered with code of an earlier claim, until each is done', () => {
    const { memory } = bench.handle
    expect(memory.workers).toBe(1)
    bench.handle.end()
    expect(memory.workers).toBe(0)
  })
})

describe('whether a claim may be worked', () => {
  it('is known at once while it stands', () => {
    const { handle } = bench
    expect([handle.ready(), handle.valid(), handle.check()]).toEqual([true, true, true])
    bench.now += 90_000
    expect(handle.valid()).toBe(false)
    expect(bench.lost).toEqual([])
    expect([handle.ready(), handle.check()]).toEqual([false, false])
    expect(bench.lost).toMatchObject([{ is: 'lost', cause: 'expired' }])
  })

  it('is known later where a renewal has to confirm it first', async () => {
    const { handle, keeper } = bench
    keeper.doubt()
    const ready = handle.ready()
    await new Promise((resolve) => setImmediate(resolve))
    expect(ready).toBeInstanceOf(Promise)
    bench.now += 90_000
    keeper.confirm()
    expect(await ready).toBe(false)
  })

  it('is known later where a fleet has to be asked first what it remembers', async () => {
    const { handle, ledger } = bench
    vi.spyOn(ledger, 'isCurrent').mockReturnValue(false)
    const refresh = vi.spyOn(ledger, 'refresh')
    expect(await handle.ready()).toBe(true)
    expect(refresh).toHaveBeenCalledWith(handle.memory)
  })
})

describe('what is journalled of a claim', () => {
  it('is how it stands, and what its owner does with it', async () => {
    const { handle, owner } = bench
    expect(bench.journalled).toEqual({
      clink,
      route: 'work',
      running: false,
      releasing: false,
      key: 'key-1',
      boot: 'boot-1',
      sent: 50_900,
      end: 51_000 + 90_000,
      wall: bench.clock.wall() + 90_000,
      margin: 10_000,
      serverEnd: 7,
    })
    Object.assign(owner, { isRunning: true, dueAt: BEGIN + 500 })
    await handle.note()
    expect(bench.journalled).toMatchObject({ running: true, due: { uptime: 51_500 } })
  })

  it('of one that nobody has in hand yet is that nothing runs', async () => {
    const { handle, tables } = await HandleBench.of()
    await handle.note()
    expect(tables.claims.get(id)?.claim).toMatchObject({ running: false })
  })

  it('names the key that made it, until a renewal has made it ours', async () => {
    const { handle, keeper, tables } = await HandleBench.of({ madeWith: 'key-0' })
    keeper.doubt()
    await handle.note()
    expect(tables.claims.get(id)?.claim.key).toBe('key-0')
    keeper.confirm()
    await handle.note()
    expect(tables.claims.get(id)?.claim.key).toBe('key-1')
    const own = await HandleBench.of()
    own.keeper.doubt()
    await own.handle.note()
    expect(own.journalled?.key).toBe('key-1')
  })

  it('is its start, with what it ran beside', async () => {
    expect(await bench.handle.begin(true)).toBe(1)
    expect([bench.ledger.attemptsOf(id).starts, bench.ledger.process.fact('alone')]).toEqual([1, id])
    expect(await bench.handle.begin(false)).toBe(2)
  })

  it.each<[string, { readonly at: number; readonly moved: number }, boolean]>([
    ['says all', { at: 0, moved: 0 }, false],
    ['says more than half', { at: 45_000, moved: 0 }, false],
    ['says less than half', { at: 45_001, moved: 0 }, true],
    ['says too much', { at: 0, moved: -1 }, true],
  ])('is renewed where it %s of the lease', (_, { at, moved }, isNoted) => {
    const before = bench.journalled
    bench.now += at
    // A renewal that has extended the claim: it is 90 s from now on.
    const { deadline, grantedAt } = bench.lease
    bench.keeper.lease =
      moved === 0
        ? { ...bench.lease, grantedAt: grantedAt + at, deadline: deadline + at }
        : { ...bench.lease, deadline: deadline + moved }
    bench.handle.renewed()
    expect(bench.journalled !== before).toBe(isNoted)
  })

  it('is renewed where nothing is journalled yet', async () => {
    const unnoted = await HandleBench.of()
    unnoted.handle.renewed()
    expect(unnoted.journalled).toBeDefined()
  })
})

describe('a claim that ends without our doing', () => {
  const end = (cause: LostCause): void => bench.handle.ended({ is: 'lost', cause, isUnusable: false })

  it('is lost to its owner in that turn, and gone from the journal', () => {
    end('taken')
    expect(bench.lost).toEqual([{ is: 'lost', cause: 'taken', whileTelling: false, lapsedAt: undefined }])
    expect([bench.journalled, bench.handle.valid(), bench.keeper.isStopped]).toEqual([undefined, false, true])
  })

  it('is lost once', () => {
    end('taken')
    end('expired')
    expect(bench.lost).toHaveLength(1)
  })

  it('that ran out says until when it certainly stood', () => {
    bench.now += 89_999
    end('taken')
    expect(bench.lost).toMatchObject([{ lapsedAt: undefined }])
  })

  it('that ran out by its deadline says until when the service had granted it', () => {
    bench.now += 90_000
    end('expired')
    expect(bench.lost).toMatchObject([{ cause: 'expired', lapsedAt: BEGIN + 100_000 }])
  })

  it('stays journalled as one to be let go while its code runs: that may end the process', () => {
    bench.owner.isRunning = true
    end('taken')
    expect(bench.journalled).toMatchObject({ running: true, releasing: true })
  })

  it.each<[string, LostCause, number | undefined, number]>([
    ['half its time and more', 'refused', 45_000, 1],
    ['less than half its time', 'refused', 44_999, 0],
    ['no time, since it does not run', 'refused', undefined, 0],
    ['its time, but was taken away', 'taken', 90_000, 0],
  ])('has been outlived by a handler that had %s', (_, cause, age, times) => {
    bench.owner.age = age
    end(cause)
    expect(bench.handle.outlived.times).toBe(times)
  })

  it('before it was in hand is lost to nobody', async () => {
    const begun = await HandleBench.of()
    begun.handle.ended({ is: 'lost', cause: 'refused', isUnusable: false })
    begun.now += 1
    expect([begun.handle.valid(), begun.journalled]).toEqual([false, undefined])
    const left = await HandleBench.of()
    left.handle.ended({ is: 'left', why: 'nobody knows', isUnusable: false })
    expect(left.handle.valid()).toBe(false)
  })

  it('is left where nothing shows that it is ours', () => {
    bench.handle.ended({ is: 'left', why: 'nobody knows', isUnusable: false })
    expect(bench.lost).toEqual([{ is: 'left-to-expire', why: 'nobody knows' }])
    expect([bench.journalled, bench.keeper.isStopped]).toEqual([undefined, true])
  })

  it('as completed by somebody else is ours to tell of only while we tell something', async () => {
    await bench.ledger.keepResult(clink, 'kept')
    end('completed-elsewhere')
    expect(bench.ledger.late.all()).toEqual([])
  })
})
