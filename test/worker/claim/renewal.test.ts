import { beforeEach, describe, expect, it } from 'vitest'
import { BareRefusals } from '../../../src/clink/bare-refusals.ts'
import type { Clink } from '../../../src/clink/records.ts'
import type { Lease } from '../../../src/worker/claim/lease.ts'
import { renew, renewOnce, type RenewalParts } from '../../../src/worker/claim/renewal.ts'
import { oneTry, RenewalRound } from '../../../src/worker/claim/renewal-round.ts'
import type { Asking, ClaimTerms } from '../../../src/worker/claim/terms.ts'
import { clink } from '../../support/sample-records.ts'
import { error, LEASE } from './keeper-bench.ts'

const SHORTER: Lease = { ...LEASE, deadline: 60_000 }
const RENEWED: Lease = { ...LEASE, deadline: 120_000 }
const NOW = 1_000

type Answer = Partial<Clink> | Error

let sent: unknown[]
let learnt: unknown[]
let refusesLength: boolean
let parts: RenewalParts

beforeEach(() => {
  sent = []
  learnt = []
  const terms = {
    asksLength: true,
    ask: (lease: Lease, sentAt: number, asksLength = true): Asking => ({
      lease,
      sentAt,
      asked: asksLength ? 100_000 : undefined,
      length: asksLength ? { timeout_seconds: 100 } : {},
      unanswered: SHORTER,
    }),
    renewed: (...args: unknown[]) => {
      learnt.push(args)
      return RENEWED
    },
  }
  const now = (): number => NOW + 5 * sent.length
  parts = { clock: { now, wall: now, at: () => () => {} }, terms: terms as unknown as ClaimTerms }
})

/** A claim whose renewals are answered so, the last answer for ever. */
function claimOf(...answers: readonly Answer[]) {
  const claimClink = async (...request: unknown[]): Promise<unknown> => {
    const answer = answers[Math.min(sent.length, answers.length - 1)]
    sent.push(request)
    await Promise.resolve()
    if (answer instanceof Error) throw answer
    return { ...clink, ...answer }
  }
  return { clink, lease: LEASE, api: { claimClink } as never }
}
const once = async (...answers: readonly Answer[]) => {
  const asking = parts.terms.ask(LEASE, NOW, !refusesLength)
  return await renew(claimOf(...answers), asking, {}, parts)
}

describe('a renewal', () => {
  beforeEach(() => (refusesLength = false))

  it('asks once, for a length, until its lease may be over, with a timeout of its own', async () => {
    const { signal } = new AbortController()
    await renew(claimOf({}), parts.terms.ask(LEASE, NOW), { signal, timeout: 700 }, parts)
    expect(sent).toEqual([
      [
        { clink_id: 'msg_1', timeout_seconds: 100 },
        { deadline: 60_000, attempts: 1, signal, timeout: 700 },
      ],
    ])
  })

  it('brings the lease of the answer', async () => {
    const times = { claimed_at: '2026-11-01T10:00:00Z', claim_expires_at: '2026-11-01T10:01:40Z' }
    const renewal = await once({ status: 'claimed', ...times })
    const grant = {
      sentAt: NOW,
      answeredAt: NOW + 5,
      asked: 100_000,
      claimedAt: times.claimed_at,
      expiresAt: times.claim_expires_at,
    }
    expect(renewal).toEqual({ is: 'granted', record: { ...clink, status: 'claimed', ...times }, lease: RENEWED, grant })
    expect(learnt).toEqual([[LEASE, grant]])
  })

  it.each(['pending', 'completed'] as const)(
    'that is answered with a clink that is %s has renewed nothing',
    async (status) => {
      expect(await once({ status })).toMatchObject({ is: 'granted', lease: LEASE })
      expect(learnt).toEqual([])
    },
  )

  it('that is answered without a status has renewed the claim', async () => {
    expect(await once({ status: undefined as never })).toMatchObject({ is: 'granted', lease: RENEWED })
  })

  it.each([403, 404, 409, 410])('is refused by %i', async (status) => {
    const refusal = error(status)
    expect(await once(refusal)).toEqual({ is: 'refused', error: refusal })
  })

  it('is refused by what was refused often enough outside the API’s envelope', async () => {
    const bare = error(404, { failure: 'foreign', isBare: true })
    expect(await once(bare)).toMatchObject({ is: 'failed' })
    const refusals = new BareRefusals(1)
    for (let count = 0; count < 2; count += 1) refusals.weigh(bare, 0)
    expect(await renew(claimOf(bare), parts.terms.ask(LEASE, NOW), { refusals }, parts)).toMatchObject({
      is: 'refused',
    })
  })

  it.each([
    ['surely not carried out', 503, LEASE],
    ['perhaps carried out', 0, SHORTER],
  ])('that fails, %s, leaves what it may have left of the lease', async (_, status, lease) => {
    const failure = error(status)
    expect(await once(failure)).toEqual({ is: 'failed', error: failure, lease })
  })

  it.each([400, 422])(
    'whose length is refused (%i) is made again without, and no other asks for one',
    async (status) => {
      expect(await once(error(status))).toEqual({ is: 'again' })
      expect(parts.terms.asksLength).toBe(false)
    },
  )

  it('whose length is refused outside the API’s envelope is made again without, and others go on asking', async () => {
    const refusals = new BareRefusals(1)
    const bare = error(400, { failure: 'foreign', isBare: true })
    for (let count = 0; count < 2; count += 1) refusals.weigh(bare, 0)
    expect(await renew(claimOf(bare), parts.terms.ask(LEASE, NOW), { refusals }, parts)).toEqual({ is: 'again' })
    expect(parts.terms.asksLength).toBe(true)
  })

  it('that asked for no length has failed where its length is refused', async () => {
    refusesLength = true
    expect(await once(error(400))).toMatchObject({ is: 'failed', lease: LEASE })
    expect(parts.terms.asksLength).toBe(true)
  })

  it('throws what is a mistake of our own', async () => {
    const fault = new TypeError('no function')
    await expect(once(fault)).rejects.toBe(fault)
  })
})

describe('a renewal that is asked for once', () => {
  it('is made again without a length where the service takes none', async () => {
    expect(await renewOnce(claimOf(error(400), {}), { timeout: 700 }, parts)).toMatchObject({ is: 'granted' })
    expect(sent).toMatchObject([
      [{ clink_id: 'msg_1', timeout_seconds: 100 }, { timeout: 700 }],
      [{ clink_id: 'msg_1' }, { timeout: 700 }],
    ])
    expect(sent[1]).not.toHaveProperty('0.timeout_seconds')
  })

  it('takes no more time than one of several tries', async () => {
    await renewOnce(claimOf({}), { timeout: 30_000 }, parts)
    expect(sent).toMatchObject([[{}, { timeout: (90_000 - NOW) / 4.5 }]])
  })

  it('has the timeout of the client where it is given none', async () => {
    await renewOnce(claimOf({}), {}, parts)
    expect(sent).toMatchObject([[{}, { timeout: undefined }]])
  })
})

describe('one of several tries', () => {
  it('takes a part of what is left, some time at least, and no longer than it may', () => {
    expect([oneTry(45_000, 30_000), oneTry(450_000, 30_000), oneTry(0, 30_000)]).toEqual([10_000, 30_000, 1])
  })
})

describe('tries that follow each other', () => {
  const half = (): number => 0.5
  /** Asks for what leaves the lease as it is, or shorter. */
  const asks = (round: RenewalRound, now: number, unanswered = LEASE, lease = LEASE, longest = 30_000) =>
    round.ask(
      lease,
      now,
      {
        ask: (before, sentAt, asksLength) => ({
          lease: before,
          sentAt,
          asked: Number(asksLength),
          length: {},
          unanswered,
        }),
      },
      longest,
    )

  it('divide what is left of the lease from the first of them on', () => {
    const round = new RenewalRound(LEASE, 45_000)
    expect([asks(round, 45_000).timeout, asks(round, 60_000).timeout]).toEqual([10_000, 10_000])
    expect(round.asking).toMatchObject({ lease: LEASE, sentAt: 60_000 })
    expect(asks(round, 45_000, LEASE, LEASE, 700).timeout).toBe(700)
  })

  it('divide what is left until an answer comes, where that may be less', () => {
    const round = new RenewalRound(LEASE, 45_000)
    expect(asks(round, 46_500, SHORTER).timeout).toBe(3_000)
  })

  it('ask for no length any more once that was refused', () => {
    const round = new RenewalRound(LEASE, 0)
    const first = asks(round, 0)
    round.lengthRefused()
    expect([first.asking.asked, asks(round, 0).asking.asked]).toEqual([1, 0])
  })

  it('remember what was refused to the same request', () => {
    const round = new RenewalRound(LEASE, 0)
    const { refusals } = asks(round, 0)
    expect(asks(round, 10).refusals).toBe(refusals)
    // Of a short time a third has to do.
    const short = asks(new RenewalRound({ ...LEASE, deadline: 3_000 }, 1_500), 1_500).refusals
    const bare = error(404, { failure: 'foreign', isBare: true })
    expect([0, 250, 500].map((at) => short.stays(bare, at))).toEqual([false, false, true])
    expect([0, 250, 500].map((at) => refusals.stays(bare, at))).toEqual([false, false, false])
  })

  it('wait longer and longer, and longer after an answer', () => {
    const round = new RenewalRound(LEASE, 34_000)
    asks(round, 34_000)
    const wait = (status: number): number => round.failed(error(status), LEASE, 40_000, half)
    // A quarter of the longest at first, of which half to all is waited.
    expect([wait(503), wait(503), wait(503), wait(503)]).toEqual([1_312.5, 2_625, 5_250, 5_250])
    expect(round.failures).toBe(4)
    expect(wait(0)).toBe(1_500)
  })

  it('wait for as long as the service asks, but half of what is left at most', () => {
    const round = new RenewalRound(LEASE, 34_000)
    asks(round, 34_000)
    const wait = (retryAfter: number): number => round.failed(error(503, { retryAfter }), LEASE, 40_000, half)
    expect([wait(7_000), wait(70_000)]).toEqual([7_000, 25_000])
  })

  it('divide what the failure has left of a lease that may have become shorter', () => {
    const round = new RenewalRound(LEASE, 34_000)
    asks(round, 46_000, SHORTER)
    expect(round.failed(error(0), SHORTER, 47_000, half)).toBe((14_000 / 28) * 0.25 * 0.75)
    const same = new RenewalRound(LEASE, 34_000)
    asks(same, 46_000)
    expect(same.failed(error(0), LEASE, 47_000, half)).toBe((56_000 / 28) * 0.25 * 0.75)
  })

  it('that have not begun fail as those of the first', () => {
    const round = new RenewalRound(LEASE, 34_000)
    round.claimedAnew(RENEWED)
    expect([round.asking, round.failed(error(0), LEASE, 40_000, half)]).toEqual([undefined, 375])
  })

  it('go on with the lease of a claim that a poll has made meanwhile', () => {
    const round = new RenewalRound(LEASE, 34_000)
    asks(round, 46_000)
    round.claimedAnew(RENEWED)
    expect(round.asking).toMatchObject({ lease: RENEWED, sentAt: 46_000 })
  })
})
