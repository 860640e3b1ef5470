import { describe, expect, it } from 'vitest'
import {
  claimedLease,
  extendedNothing,
  firstLease,
  isUnmoved,
  renewedLease,
  shortenedLease,
  shortensAnew,
  showsNoChange,
  tellsFraction,
  type Grant,
  type Lease,
} from '../../../src/worker/claim/lease.ts'

const policy = { timeout: 300_000, trustRenewals: false, longest: 0, tellsFractions: false }
/** A grant whose service times are given in milliseconds of the service's clock. */
const grant = (sentAt: number, from: number | undefined, to: number | undefined, asked?: number): Grant => ({
  sentAt,
  asked,
  claimedAt: from === undefined ? undefined : new Date(from).toISOString(),
  expiresAt: to === undefined ? undefined : new Date(to).toISOString(),
})

describe('a first lease (P2, §2)', () => {
  it('lasts as long as the service says, counted from when the request was sent', () => {
    expect(firstLease(grant(1_000, 5_000_000, 5_060_000), policy).end).toBe(61_000)
  })

  it('does not depend on the difference between the clocks', () => {
    const skewed = firstLease(grant(1_000, -7_200_000, -7_140_000), policy)
    expect(skewed.end).toBe(61_000)
  })

  it('keeps a margin of a tenth, and of a quarter of a second at least', () => {
    const long = firstLease(grant(0, 1_007, 101_007), policy)
    expect(long.end - long.deadline).toBe(10_000)
    const short = firstLease(grant(0, 1_007, 2_007), policy)
    expect(short.end - short.deadline).toBe(250)
  })

  it.for(['', '.000', '.000000'])('keeps one second more where the times have no fraction but zeros (%j)', (zeros) => {
    const [claimedAt, expiresAt] = [`2026-01-01T00:00:00${zeros}Z`, `2026-01-01T00:01:40${zeros}Z`]
    const lease = firstLease({ sentAt: 0, asked: undefined, claimedAt, expiresAt }, policy)
    expect(lease.end - lease.deadline).toBe(11_000)
  })

  it('keeps one second more where one of the times has no fraction, whichever it is', () => {
    const [whole, exact] = ['2026-01-01T00:01:40Z', '2026-01-01T00:00:00.500Z']
    const lease = firstLease({ sentAt: 0, asked: undefined, claimedAt: exact, expiresAt: whole }, policy)
    expect(lease.end - lease.deadline).toBe(9_950 + 1_000)
  })

  it('keeps no second more where no end is told: nothing is rounded there', () => {
    expect(firstLease(grant(1_000, undefined, undefined), policy)).toMatchObject({ end: 301_000, deadline: 271_000 })
  })

  it('keeps no second more for zeros once the service has told of a fraction', () => {
    const [claimedAt, expiresAt] = ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:01.000Z']
    const whole = { sentAt: 0, asked: undefined, claimedAt, expiresAt }
    expect(firstLease(whole, { ...policy, tellsFractions: true })).toMatchObject({ end: 1_000, deadline: 750 })
    expect(
      firstLease({ ...whole, claimedAt: '2026-01-01T00:00:00Z' }, { ...policy, tellsFractions: true }).deadline,
    ).toBe(-250)
  })

  it.each([
    ['what was asked for', 60_000, 300_000, 60_000],
    ['the configured timeout', undefined, 3_000, 3_000],
    ['the documented 300 s', undefined, 900_000, 300_000],
  ])('without times lasts no longer than %s', (_, asked, timeout, length) => {
    expect(firstLease(grant(0, undefined, undefined, asked), { ...policy, timeout }).end).toBe(length)
  })

  it('takes an unreadable time for none, and an end before its start too', () => {
    expect(firstLease({ sentAt: 0, asked: 9_000, claimedAt: 'soon', expiresAt: 'later' }, policy).end).toBe(9_000)
    expect(firstLease(grant(0, 5_000, 1_000), policy)).toMatchObject({ end: 300_000, basis: 'unknown' })
  })

  it.each([
    ['neither time', undefined, undefined, 'unknown'],
    ['no start', undefined, 5_000, 'unknown'],
    ['no end', 5_000, undefined, 'unknown'],
    ['more than a poll gives, and more than ever before', 0, 3_243_000, 'unknown'],
    ['as much as a poll gives', 0, 300_000, 'told'],
    ['an end before its start', 5_000, 1_000, 'unknown'],
    ['an end that is its start', 5_000, 5_000, 'unknown'],
    ['more than a poll gives by what times may be rounded', 0, 302_000, 'told'],
    ['more than that', 0, 302_001, 'unknown'],
  ])('of a poll that tells %s has its length from there', (_, from, to, basis) => {
    expect(firstLease(grant(0, from, to), policy).basis).toBe(basis)
  })

  it('is believed to be longer than was asked for where a longer one was told before', () => {
    expect(firstLease(grant(0, 0, 600_000), { ...policy, longest: 600_000 }).basis).toBe('told')
    expect(firstLease(grant(0, 0, 600_001), { ...policy, longest: 600_000 }).basis).toBe('unknown')
  })
})

describe('the lease of a claim by id (P2, §2)', () => {
  const claimed = (length: number, asked?: number): Lease =>
    claimedLease(grant(3_000, 1_000_000, 1_000_000 + length, asked), 23_000, policy)

  it('counts from the list that showed the clink, and ends no later than what was asked for', () => {
    expect(claimed(30_007, 40_000)).toMatchObject({ end: 33_007, grantedAt: 23_000, basis: 'told' })
    expect(claimed(62_000, 40_000)).toMatchObject({ end: 63_000, deadline: 63_000 - 6_200 - 1_000, basis: 'told' })
    expect(claimed(310_007)).toMatchObject({ end: 313_007, basis: 'told' })
    expect(claimed(322_000).end).toBe(323_000)
  })

  it('is believed to be older than the request by as much as the list, and by no more', () => {
    expect(claimed(62_001, 40_000)).toMatchObject({ end: 43_000, basis: 'assumed' })
  })

  it('is taken to be as long as was asked for where nothing tells: to ask again would tell no more', () => {
    expect(claimedLease(grant(3_000, undefined, undefined, 40_000), 23_000, policy)).toMatchObject({
      end: 43_000,
      basis: 'assumed',
    })
  })
})

describe('what a renewal leaves of a lease until it is answered (P2, §2)', () => {
  const lease: Lease = {
    firstSent: 0,
    grantedAt: 0,
    end: 100_000,
    deadline: 90_000,
    margin: 10_000,
    serverEnd: undefined,
    basis: 'told',
  }

  it('is what it asks for, less a margin for times that are rounded', () => {
    expect(shortenedLease(lease, 10_000, 50_000)).toEqual({ ...lease, deadline: 60_000 - 5_000 - 1_000 })
    expect(shortenedLease({ ...lease, end: 900_000, deadline: 810_000 }, 10_000).deadline).toBe(310_000 - 31_000)
  })

  it('is all of it where it asks for as much as there is, though its margin would be larger', () => {
    expect(shortenedLease(lease, 0, 100_000)).toBe(lease)
    expect(shortenedLease(lease, 0, 100_500)).toBe(lease)
  })

  it('is no more than there was after an earlier one that was not answered', () => {
    const shortened = { ...lease, deadline: 49_000 }
    expect(shortenedLease(shortened, 0, 99_000)).toBe(shortened)
    expect(shortenedLease(shortened, 5_000, 50_000)).toBe(shortened)
  })
})

describe('a claim that a poll has made anew (P2, §2)', () => {
  const known = firstLease(grant(0, 1_000_000, 1_100_000), policy)
  const anew = (sentAt: number, from: number | undefined, length: number): Lease =>
    firstLease(grant(sentAt, from, from === undefined ? undefined : from + length), policy)

  it('counts where it was made after the one that is known, and ends earlier', () => {
    expect(shortensAnew(known, anew(10_000, 1_010_000, 30_000))).toBe(true)
    expect(shortensAnew(known, anew(10_000, 1_010_000, 300_000))).toBe(false)
    expect(shortensAnew(known, anew(0, 1_000_000, 30_000))).toBe(false)
    expect(shortensAnew(known, { ...known, serverStart: 1_000_001 })).toBe(false)
  })

  it('counts not where nothing tells when it was made, or for how long', () => {
    const short = anew(10_000, 1_010_000, 30_000)
    expect(shortensAnew(known, { ...short, serverStart: undefined })).toBe(false)
    expect(shortensAnew(known, { ...short, basis: 'unknown' })).toBe(false)
    expect(shortensAnew({ ...known, serverStart: undefined }, short)).toBe(false)
  })
})

describe('whether the service tells of moments between two seconds (§2)', () => {
  it.each([
    [1_000, 2_000, false],
    [1_001, 2_000, true],
    [1_000, 2_001, true],
    [undefined, 2_001, true],
    [undefined, undefined, false],
  ])('%s and %s: %s', (from, to, tells) => {
    expect(tellsFraction(grant(0, from, to))).toBe(tells)
  })
})

describe('a renewed lease (P2, §2)', () => {
  const first = firstLease(grant(0, 1_000_000, 1_300_000), policy)

  it('grows by what the service moved its end, and never past what was asked for', () => {
    expect(renewedLease(first, grant(100_000, undefined, 1_400_000, 300_000), policy).end).toBe(400_000)
    expect(renewedLease(first, grant(100_000, undefined, 9_000_000, 300_000), policy).end).toBe(400_000)
  })

  it('is the same whether the service moves claimed_at or not', () => {
    const moves = renewedLease(first, grant(100_000, 1_100_000, 1_400_000, 300_000), policy)
    const stays = renewedLease(first, grant(100_000, 1_000_000, 1_400_000, 300_000), policy)
    expect(moves.end).toBe(stays.end)
  })

  it('whose start the service has moved has its whole length from the request of the last answer, though its first end was told too early', () => {
    const late = renewedLease(
      firstLease(grant(0, undefined, undefined), policy),
      grant(3_500, 503_500, 507_500),
      policy,
    )
    expect(late.end).toBe(4_000)
    const next = renewedLease(late, grant(3_600, 503_600, 507_600), policy)
    expect(next).toMatchObject({ end: 7_500, grantedAt: 3_600 })
    expect(renewedLease(next, grant(3_700, 503_700, 507_700), policy).end).toBe(7_600)
    expect(renewedLease(late, grant(3_600, 503_600, 507_600, 2_000), policy).end).toBe(5_600)
    expect(renewedLease(late, grant(3_600, 503_500, 507_600), policy).end).toBe(4_100)
    expect(renewedLease(late, grant(3_600, undefined, 507_600), policy).end).toBe(4_100)
  })

  it('ends earlier where the service says so', () => {
    expect(renewedLease(first, grant(100_000, undefined, 1_160_000, 60_000), policy).end).toBe(160_000)
  })

  it('is unchanged by an answer that shows the old end', () => {
    expect(renewedLease(first, grant(100_000, 1_000_000, 1_300_000, 300_000), policy)).toBe(first)
  })

  it('without times extends nothing, unless the operator vouches for it', () => {
    const answer = grant(100_000, undefined, undefined, 300_000)
    expect(renewedLease(first, answer, policy)).toBe(first)
    expect(renewedLease(first, answer, { ...policy, trustRenewals: true }).end).toBe(400_000)
  })

  it('learns the length of a claim whose poll did not say it, counted from the poll', () => {
    const unknown = firstLease(grant(0, undefined, undefined), policy)
    const told = renewedLease(unknown, grant(500, 1_000_400, 1_003_400, 300_000), policy)
    expect(told).toMatchObject({ end: 3_000, basis: 'told' })
  })

  it('learns it also where the first answer had told only its end, and the renewal has not moved that', () => {
    const unknown = firstLease(grant(0, undefined, 1_003_000), policy)
    expect(renewedLease(unknown, grant(500, 1_000_000, 1_003_000, 300_000), policy)).toMatchObject({
      end: 3_000,
      basis: 'told',
    })
  })

  it('of unknown length that is answered without times lasts as long as was asked for, from the first request on', () => {
    const unknown = firstLease(grant(0, undefined, undefined), policy)
    const answer = grant(500, undefined, undefined, 60_000)
    expect(renewedLease(unknown, answer, policy)).toMatchObject({ end: 60_000, basis: 'assumed' })
    expect(renewedLease(unknown, grant(500, undefined, undefined, 900_000), policy).end).toBe(300_000)
    const hours = grant(500, 0, 3_243_000, 60_000)
    expect(renewedLease(unknown, hours, policy)).toMatchObject({ end: 60_000, basis: 'assumed' })
  })

  it('is longer than was asked for by what had passed, where the service counts from the first claim', () => {
    const unknown = firstLease(grant(0, undefined, undefined), policy)
    const stays = { ...grant(4_000, 1_000, 66_000, 60_000), answeredAt: 5_000 }
    expect(renewedLease(unknown, stays, policy)).toMatchObject({ end: 64_000, basis: 'told' })
  })

  it('has its whole time again where an answer shows that renewals which were not answered have moved nothing', () => {
    const shortened = shortenedLease(first, 100_000, 30_000)
    expect(shortened.deadline).toBeLessThan(first.deadline)
    expect(renewedLease(shortened, grant(110_000, 1_000_000, 1_300_000, 300_000), policy)).toEqual(first)
  })

  it('is as it was where an end is told for the first time, and nothing tells from when it counts', () => {
    const assumed = claimedLease(grant(0, undefined, undefined, 40_000), 0, policy)
    expect(renewedLease(assumed, grant(10_000, undefined, 1_060_000, 40_000), policy)).toBe(assumed)
    const told = renewedLease(assumed, grant(10_000, 1_000_000, 1_045_000, 40_000), policy)
    expect(told).toMatchObject({ end: 45_000, basis: 'told' })
  })

  it('whose start lies behind its end moves as its end does: that start tells nothing', () => {
    expect(renewedLease(first, grant(100_000, 1_400_000, 1_310_000, 300_000), policy).end).toBe(310_000)
  })

  it('is longer than was asked for by no more than what had passed since the first claim', () => {
    const unknown = firstLease(grant(10_000, undefined, undefined), policy)
    const answer = (length: number): Grant => ({ ...grant(14_000, 1_000, 1_000 + length, 60_000), answeredAt: 15_000 })
    expect(renewedLease(unknown, answer(67_000), policy)).toMatchObject({ end: 74_000, basis: 'told' })
    expect(renewedLease(unknown, answer(67_001), policy)).toMatchObject({ end: 70_000, basis: 'assumed' })
  })

  it('is unmoved where neither its end, nor that of the service, nor what it rests on has changed', () => {
    expect(isUnmoved(first, { ...first, deadline: 1, grantedAt: 5 })).toBe(true)
    expect(isUnmoved(first, { ...first, end: first.end + 1 })).toBe(false)
    expect(isUnmoved(first, { ...first, serverEnd: 1 })).toBe(false)
    expect(isUnmoved(first, { ...first, basis: 'assumed' })).toBe(false)
  })

  it('of unknown length shows a change where nothing tells that there is none, to the millisecond', () => {
    const unknown = firstLease(grant(0, undefined, 5_000), policy)
    const after: Lease = { ...unknown, basis: 'assumed' }
    const at = (expiresAt: string | undefined): Grant => ({ ...grant(500, undefined, undefined), expiresAt })
    const precise: Lease = { ...unknown, serverEnd: 5_001 }
    expect(showsNoChange(precise, { ...precise, basis: 'assumed' }, at('1970-01-01T00:00:05.001Z'))).toBe(true)
    expect(showsNoChange(unknown, after, at('1970-01-01T00:00:05.000Z'))).toBe(false)
    expect(showsNoChange(unknown, after, at('1970-01-01T00:00:05Z'))).toBe(false)
    // A tenth of a second hides a renewal as well.
    const coarse: Lease = { ...unknown, serverEnd: 5_500 }
    expect(showsNoChange(coarse, { ...coarse, basis: 'assumed' }, at('1970-01-01T00:00:05.5Z'))).toBe(false)
    expect(showsNoChange(unknown, after, at(undefined))).toBe(false)
    const untold = { ...unknown, serverEnd: undefined }
    expect(showsNoChange(untold, { ...untold, basis: 'assumed' }, at('1970-01-01T00:00:05.001Z'))).toBe(false)
  })

  it('of unknown length whose end a renewal has not moved was not renewed', () => {
    const unknown = firstLease(grant(0, undefined, 5_001), policy)
    const same = grant(500, undefined, 5_001, 60_000)
    const moved = grant(500, undefined, 60_500, 60_000)
    expect(showsNoChange(unknown, renewedLease(unknown, same, policy), same)).toBe(true)
    expect(showsNoChange(unknown, renewedLease(unknown, moved, policy), moved)).toBe(false)
  })
})

describe('a renewal has extended nothing (P2, §2)', () => {
  const before: Lease = firstLease(grant(0, 1_000, 41_000), policy)
  const asking = (sentAt: number, asked: number): Grant => grant(sentAt, undefined, undefined, asked)

  it('when the deadline did not grow although a quarter of the lease had passed', () => {
    expect(extendedNothing(before, before, asking(10_000, 40_000))).toBe(true)
  })

  it('but not before that, nor within two seconds', () => {
    expect(extendedNothing(before, before, asking(9_999, 40_000))).toBe(false)
    const short = firstLease(grant(0, 1_000, 4_000), policy)
    expect(extendedNothing(short, short, asking(1_999, 3_000))).toBe(false)
    expect(extendedNothing(short, short, asking(2_000, 3_000))).toBe(true)
  })

  it('not when what was asked for ends when the claim would have ended anyway: in whole seconds that looks the same', () => {
    expect(extendedNothing(before, before, asking(15_000, 25_500))).toBe(false)
    expect(extendedNothing(before, before, asking(15_000, 28_000))).toBe(true)
  })

  it('not when the claim that it follows was made by id a moment ago, on what an earlier request had claimed', () => {
    const made = claimedLease(grant(3_000, 1_000_000, 1_060_000, 40_000), 23_000, policy)
    expect(made.end).toBe(63_000)
    expect(extendedNothing(made, made, asking(23_100, 30_000))).toBe(false)
    expect(extendedNothing(made, made, asking(33_000, 40_000))).toBe(true)
  })

  it('not when it grew, and not when the service moved its end to an earlier time', () => {
    const longer = grant(20_000, undefined, 61_000, 60_000)
    expect(extendedNothing(before, renewedLease(before, longer, policy), longer)).toBe(false)
    const shorter = grant(20_000, undefined, 31_000, 10_000)
    expect(extendedNothing(before, renewedLease(before, shorter, policy), shorter)).toBe(false)
    const untold = grant(20_000, undefined, undefined, 60_000)
    const trusted = renewedLease({ ...before, serverEnd: undefined }, untold, { ...policy, trustRenewals: true })
    expect(extendedNothing({ ...before, serverEnd: undefined }, trusted, untold)).toBe(false)
  })
})
