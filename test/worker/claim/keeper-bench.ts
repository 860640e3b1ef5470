import { ClinkApiError } from '../../../src/clink/errors.ts'
import type { Clink } from '../../../src/clink/records.ts'
import { KeeperMachine, type KeeperMachineOptions } from '../../../src/worker/claim/keeper-machine.ts'
import { shortenedLease, type Lease } from '../../../src/worker/claim/lease.ts'
import type { Renewal } from '../../../src/worker/claim/renewal.ts'
import { makeSettings, type Settings } from '../../support/settings.ts'
import { clink } from '../../support/sample-records.ts'

/** Of 100 s; it may be trusted for 90 s. Its first renewal is due at 30 s with a jitter of one half. */
export const LEASE: Lease = {
  firstSent: 0,
  grantedAt: 0,
  end: 100_000,
  deadline: 90_000,
  margin: 10_000,
  serverEnd: 1_100_000,
  basis: 'told',
}
export const FIRST = 27_000
export const ASKED = 30_000
export const NOW = 31_000
export const UNKNOWN: Lease = { ...LEASE, basis: 'unknown' }

type Granted = Extract<Renewal, { is: 'granted' }>
type Failed = Extract<Renewal, { is: 'failed' }>

interface Wish extends Partial<Pick<KeeperMachineOptions, 'isStrange' | 'renews' | 'renewsFirst' | 'lease'>> {
  readonly settings?: Settings
  /** Milliseconds that a renewal asks for. */
  readonly asked?: number
}

export function make({
  lease = LEASE,
  isStrange = false,
  renews = true,
  renewsFirst = false,
  asked = 100_000,
  settings,
}: Wish = {}): KeeperMachine {
  const terms: KeeperMachineOptions['terms'] = {
    ask: (before, sentAt, asksLength) => ({
      lease: before,
      sentAt,
      asked: asksLength ? asked : undefined,
      length: asksLength ? { timeout_seconds: asked / 1_000 } : {},
      unanswered: shortenedLease(before, sentAt, asksLength ? asked : undefined),
    }),
  }
  const current = makeSettings({ clink: { timeout: 30_000 }, ...settings })
  return new KeeperMachine({ lease, isStrange, renews, renewsFirst, settings: current, terms, random: () => 0.5 }, 0)
}

const record: Clink = { ...clink, status: 'claimed', claimed_by: 'user_1' }

/** An answer by which the claim lasts from `at` on; without `extended` as long as before. */
export function grant(at: number, extended = true, before: Lease = LEASE): Granted {
  const times = { claimedAt: '2026-01-05T08:00:00Z', expiresAt: '2026-01-05T08:05:00.123Z' }
  const moved = { grantedAt: at, end: at + 100_000, deadline: at + 90_000, serverEnd: 1_100_000 + at }
  const lease: Lease = extended ? { ...before, ...moved, basis: 'told' } : { ...before, grantedAt: at }
  return { is: 'granted', record, lease, grant: { sentAt: at, asked: 100_000, ...times } }
}

export function error(status: number, more: Partial<ClinkApiError> = {}): ClinkApiError {
  const facts = { detail: undefined, operation: 'claim_clink', mayHaveHappened: status === 0, isBare: false } as const
  return new ClinkApiError('failed', { ...facts, status, retryAfter: undefined, failure: undefined, ...more })
}

export const failed = (lease: Lease = LEASE, more: Partial<ClinkApiError> = {}): Failed => ({
  is: 'failed',
  error: error(503, more),
  lease,
})

export const names = ['waiting', 'asking', 'refused', 'looking', 'resting', 'over'] as const
export type StateName = (typeof names)[number]

/** How a machine comes into each state. */
export const states: Readonly<Record<StateName, () => KeeperMachine>> = {
  waiting: () => make(),
  asking: () => {
    const machine = make()
    machine.step(ASKED)
    return machine
  },
  refused: () => {
    const machine = states.asking()
    machine.refused(error(409), ASKED)
    return machine
  },
  looking: () => {
    const machine = states.refused()
    machine.step(ASKED)
    return machine
  },
  resting: () => {
    const machine = states.looking()
    machine.looked('ours', ASKED)
    return machine
  },
  over: () => {
    const machine = states.asking()
    machine.granted(grant(ASKED), 'taken', ASKED)
    return machine
  },
}

/** Steps until it asks. Local time of that, and what is asked. */
export function untilAsked(
  machine: KeeperMachine,
  from: number,
): { now: number; timeout: number; asksLength: boolean } {
  for (let now = from; ;) {
    const step = machine.step(now)
    if (step.do === 'renew') return { now, timeout: step.timeout, asksLength: step.asking.asked !== undefined }
    if (step.do !== 'wait' || step.next <= now) throw new Error(`${step.do} at ${now}`)
    now = step.next
  }
}
