import { beforeEach, describe, expect, it } from 'vitest'
import { Deliveries } from '../../../src/worker/delivery/deliveries.ts'
import type { Delivery } from '../../../src/worker/delivery/delivery.ts'
import { WorkerSignals } from '../../../src/worker/signals.ts'
import { clink } from '../../support/sample-records.ts'

let now: number
let signals: WorkerSignals
let said: string[]
let deliveries: Deliveries

beforeEach(() => {
  now = 1_000
  signals = new WorkerSignals()
  said = []
  signals.over.on(() => said.push('over'))
  signals.freed.on(() => said.push('freed'))
  deliveries = new Deliveries({ clock: { now: () => now, wall: () => now, at: () => () => {} }, signals })
})

/** A delivery that does what the test says. */
function delivery(id: string, more: object = {}) {
  const [settled, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const calls: unknown[] = []
  const one = {
    clink: { ...clink, clink_id: id },
    handle: { releaseTried: false, check: () => calls.push('check') },
    outcome: undefined as object | undefined,
    since: now,
    state: 'running',
    stuckSince: undefined as number | undefined,
    isComing: false,
    route: { name: 'work' },
    settled: settled.promise,
    over: over.promise,
    place: { keep: () => calls.push('keep') },
    start: (wait: unknown) => calls.push(['start', wait]),
    ...more,
  }
  return {
    calls,
    one,
    asDelivery: one as unknown as Delivery,
    settle: async (outcome?: object): Promise<void> => {
      one.outcome = outcome
      settled.resolve()
      await turn()
    },
    finish: async (): Promise<void> => {
      over.resolve()
      await turn()
    },
  }
}
const turn = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve))
function started(id: string, more: object = {}, wait?: number) {
  const made = delivery(id, more)
  deliveries.start(made.asDelivery, wait)
  return made
}
const completed = { is: 'completed' }
const lapsed = (lapsedAt: number | undefined): object => ({ is: 'lost', lapsedAt })

describe('a delivery', () => {
  it('is started, and has its claim in hand until that has ended', async () => {
    const { asDelivery, calls, settle } = started('a')
    expect([calls, deliveries.begun]).toEqual([[['start', undefined]], 1])
    expect(deliveries.withClaimOn('a')).toBe(asDelivery)
    expect([deliveries.withClaimOn('b'), deliveries.live]).toEqual([undefined, [asDelivery]])
    await settle(completed)
    expect([deliveries.withClaimOn('a'), deliveries.live]).toEqual([undefined, []])
  })

  it('of an earlier process keeps its place before what is claimed now, however long it waits', () => {
    expect([started('a', {}, 0).calls, started('b', {}, 500).calls]).toEqual([
      ['keep', ['start', 0]],
      ['keep', ['start', 500]],
    ])
    expect(started('c', { place: undefined }, 500).calls).toEqual([['start', 500]])
  })

  it('that lost its claim stands beside the next one of its clink, and either may end first', async () => {
    const first = started('a')
    await first.settle(lapsed(undefined))
    const second = started('a')
    expect(deliveries.withClaimOn('a')).toBe(second.asDelivery)
    await first.finish()
    expect(deliveries.withClaimOn('a')).toBe(second.asDelivery)
    const third = started('a')
    await second.settle(completed)
    await second.finish()
    expect(deliveries.withClaimOn('a')).toBe(third.asDelivery)
    await third.settle(completed)
    await third.finish()
    expect([deliveries.withClaimOn('a'), deliveries.in('running')]).toEqual([undefined, []])
  })

  it('that is over has freed its slot', async () => {
    const { finish, settle } = started('a')
    expect([deliveries.busy, said]).toEqual([1, []])
    await settle(completed)
    await finish()
    expect([deliveries.busy, said]).toEqual([0, ['over', 'freed']])
  })

  it('that could not be settled stays for the stop to name, whenever its code ends', async () => {
    const { asDelivery, finish, settle } = started('a')
    await settle(undefined)
    await finish()
    expect([deliveries.live, deliveries.withClaimOn('a'), said]).toEqual([[asDelivery], asDelivery, []])
  })

  it.each(['keyEstranged', 'rightsLost'] as const)('finds out for itself whether it is lost: %s', async (signal) => {
    const [live, ended] = [started('a'), started('b')]
    await ended.settle(completed)
    signals[signal].say()
    expect([live.calls.at(-1), ended.calls.length]).toEqual(['check', 1])
  })
})

describe('what was released', () => {
  it('is known once its delivery is over, whatever came of it', async () => {
    const [released, other] = [started('a', { handle: { releaseTried: true } }), started('b')]
    expect(deliveries.releaseTried('a')).toBe(false)
    for (const one of [released, other]) await one.settle({ is: 'released' })
    await Promise.all([released.finish(), other.finish()])
    expect(['a', 'b'].map((id) => deliveries.releaseTried(id))).toEqual([true, false])
  })
})

describe('what was completed', () => {
  it('is known by its time while its delivery goes on, and when that is over', async () => {
    const { finish, settle } = started('a')
    expect(deliveries.completedSince('a', 0)).toBe(false)
    await settle(completed)
    const since = (): boolean[] => [999, 1_000, 1_001].map((time) => deliveries.completedSince('a', time))
    expect([since(), deliveries.completedSince('b', 0)]).toEqual([[true, true, false], false])
    await finish()
    expect([since(), deliveries.completedSince('b', 0)]).toEqual([[true, true, false], false])
  })

  it('is not what has ended otherwise', async () => {
    const { finish, settle } = started('a')
    await settle({ is: 'released' })
    expect(deliveries.completedSince('a', 0)).toBe(false)
    await finish()
    expect(deliveries.completedSince('a', 0)).toBe(false)
  })
})

describe('claims that ran out here', () => {
  it('may still stand at the service, for two seconds and what is left of them', async () => {
    const { settle } = started('a')
    await settle(lapsed(1_500))
    expect(deliveries.lapsed).toBe(1)
    now = 3_499
    expect(deliveries.lapsed).toBe(1)
    now = 3_500
    expect(deliveries.lapsed).toBe(0)
  })

  it('do not stand any more where their clinks ended otherwise since', async () => {
    await started('a').settle(lapsed(1_500))
    await started('b').settle(lapsed(1_500))
    await started('a').settle(lapsed(undefined))
    expect(deliveries.lapsed).toBe(1)
    await started('b').settle(completed)
    expect(deliveries.lapsed).toBe(0)
    await started('c').settle(lapsed(1_500))
    // A stop has left it behind.
    await started('c').settle()
    expect(deliveries.lapsed).toBe(0)
  })

  it('are waited for three times at most: a handler may outlive each claim', async () => {
    const counts: number[] = []
    for (let count = 0; count < 4; count += 1) {
      await started('a').settle(lapsed(1_500))
      counts.push(deliveries.lapsed)
    }
    expect(counts).toEqual([1, 1, 1, 0])
    await started('a').settle(completed)
    await started('a').settle(lapsed(1_500))
    expect(deliveries.lapsed).toBe(1)
  })
})

describe('slots', () => {
  it('are taken by all but what backs off or is settled, by the weight of each', () => {
    for (const state of ['waiting', 'running', 'settling', 'lost', 'backingOff', 'settled']) started(state, { state })
    expect(deliveries.busy).toBe(4)
    started('heavy', { route: { name: 'heavy', limits: { weight: 3 } } })
    expect(deliveries.busy).toBe(7)
    expect(deliveries.in('backingOff').map(({ clink: { clink_id: id } }) => id)).toEqual(['backingOff'])
  })

  it('that stuck handlers hold are counted, and all of them are stuck since the last one is', () => {
    started('a', { stuckSince: 300 })
    started('b', { stuckSince: 100 })
    started('c')
    expect(deliveries.stuck).toBe(2)
    expect(deliveries.allStuckSince(2, [])).toBe(300)
    expect(deliveries.allStuckSince(3, [])).toBeUndefined()
    expect(deliveries.allStuckSince(3, [200])).toBe(300)
    expect(deliveries.allStuckSince(3, [1_000])).toBe(1_000)
  })
})

describe('of a route', () => {
  it('something is coming while one of it that has not ended is about to start', async () => {
    const [one, , ended] = [
      started('a', { route: { name: 'other' }, isComing: true }),
      started('b'),
      started('c', { isComing: true, route: { name: 'gone' } }),
    ]
    await ended.settle(completed)
    const isComing = (name: string): boolean => deliveries.isComing({ name } as never)
    expect(['work', 'other', 'gone'].map(isComing)).toEqual([false, true, false])
    one.one.isComing = false
    expect(isComing('other')).toBe(false)
  })
})

describe('whoever waits for what is in hand', () => {
  it('waits for each settlement, and for the code of each', async () => {
    const [one, other] = [started('a'), started('b')]
    const ended: string[] = []
    void deliveries.settled().then(() => ended.push('settled'))
    void deliveries.over().then(() => ended.push('over'))
    started('later')
    await one.settle(completed)
    await one.finish()
    await turn()
    expect(ended).toEqual([])
    await other.settle(completed)
    expect(ended).toEqual(['settled'])
    await other.finish()
    expect(ended).toEqual(['settled', 'over'])
  })
})
