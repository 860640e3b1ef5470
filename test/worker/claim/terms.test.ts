import { describe, expect, it } from 'vitest'
import { ServiceTime } from '../../../src/clink/service-time.ts'
import type { WorkerEvent } from '../../../src/events.ts'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import type { Grant, Lease } from '../../../src/worker/claim/lease.ts'
import { ClaimTerms } from '../../../src/worker/claim/terms.ts'
import { Pulses } from '../../../src/worker/liveness/pulses.ts'
import { WorkerSignals } from '../../../src/worker/signals.ts'
import { makeSettings, type Settings } from '../../support/settings.ts'

/** The terms of a worker beside which there is nothing else. */
function setUp(claim: Settings['claim'] = {}) {
  let now = 1_000_000
  const clock = { now: () => now, wall: () => now, at: () => () => {} }
  const told: WorkerEvent[] = []
  const signals = new WorkerSignals()
  const serviceTime = new ServiceTime()
  const { signal } = new AbortController()
  const settings = makeSettings({ claim: { timeout: 60_000, ...claim } })
  const parts = { settings, clock, random: () => 0.5, emit: (event: WorkerEvent) => told.push(event), signals }
  const rest = { ledger: new Ledger(memoryTables()), pulses: new Pulses(clock), stopping: signal, closing: signal }
  const terms = new ClaimTerms({ ...parts, ...rest }, serviceTime)
  return { terms, told, signals, serviceTime, settings, pass: (ms: number) => (now += ms) }
}

/** Service times in milliseconds of its clock. */
const grant = (sentAt: number, from?: number, to?: number, asked?: number): Grant => ({
  sentAt,
  asked,
  claimedAt: from === undefined ? undefined : new Date(from).toISOString(),
  expiresAt: to === undefined ? undefined : new Date(to).toISOString(),
})

describe('§2: the length that is asked for', () => {
  it('is claim.timeout in whole seconds, and none once the service has refused it', () => {
    const { terms } = setUp({ timeout: 59_500 })
    expect([terms.secondsFor({ basis: 'told' }), terms.seconds]).toEqual([60, 60])
    terms.asksLength = false
    expect([terms.secondsFor({ basis: 'told' }), terms.seconds]).toEqual([undefined, undefined])
  })

  it('is no longer than would be believed where the service does not tell what it gives', () => {
    const { terms } = setUp({ timeout: 900_000 })
    expect(terms.secondsFor({ basis: 'told' })).toBe(900)
    expect(terms.secondsFor({ basis: 'assumed' })).toBe(300)
    expect(terms.secondsFor({ basis: 'unknown' })).toBe(300)
    expect(setUp().terms.secondsFor({ basis: 'assumed' })).toBe(60)
  })

  it('is told of the longest claim that was believed, and of none at first', () => {
    const { terms } = setUp()
    expect(terms.longest).toBe(0)
    terms.first(grant(0, 0, 90_000))
    terms.first(grant(0, 0, 60_000))
    expect(terms.longest).toBe(90_000)
  })

  it('of a new claim goes by whether the last renewal told an end', () => {
    const { terms } = setUp({ timeout: 900_000 })
    const lease = terms.first(grant(0, 0, 300_000))
    expect([terms.timesAbsent, terms.seconds]).toEqual([false, 900])
    terms.renewed(lease, grant(1_000))
    expect([terms.timesAbsent, terms.seconds]).toEqual([true, 300])
    terms.renewed(lease, grant(1_000, 0, 301_000))
    expect([terms.timesAbsent, terms.seconds]).toEqual([false, 900])
  })

  it('and what that leaves of the lease are about the same (P2)', () => {
    const { terms } = setUp({ timeout: 60_000 })
    const lease = terms.first(grant(0, 0, 300_000))
    const asked = terms.ask(lease, 10_000)
    expect(asked).toMatchObject({ lease, sentAt: 10_000, asked: 60_000, length: { timeout_seconds: 60 } })
    expect(asked.unanswered.deadline).toBe(70_000 - 6_000 - 1_000)
    const bare = terms.ask(lease, 10_000, false)
    expect([bare.asked, bare.length]).toStrictEqual([undefined, {}])
    expect(bare.unanswered).toBe(lease)
    terms.asksLength = false
    expect(terms.ask(lease, 10_000)).toMatchObject({ asked: undefined, length: {} })
  })

  it('is what it was when the claim was made, though the setting has changed since', () => {
    const { settings, terms } = setUp({ timeout: 60_000 })
    const lease = terms.first(grant(0, 0, 60_000))
    expect(lease.settings).toBe(settings.current.claim)
    const kept = { ...lease, settings: { timeout: 20_000, trustRenewals: true } }
    expect([terms.secondsFor(kept), terms.secondsFor({ basis: 'told' })]).toEqual([20, 60])
    const renewed = terms.renewed(kept, grant(1_000, undefined, undefined, 20_000))
    expect(renewed).toMatchObject({ end: 21_000, settings: kept.settings })
    // One that has not changed is the same: it need not be journalled again.
    const untrusted = { ...lease, settings: { timeout: 20_000, trustRenewals: false } }
    expect(terms.renewed(untrusted, grant(1_000, 0, 60_000, 20_000))).toBe(untrusted)
  })
})

describe('§2: what answers have told', () => {
  it('nothing is known before the first; then whether they say how long a claim lasts', () => {
    const { terms } = setUp()
    expect([terms.areTold, terms.areRenewed]).toEqual([undefined, undefined])
    const unknown = terms.first(grant(0))
    expect([unknown.basis, terms.areTold]).toEqual(['unknown', undefined])
    terms.renewed(unknown, grant(500, undefined, undefined, 60_000))
    expect(terms.areTold).toBe(false)
    terms.first(grant(0, 0, 300_000))
    expect(terms.areTold).toBe(true)
  })

  it('that it renews is shown by an end that it tells and has moved to a later time, and by nothing else', () => {
    const { terms } = setUp()
    const lease = terms.first(grant(0, 0, 60_000))
    for (const answer of [grant(1_000, 0, 60_000, 60_000), grant(2_000, 0, 59_000, 60_000), grant(3_000)]) {
      terms.renewed(lease, answer)
      expect(terms.areRenewed).toBeUndefined()
    }
    const trusting = { ...lease, basis: 'assumed' as const, settings: { timeout: 300_000, trustRenewals: true } }
    expect(terms.renewed(trusting, grant(10_000, undefined, undefined, 60_000)).end).toBe(70_000)
    expect(terms.areRenewed).toBeUndefined()
    terms.renewed(lease, grant(10_000, 0, 70_000, 60_000))
    expect(terms.areRenewed).toBe(true)
  })

  it('a length that was told once is believed again, though less was asked for', () => {
    const { terms } = setUp()
    const long = grant(5_000, 1_000_000, 1_600_000, 600_000)
    expect(terms.first(grant(5_000, 1_000_000, 1_600_000)).basis).toBe('unknown')
    expect(terms.claimed(long, 5_000)).toMatchObject({ basis: 'told', end: 605_000 })
    expect(terms.first(grant(9_000, 1_000_000, 1_060_000)).basis).toBe('told')
    expect(terms.first(grant(9_000, 1_000_000, 1_600_000)).basis).toBe('told')
    expect(terms.first(grant(9_000, 1_000_000, 1_600_001)).basis).toBe('unknown')
  })

  it('a length that was not believed makes no other one believable', () => {
    const { terms } = setUp()
    terms.renewed(terms.first(grant(0)), grant(1_000, 0, 3_600_000, 60_000))
    expect(terms.first(grant(0, 0, 303_000)).basis).toBe('unknown')
  })

  it('nor does one that was only assumed', () => {
    const { terms } = setUp({ timeout: 900_000 })
    expect(terms.first(grant(0))).toMatchObject({ end: 300_000, basis: 'unknown' })
    expect(terms.claimed(grant(0, 0, 250_000, 60_000), 0)).toMatchObject({ end: 60_000, basis: 'assumed' })
  })

  it('zeros in the place of a fraction are taken for rounded until it has told of a fraction', () => {
    const { terms } = setUp()
    const margin = (): number => terms.first(grant(0, 1_000, 101_000)).margin
    expect(margin()).toBe(11_000)
    terms.first(grant(0, 1_001, 101_001))
    expect(margin()).toBe(10_000)
    expect(margin()).toBe(10_000)
  })

  it('the start of a claim whose poll did not tell it is a moment of the service that came after that poll', () => {
    const { serviceTime, terms } = setUp()
    const known = terms.first(grant(500, 1_000_000, 1_060_000))
    terms.renewed(known, grant(600, 1_000_100, 1_060_100, 60_000))
    expect(serviceTime.newest).toEqual([])
    terms.renewed(terms.first(grant(700)), grant(900, 1_000_200, 1_060_200, 60_000))
    expect(serviceTime.newest).toEqual([{ stamp: 1_000_200, sentAt: 700 }])
  })
})

describe('§2: what people are told of it, once', () => {
  const untold = (told: readonly WorkerEvent[]): readonly WorkerEvent[] =>
    told.filter(({ event }) => event === 'worker.claimLengthUntold')

  it('that the service does not say how long a claim lasts: by the first that is made by id', () => {
    const { terms, told } = setUp()
    terms.claimed(grant(3_000, 0, 60_000, 60_000), 3_000)
    expect(told).toEqual([])
    terms.claimed(grant(3_000, undefined, undefined, 60_000), 4_000)
    terms.claimed(grant(3_000, undefined, undefined, 60_000), 4_000)
    expect(told).toEqual([
      {
        event: 'worker.claimLengthUntold',
        assumed: 60_000,
        advice: expect.stringMatching(/does not say how long a claim lasts.*may be run twice/),
      },
    ])
  })

  it('or by the first whose renewal does not tell it either, and by none of which it was assumed before', () => {
    const { terms, told } = setUp()
    const assumed: Lease = { ...terms.first(grant(2_000)), basis: 'assumed' }
    terms.renewed(assumed, grant(2_500, undefined, undefined, 60_000))
    const known = terms.renewed(terms.first(grant(2_000)), grant(2_500, 0, 30_000, 60_000))
    expect([known.basis, untold(told)]).toEqual(['told', []])
    terms.renewed(terms.first(grant(2_000)), grant(2_500, undefined, undefined, 60_000))
    expect(untold(told)).toMatchObject([{ assumed: 60_000 }])
  })

  it('that it renews nothing', () => {
    const { terms, told } = setUp()
    terms.renewsNothing('the service answered 409')
    terms.renewsNothing('the service answered 404')
    expect(told).toEqual([{ event: 'worker.renewalUnsupported', why: 'the service answered 409' }])
    expect(terms.areRenewed).toBe(false)
  })
})

describe('§2, P10: claims of unknown length that the service does not renew', () => {
  it('are made no more after three in a row, but for one a minute', () => {
    const { pass, terms, told } = setUp()
    terms.unconfirmed()
    terms.unconfirmed()
    terms.tried()
    expect([terms.areUnusable, terms.unusableUntil, terms.trouble, told]).toEqual([false, -Infinity, undefined, []])
    pass(500)
    terms.unconfirmed()
    expect([terms.areUnusable, terms.unusableUntil]).toEqual([true, 1_060_500])
    expect(told).toEqual([
      {
        event: 'worker.claimsUnusable',
        reason: 'the service does not say how long a claim lasts, and does not renew it',
        advice: expect.stringMatching(/one is tried a minute; .*claimed_at and claim_expires_at/),
      },
    ])
    expect(terms.trouble).toMatch(/does not renew it: clinks are left to others/)
    pass(60_000)
    terms.tried()
    expect(terms.unusableUntil).toBe(1_120_500)
    pass(1_000)
    terms.unconfirmed()
    expect([terms.unusableUntil, told.length]).toEqual([1_121_500, 2])
  })

  it('count anew from one that was renewed, and are no trouble once a clink has started', () => {
    const { signals, terms } = setUp()
    terms.unconfirmed()
    terms.unconfirmed()
    terms.confirmed()
    terms.unconfirmed()
    expect([terms.areUnusable, terms.trouble]).toEqual([false, undefined])
    terms.unconfirmed()
    terms.unconfirmed()
    terms.confirmed()
    expect([terms.areUnusable, terms.unusableUntil]).toEqual([false, -Infinity])
    expect(terms.trouble).toMatch(/does not renew it/)
    signals.started.say()
    expect(terms.trouble).toBeUndefined()
  })
})
