import { expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { ClinkApiError } from '../../../src/clink/errors.ts'
import type { Clink } from '../../../src/clink/records.ts'
import { Identity } from '../../../src/keys/identity.ts'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import type { Lease } from '../../../src/worker/claim/lease.ts'
import { Siblings } from '../../../src/worker/claim/siblings.ts'
import { ClaimTerms } from '../../../src/worker/claim/terms.ts'
import { ServiceTime } from '../../../src/clink/service-time.ts'
import { Pulses } from '../../../src/worker/liveness/pulses.ts'
import { WorkerSignals } from '../../../src/worker/signals.ts'
import { makeSettings } from '../../support/settings.ts'
import { clink as sample } from '../../support/sample-records.ts'

const TEN_MINUTES = 600_000

function claimed() {
  const clock = systemClock()
  const ledger = new Ledger(memoryTables())
  const settings = makeSettings({ claim: { timeout: TEN_MINUTES } })
  const { signal } = new AbortController()
  const parts = { settings, clock, random: () => 0.5, emit: () => {}, ledger, signals: new WorkerSignals() }
  const terms = new ClaimTerms(
    { ...parts, pulses: new Pulses(clock), stopping: signal, closing: signal },
    new ServiceTime(),
  )
  const now = clock.now()
  const times = { claimedAt: '2026-01-05T08:00:00.000Z', expiresAt: '2026-01-05T08:10:00.000Z' }
  const lease: Lease = terms.first({ sentAt: now, asked: TEN_MINUTES, ...times })
  const clink: Clink = { ...sample, status: 'claimed' }
  return { clink, clock, lease, now, parts: { ...parts, identity: new Identity(undefined, () => {}), terms, url: 'u' } }
}

async function refused(status: number, failure?: 'reset'): Promise<never> {
  const facts = { detail: undefined, operation: 'claim_clink', retryAfter: undefined, isBare: false } as const
  return await Promise.reject(
    new ClinkApiError('refused', { ...facts, status, mayHaveHappened: status === 0, failure }),
  )
}

it('§1, §2: a sibling that asks for less than is left leaves the claim no longer than it asked for (P2)', async () => {
  const { clink, clock, lease, now, parts } = claimed()
  expect(lease.basis).toBe('told')
  // A renewal, of whichever claim, was answered without times.
  parts.terms.renewed(lease, { sentAt: now, asked: TEN_MINUTES, claimedAt: undefined, expiresAt: undefined })

  const asked: { seconds: number | undefined; trustedFor: number }[] = []
  const over = new AbortController()
  const claimClink = async (
    params: { readonly timeout_seconds?: number | undefined },
    limits?: { readonly deadline?: number | undefined },
  ): Promise<never> => {
    asked.push({ seconds: params.timeout_seconds, trustedFor: (limits?.deadline ?? Infinity) - clock.now() })
    over.abort()
    return await refused(0, 'reset')
  }
  const api = { claimClink, getClinks: async () => await Promise.reject(new Error('nobody looks')) }
  const siblings = new Siblings({ ...parts, api, sibling: api, exclusive: false })
  const found = await siblings.findOut({ clink, lease, api }, over.signal)

  expect(asked.length).toBeGreaterThan(0)
  for (const { seconds = 300, trustedFor } of asked) expect(trustedFor).toBeLessThan(seconds * 1_000)
  expect(found.lease.deadline - now).toBeLessThan((asked[0]?.seconds ?? 0) * 1_000)
})

it.for([
  ['it may be claimed once more', true, 'refused'],
  ['it may not', false, 'unknown'],
] as const)(
  '§1: a refused sibling shows nothing of a clink behind a full list, unless %s',
  async ([, isOurs, verdict]) => {
    const { clink, lease, parts } = claimed()
    const api = {
      claimClink: async () => (isOurs ? await Promise.resolve(clink) : await refused(409)),
      getClinks: async () =>
        await Promise.resolve({
          malformed: [],
          clinks: Array.from({ length: 100 }, (_, n) => ({ ...sample, clink_id: `other_${n}` })),
        }),
    }
    const sibling = { claimClink: async () => await refused(409) }
    const siblings = new Siblings({ ...parts, api, sibling, exclusive: false })
    const found = await siblings.findOut({ clink, lease, api }, new AbortController().signal)
    expect(found.verdict).toBe(verdict)
  },
)
