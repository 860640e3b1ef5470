import { beforeEach, describe, expect, it } from 'vitest'
import type { Clink } from '../../../src/clink/records.ts'
import type { WorkerEvent } from '../../../src/events.ts'
import { Identity } from '../../../src/keys/identity.ts'
import { claimById, ClaimTries } from '../../../src/worker/claim/claim-by-id.ts'
import { ClaimsUnderWay } from '../../../src/worker/claim/claims-under-way.ts'
import type { ClaimContext } from '../../../src/worker/claim/context.ts'
import { clink } from '../../support/sample-records.ts'
import { error, LEASE } from './keeper-bench.ts'

const NOW = 1_000
const { signal } = new AbortController()
const { signal: closing } = new AbortController()

class World {
  readonly events: WorkerEvent[] = []
  readonly sent: unknown[] = []
  readonly released: unknown[] = []
  readonly listed: unknown[] = []
  readonly accepted: unknown[] = []
  readonly learnt: unknown[] = []
  readonly named: unknown[] = []
  readonly tries = new ClaimTries()
  readonly claimsUnderWay = new ClaimsUnderWay()
  readonly terms = {
    asksLength: true,
    seconds: 100 as number | undefined,
    claimed: (...args: unknown[]) => {
      this.learnt.push(args)
      return LEASE
    },
  }
  identity = new Identity('me', () => {})
  /** What the claim, the look at its owner, and the giving back bring. */
  answer: Partial<Clink> | Error = { status: 'claimed' }
  shown: readonly Clink[] | Error = []
  back: Error | undefined
  /** What the answer waits for. */
  gate: Promise<void> | undefined
  accepts = true
  isShown = true
  notBefore: number | undefined = 900
  readonly key = {
    isProven: true,
    isPresumed: false,
    stranger: undefined as string | undefined,
    api: {
      getClinks: async (...args: unknown[]) => {
        this.listed.push(args)
        await new Promise((resolve) => setImmediate(resolve))
        return await answered(this.shown instanceof Error ? this.shown : { clinks: this.shown })
      },
      releaseClink: async (...args: unknown[]) => {
        this.released.push(args)
        return await answered(this.back)
      },
    },
  }

  async claim(more: object = {}) {
    const context = {
      api: {
        claimClink: async (...args: unknown[]) => {
          this.sent.push(args)
          await this.gate
          return await answered(this.answer instanceof Error ? this.answer : { ...clink, ...this.answer })
        },
      },
      claimsUnderWay: this.claimsUnderWay,
      clock: { now: () => NOW, wall: () => NOW, at: () => () => {} },
      closing,
      emit: (event: WorkerEvent) => this.events.push(event),
      identity: this.identity,
      keys: {
        current: this.key,
        accept: (...args: unknown[]) => {
          this.accepted.push(args)
          return this.accepts
        },
        untold: () => {},
        shown: () => this.isShown,
      },
      terms: this.terms,
    } as unknown as ClaimContext
    return await claimById(clink, { context, tries: this.tries, signal, notBefore: () => this.notBefore, ...more })
  }
}

async function answered(answer: unknown): Promise<unknown> {
  await Promise.resolve()
  if (answer instanceof Error) throw answer
  return answer
}

let world: World

beforeEach(() => {
  world = new World()
})

describe('a claim by id', () => {
  it('asks once, for a length, until its deadline where there is one', async () => {
    await world.claim()
    await world.claim({ deadline: 7_000 })
    expect(world.sent).toStrictEqual([
      [
        { clink_id: 'msg_1', timeout_seconds: 100 },
        { attempts: 1, signal },
      ],
      [
        { clink_id: 'msg_1', timeout_seconds: 100 },
        { attempts: 1, signal, deadline: 7_000 },
      ],
    ])
  })

  it.each([
    ['the service takes none', () => (world.terms.seconds = undefined)],
    ['it was refused for this clink', () => (world.tries.asksLength = false)],
  ])('asks for no length where %s', async (_, make) => {
    make()
    await world.claim()
    expect(world.sent).toStrictEqual([[{ clink_id: 'msg_1' }, { attempts: 1, signal }]])
    expect(world.learnt).toMatchObject([[{ asked: undefined }, NOW]])
  })

  it('is ours, with the lease of its answer, and as it was listed where the answer says nothing', async () => {
    world.answer = {
      status: undefined as never,
      content: '',
      sender_name: 'Bob',
      claimed_at: '2026-11-01T10:00:00Z',
      claim_expires_at: '2026-11-01T10:01:40Z',
      claimed_by: 'me',
    }
    expect(await world.claim()).toEqual({
      is: 'claimed',
      clink: { ...clink, ...world.answer, content: 'hello', status: 'claimed' },
      lease: LEASE,
      key: world.key,
    })
    const grant = {
      sentAt: 900,
      asked: 100_000,
      claimedAt: '2026-11-01T10:00:00Z',
      expiresAt: '2026-11-01T10:01:40Z',
    }
    expect(world.learnt).toEqual([[grant, NOW]])
    expect([world.accepted, world.released, world.listed]).toEqual([[], [], []])
  })

  it('is none where the clink is done, or was claimed before it can have been ours', async () => {
    world.answer = { status: 'completed' }
    expect(await world.claim()).toEqual({ is: 'refused' })
    expect(world.learnt).toEqual([])
    world.answer = { status: 'claimed' }
    world.notBefore = undefined
    expect(await world.claim()).toEqual({ is: 'refused' })
    expect(world.learnt).toMatchObject([[{ sentAt: NOW }, NOW]])
  })

  it.each<[number, string]>([
    [403, 'refused'],
    [404, 'refused'],
    [409, 'refused'],
    [410, 'refused'],
    [503, 'failed'],
    [0, 'unknown'],
  ])('that is answered with %i is %s', async (status, is) => {
    world.answer = error(status)
    expect(await world.claim()).toEqual({ is, error: world.answer })
  })

  it('whose length is refused is made again without, and no other asks for one', async () => {
    world.answer = error(422)
    expect(await world.claim()).toEqual({ is: 'again' })
    expect([world.terms.asksLength, world.tries.asksLength]).toEqual([false, true])
    world.terms.seconds = undefined
    expect(await world.claim()).toEqual({ is: 'failed', error: world.answer })
  })

  it('whose length is refused outside the API’s envelope asks for none for this clink only', async () => {
    world.answer = error(400, { failure: 'foreign', isBare: true })
    expect((await world.claim()).is).toBe('failed')
    const tries = Object.assign(new ClaimTries(), { refusals: { weigh: () => error(400, { isBare: true }) } })
    expect(await world.claim({ tries })).toEqual({ is: 'again' })
    expect([world.terms.asksLength, tries.asksLength]).toEqual([true, false])
  })

  it('is under way until it is answered: a release waits for it (P8)', async () => {
    for (const answer of [{ status: 'claimed' } as const, error(503)]) {
      world.answer = answer
      const gate = Promise.withResolvers<void>()
      world.gate = gate.promise
      const claiming = world.claim()
      let isOver = false
      const over = world.claimsUnderWay.over('msg_1').then(() => (isOver = true))
      await new Promise((resolve) => setImmediate(resolve))
      expect(isOver).toBe(false)
      gate.resolve()
      await Promise.all([claiming, over])
    }
  })

  it('throws what is a mistake of our own', async () => {
    world.answer = new TypeError('no function')
    await expect(world.claim()).rejects.toBe(world.answer)
  })
})

describe('a claim with a key that is proven to be ours', () => {
  it('that names somebody else is theirs, and so the identity is weighed', async () => {
    world.identity = new Identity(
      'me',
      (event) => world.events.push(event),
      () => {},
    )
    world.answer = { status: 'claimed', claimed_by: 'ann' }
    expect(await world.claim()).toEqual({ is: 'refused' })
    expect(world.events).toMatchObject([{ event: 'worker.identityGivenUp', named: 'ann' }])
    expect([world.accepted, world.released]).toEqual([[], []])
  })

  it('that is only presumed so has to prove itself where it names somebody else', async () => {
    world.key.isPresumed = true
    world.answer = { status: 'claimed', claimed_by: 'me' }
    expect((await world.claim()).is).toBe('claimed')
    expect(world.accepted).toEqual([])
    world.answer = { status: 'claimed', claimed_by: 'ann' }
    world.accepts = false
    expect(await world.claim()).toEqual({ is: 'refused' })
    expect(world.accepted).toEqual([[world.key, 'ann']])
  })
})

describe('a claim with a key that may be somebody else’s', () => {
  beforeEach(() => {
    world.key.isProven = false
  })

  it('tells whose it is by its answer', async () => {
    world.answer = { status: 'claimed', claimed_by: 'me' }
    expect((await world.claim()).is).toBe('claimed')
    expect([world.accepted, world.listed, world.released]).toEqual([[[world.key, 'me']], [], []])
  })

  it('is looked at in a list where its answer does not tell', async () => {
    world.shown = [{ ...clink, status: 'claimed', claimed_by: 'ann' }]
    expect((await world.claim()).is).toBe('claimed')
    expect(world.listed).toMatchObject([[{}, { deadline: LEASE.deadline, signal }]])
    expect(world.accepted).toEqual([[world.key, 'ann']])
    world.shown = []
    await world.claim()
    expect(world.accepted[1]).toEqual([world.key, undefined])
  })

  it('is given back where that shows somebody else for the first time, and made once more', async () => {
    world.shown = [{ ...clink, status: 'claimed', claimed_by: 'ann' }]
    world.isShown = false
    expect([await world.claim(), await world.claim()]).toEqual([{ is: 'again' }, { is: 'refused' }])
    expect([world.accepted, world.released.length]).toEqual([[], 2])
  })

  it('is given back, and has failed, where nobody answers whose it is (P15, §8)', async () => {
    world.shown = error(503)
    expect(await world.claim()).toMatchObject({
      is: 'failed',
      error: { status: 503, message: 'nobody answered whose the claim is: failed' },
      isUnowned: true,
    })
    expect([world.accepted, world.released]).toEqual([
      [],
      [[{ clink_id: 'msg_1' }, { deadline: LEASE.deadline, attempts: 1, signal: closing }]],
    ])
  })

  it('is ours where another claim has told that meanwhile', async () => {
    world.shown = error(503)
    const claiming = world.claim()
    while (world.listed.length === 0) await new Promise((resolve) => setImmediate(resolve))
    world.key.isProven = true
    expect((await claiming).is).toBe('claimed')
    expect(world.released).toEqual([])
  })

  it.each([
    ['nobody knows who we are', () => (world.identity = new Identity(undefined, () => {}))],
    ['the key is known as another one’s', () => (world.key.stranger = 'ann')],
  ])('is not looked at where %s', async (_, make) => {
    make()
    await world.claim()
    expect([world.listed, world.accepted]).toEqual([[], [[world.key, undefined]]])
  })

  it('is given back where it is another owner’s', async () => {
    world.accepts = false
    expect(await world.claim()).toEqual({ is: 'refused' })
    expect(world.released).toEqual([
      [{ clink_id: 'msg_1' }, { deadline: LEASE.deadline, attempts: 1, signal: closing }],
    ])
    expect(world.events).toEqual([])
  })

  it('is left to expire where it cannot be given back', async () => {
    world.accepts = false
    world.back = error(503)
    await world.claim()
    expect(world.events).toMatchObject([
      {
        event: 'clink.leftToExpire',
        clink: { clink_id: 'msg_1' },
        why: 'it was claimed for another owner, and failed',
      },
    ])
    world.back = new TypeError('no function')
    await expect(world.claim()).rejects.toBe(world.back)
  })
})
