import { beforeEach, describe, expect, it } from 'vitest'
import type { ClinkApiError } from '../../../src/clink/errors.ts'
import type { Clink } from '../../../src/clink/records.ts'
import type { WorkerEvent } from '../../../src/events.ts'
import { Identity } from '../../../src/keys/identity.ts'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import type { Lease } from '../../../src/worker/claim/lease.ts'
import { Siblings, type SiblingsOptions } from '../../../src/worker/claim/siblings.ts'
import type { Asking } from '../../../src/worker/claim/terms.ts'
import { Chance } from '../../simulation/chance.ts'
import { VirtualTime } from '../../simulation/virtual-time.ts'
import { clink } from '../../support/sample-records.ts'
import { error, LEASE } from './keeper-bench.ts'

const LATENCY = 5
const CLAIMED_AT = '2026-11-01T10:00:00Z'
const claimed: Clink = { ...clink, status: 'claimed', claimed_by: 'me', claimed_at: CLAIMED_AT }
const page = Array.from({ length: 100 }, (_, n) => ({ ...clink, clink_id: `other ${n}` }))

type Answer = Error | Partial<Clink> | readonly Clink[] | undefined

const isList = (answer: Answer): answer is readonly Clink[] => Array.isArray(answer)

/** A service that answers who asks by a script, the last answer for ever. */
class World {
  readonly time = new VirtualTime(new Chance(1))
  readonly asked: { readonly who: string; readonly at: number; readonly params: object; readonly limits: object }[] = []
  readonly events: WorkerEvent[] = []
  readonly ledger = new Ledger(memoryTables())
  readonly controller = new AbortController()
  /** What the second session, our own, and the list are answered. */
  sibling: readonly Answer[] = [error(409)]
  own: readonly Answer[] = [{ status: 'claimed', claimed_at: CLAIMED_AT }]
  shown: readonly Answer[] = [[]]
  exclusive = false
  readonly terms = {
    asksLength: true,
    ask: (lease: Lease, sentAt: number, asksLength = true): Asking => {
      const asks = asksLength && this.terms.asksLength
      const unanswered = { ...lease, deadline: lease.deadline - 1 }
      return { lease, sentAt, asked: asks ? 9_000 : undefined, length: asks ? { timeout_seconds: 9 } : {}, unanswered }
    },
    renewed: (lease: Lease): Lease => ({ ...lease, deadline: lease.deadline + 10 }),
  }
  #siblings: Siblings | undefined

  get siblings(): Siblings {
    const clock = {
      now: () => this.time.now,
      wall: () => this.time.now,
      at: (at: number, act: () => void) => this.time.at(at, act),
    }
    this.#siblings ??= new Siblings({
      clock,
      emit: (event: WorkerEvent) => this.events.push(event),
      exclusive: this.exclusive,
      identity: new Identity('me', () => {}),
      ledger: this.ledger,
      random: () => 0.5,
      terms: this.terms,
      url: 'https://clink.example',
      api: { getClinks: this.#answer('list', () => this.shown) },
      sibling: { claimClink: this.#answer('sibling', () => this.sibling) },
    } as unknown as SiblingsOptions)
    return this.#siblings
  }

  async findOut(lease: Lease = LEASE): Promise<{ readonly verdict: string; readonly lease: Lease }> {
    const claim = { clink: claimed, lease, api: { claimClink: this.#answer('own', () => this.own) } as never }
    let isOver = false
    const finding = this.siblings.findOut(claim, this.controller.signal).finally(() => (isOver = true))
    finding.catch(() => {})
    await this.time.runUntil(this.time.now + 200_000, () => isOver)
    return await finding
  }

  get who(): readonly string[] {
    return this.asked.map(({ who }) => who)
  }

  timesOf(wanted: string): readonly number[] {
    return this.asked.filter(({ who }) => who === wanted).map(({ at }) => at)
  }

  #answer(who: string, answers: () => readonly Answer[]) {
    return async (params: object, limits: object): Promise<unknown> => {
      const count = this.timesOf(who).length
      this.asked.push({ who, at: this.time.now, params, limits })
      const answer = answers()[Math.min(count, answers().length - 1)]
      await new Promise<void>((resolve) => this.time.at(this.time.now + LATENCY, resolve))
      if (answer instanceof Error) throw answer
      return isList(answer) ? { clinks: answer } : { ...clink, ...answer }
    }
  }
}

let world: World

beforeEach(() => {
  world = new World()
})

describe('whether claims keep siblings apart (§1)', () => {
  it('is that they do where the second session is refused, for a length as a renewal asks for', async () => {
    const { signal } = world.controller
    expect(await world.findOut()).toEqual({ verdict: 'refused', lease: LEASE })
    const limits = { deadline: LEASE.deadline - 1, attempts: 1, signal }
    expect(world.asked).toMatchObject([
      { who: 'sibling', at: 0, params: { clink_id: 'msg_1', timeout_seconds: 9 }, limits },
      { who: 'list', at: LATENCY, limits },
    ])
    expect(world.events).toEqual([{ event: 'worker.siblings', verdict: 'refused' }])
    expect([world.siblings.verdict, world.siblings.mayClaimById]).toEqual(['refused', true])
  })

  it('is that they do not where it is granted: our own session claims the clink back', async () => {
    world.sibling = [{ status: 'claimed' }]
    expect(await world.findOut()).toEqual({
      verdict: 'granted',
      lease: { ...LEASE, deadline: LEASE.deadline - 1 + 10 },
    })
    expect(world.who).toEqual(['sibling', 'own'])
    expect(Object(world.asked[1]?.limits).signal).toBe(world.controller.signal)
    expect([world.siblings.verdict, world.siblings.mayClaimById]).toEqual(['granted', false])
  })

  it.each<[string, readonly Answer[], string]>([
    ['is not listed', [[]], 'refused'],
    ['is listed as ours', [[claimed]], 'refused'],
    ['is listed as ours, without the time of its claim', [[{ ...claimed, claimed_at: null }]], 'refused'],
    ['is listed as ours, of the same second', [[{ ...claimed, claimed_at: '2026-11-01T10:00:00.400Z' }]], 'refused'],
    ['is listed with another claim of our owner', [[{ ...claimed, claimed_at: '2026-11-01T10:00:01Z' }]], 'unknown'],
    ['is listed with an earlier claim of our owner', [[{ ...claimed, claimed_at: '2026-11-01T09:59:59Z' }]], 'unknown'],
    ['is listed as somebody else’s', [[{ ...claimed, claimed_by: 'ann' }]], 'unknown'],
    ['waits again', [[{ ...claimed, status: 'pending' }]], 'unknown'],
    ['is done', [[{ ...claimed, status: 'completed' }]], 'unknown'],
    ['is in no state that is known', [[{ ...claimed, status: 'odd' }]], 'unknown'],
  ])('that was refused counts where the clink %s: %s', async (_, shown, verdict) => {
    world.shown = shown
    expect((await world.findOut()).verdict).toBe(verdict)
  })

  it.each<[string, Answer, string]>([
    ['granted', { status: 'claimed' }, 'refused'],
    ['refused', error(409), 'unknown'],
  ])('that was refused counts behind a full list where our own session is %s', async (_, own, verdict) => {
    world.shown = [page]
    world.own = [own]
    expect((await world.findOut()).verdict).toBe(verdict)
    expect(world.who.at(-1)).toBe('own')
  })

  it.each<[string, Answer, string]>([
    ['is granted', { status: 'claimed', claimed_at: CLAIMED_AT }, 'refused'],
    ['is forbidden as well: the key may claim no more', error(403), 'unknown'],
  ])('that was forbidden counts where our own session %s', async (_, own, verdict) => {
    world.sibling = [error(403)]
    world.own = [own]
    expect((await world.findOut()).verdict).toBe(verdict)
    expect(world.who.slice(0, 2)).toEqual(['sibling', 'own'])
  })

  it('that our own session has begun anew counts by the time of that', async () => {
    world.sibling = [error(403)]
    world.own = [{ status: 'claimed', claimed_at: '2026-11-01T10:00:07Z' }]
    world.shown = [[{ ...claimed, claimed_at: '2026-11-01T10:00:07Z' }]]
    expect((await world.findOut()).verdict).toBe('refused')
    world.shown = [[claimed]]
    expect((await world.findOut()).verdict).toBe('unknown')
  })

  it.each<[string, ClinkApiError]>([
    ['another refusal', error(404)],
    ['a refusal outside the API’s envelope', error(409, { isBare: true })],
    ['a refused key', error(401)],
  ])('is not found out from %s', async (_, refusal) => {
    world.sibling = [refusal]
    expect((await world.findOut()).verdict).toBe('unknown')
    expect(world.who).toEqual(['sibling'])
    expect([world.siblings.verdict, world.siblings.mayClaimById]).toEqual([undefined, undefined])
    expect(world.events).toEqual([{ event: 'worker.siblings', verdict: 'unknown' }])
  })

  it('is asked without a length where the service takes none, and so are all that follow', async () => {
    world.sibling = [error(400), error(409)]
    expect(await world.findOut()).toEqual({ verdict: 'refused', lease: LEASE })
    expect(world.asked.slice(0, 2).map(({ params }) => params)).toStrictEqual([
      { clink_id: 'msg_1', timeout_seconds: 9 },
      { clink_id: 'msg_1' },
    ])
    expect(world.terms.asksLength).toBe(false)
    world = new World()
    world.sibling = [error(400)]
    expect((await world.findOut()).verdict).toBe('unknown')
    expect(world.who).toEqual(['sibling', 'sibling'])
  })
})

describe('a question that is not answered', () => {
  it('is asked again on the same clink, where it surely was not carried out', async () => {
    world.sibling = [error(503), error(503), error(409)]
    expect(await world.findOut()).toEqual({ verdict: 'refused', lease: LEASE })
    expect(world.timesOf('sibling')).toEqual([0, LATENCY + 187.5, 2 * LATENCY + 562.5])
    expect(world.who).toEqual(['sibling', 'sibling', 'sibling', 'list'])
  })

  it('is asked again where the list does not come', async () => {
    world.shown = [error(503), []]
    expect((await world.findOut()).verdict).toBe('refused')
    expect(world.who).toEqual(['sibling', 'list', 'sibling', 'list'])
  })

  it('may have been carried out: our own session claims the clink back before it is asked again', async () => {
    world.sibling = [error(0), error(409)]
    const { lease, verdict } = await world.findOut()
    expect([verdict, world.who]).toEqual(['refused', ['sibling', 'own', 'sibling', 'list']])
    expect(world.asked[2]?.params).toEqual({ clink_id: 'msg_1', timeout_seconds: 9 })
    // The claim may have been made shorter, and was renewed then.
    expect(lease.deadline).toBe(LEASE.deadline - 1 + 10)
  })

  it('is not asked again until our own session is answered: a sibling of ours may have the claim', async () => {
    world.sibling = [error(0), error(409)]
    world.own = [error(0), error(503), error(409)]
    expect((await world.findOut()).verdict).toBe('refused')
    expect(world.who).toEqual(['sibling', 'own', 'own', 'own', 'sibling', 'list'])
  })

  it('is answered also where nobody knows when our own session has the claim from', async () => {
    world.sibling = [error(0), error(409)]
    world.own = [error(409)]
    world.shown = [[claimed]]
    expect((await world.findOut()).verdict).toBe('refused')
  })

  it('leaves what it may have left of the claim', async () => {
    world.sibling = [error(0)]
    world.own = [error(409)]
    const { lease } = await world.findOut({ ...LEASE, deadline: 300 })
    expect([lease.deadline, world.who]).toEqual([299, ['sibling', 'own']])
  })

  it.each([
    [8_000, 5],
    // The second would begin just when half of it is over.
    [2 * (LATENCY + 187.5), 1],
  ])('takes no more than half of what the claim has left: of %d ms', async (left, count) => {
    await world.time.runUntil(3_000, () => false)
    world.sibling = [error(503)]
    expect((await world.findOut({ ...LEASE, deadline: 3_000 + left })).verdict).toBe('unknown')
    expect(world.time.now).toBeLessThan(3_000 + left / 2)
    expect(world.timesOf('sibling').length).toBe(count)
  })

  it('takes no more than a minute', async () => {
    world.sibling = [error(503)]
    await world.findOut({ ...LEASE, deadline: 1_000_000 })
    expect(world.time.now).toBeGreaterThan(55_000)
    expect(world.time.now).toBeLessThan(60_000)
  })

  it('is given up where the questions have made the claim so short', async () => {
    world.sibling = [error(0)]
    world.terms.renewed = (lease) => ({ ...lease, deadline: 150 })
    await world.findOut()
    expect(world.who).toEqual(['sibling', 'own'])
  })

  it('is given up with the time for stopping', async () => {
    world.sibling = [error(503)]
    world.time.at(100, () => world.controller.abort())
    expect((await world.findOut()).verdict).toBe('unknown')
    expect([world.time.now, world.timesOf('sibling').length]).toEqual([100 + LATENCY, 2])
  })

  it('is thrown where it is a mistake of our own, and another clink may be tried', async () => {
    world.siblings.want()
    world.sibling = [new TypeError('no function')]
    await expect(world.findOut()).rejects.toThrow('no function')
    expect(world.siblings.isDueOn('other')).toBe(true)
  })
})

describe('a clink is used to find out', () => {
  it('when somebody would claim by id, and not before', () => {
    expect(world.siblings.isDueOn('msg_1')).toBe(false)
    world.siblings.want()
    expect(world.siblings.isDueOn('msg_1')).toBe(true)
  })

  it('only where nobody knows yet', async () => {
    world.siblings.want()
    await world.findOut()
    expect(world.siblings.isDueOn('other')).toBe(false)
    world = new World()
    world.exclusive = true
    world.siblings.want()
    expect([world.siblings.isDueOn('other'), world.siblings.mayClaimById]).toEqual([false, true])
  })

  it('one at a time', async () => {
    world.siblings.want()
    const finding = world.findOut()
    expect(world.siblings.isDueOn('other')).toBe(false)
    await finding
  })

  it('once, where it was not found out, and another one a minute later', async () => {
    world.siblings.want()
    world.sibling = [error(404)]
    await world.findOut()
    const wait = async (ms: number): Promise<void> => await world.time.runUntil(world.time.now + ms, () => false)
    const { now } = world.time
    expect([world.siblings.mayTry, world.siblings.isDueOn('other')]).toEqual([false, false])
    await wait(60_000 - (world.time.now - now) - 1)
    expect(world.siblings.mayTry).toBe(false)
    await wait(1)
    expect([world.siblings.mayTry, world.siblings.isDueOn('other'), world.siblings.isDueOn('msg_1')]).toEqual([
      true,
      true,
      false,
    ])
  })
})
