import { readFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ClinkApiError } from '../../src/clink/errors.ts'
import type { WorkerEvent } from '../../src/events.ts'
import { Metrics } from '../../src/metrics/metrics.ts'
import type { Observed } from '../../src/metrics/read-gauges.ts'
import { clink } from '../support/sample-records.ts'
import { namesOf, samplesOf } from '../support/samples.ts'

const facts = { clink, route: 'work', attempt: 1 }
const idle: ReturnType<Observed['gauges']> = {
  slots: 10,
  inFlight: 0,
  deadLetters: 0,
  isJournalWritable: true,
  isPaused: false,
  circuits: [{ route: 'work', isOpen: false }],
  inbox: undefined,
}

function observed(gauges: Partial<typeof idle> = {}): Observed {
  return {
    snapshot: () => ({ held: 1, parked: 2, stuck: 3, maybeClaimed: 4 }),
    readiness: () => ({ ready: true }),
    gauges: () => ({ ...idle, ...gauges }),
  }
}

function lost(mayHaveHappened: boolean): ClinkApiError {
  const none = { detail: undefined, retryAfter: undefined, failure: undefined, isBare: false }
  return new ClinkApiError('no answer', { ...none, operation: 'complete_clink', status: 0, mayHaveHappened })
}

/** What it says of these events, by names without the prefix. */
async function said(
  events: readonly WorkerEvent[],
  worker = observed(),
): Promise<(name: string) => number | undefined> {
  const metrics = new Metrics('1.2.3')
  onTestFinished(() => metrics.stop())
  for (const event of events) metrics.note(event)
  await metrics.load(() => 60_000)
  const samples = samplesOf(await metrics.text(worker))
  return (name) => samples.get(`clink_worker_${name}`)
}

describe('§7: metrics', () => {
  it('count what happened before they were loaded, and after it', async () => {
    const metrics = new Metrics('1.2.3')
    onTestFinished(() => metrics.stop())
    metrics.note({ event: 'clink.claimed', ...facts, lease: 1 })
    metrics.request('check_inbox', 200, 20)
    await metrics.load(() => 60_000)
    metrics.note({ event: 'clink.claimed', ...facts, lease: 1 })
    metrics.request('check_inbox', 'timeout', 30_000)
    const samples = samplesOf(await metrics.text(observed()))
    expect(samples.get('clink_worker_clinks_claimed_total')).toBe(2)
    expect(samples.get('clink_worker_api_requests_total{operation="check_inbox",status="200"}')).toBe(1)
    expect(samples.get('clink_worker_api_requests_total{operation="check_inbox",status="timeout"}')).toBe(1)
    expect(samples.get('clink_worker_api_request_duration_seconds_sum{operation="check_inbox"}')).toBeCloseTo(30.02)
  })

  it('say what came of polls; one that was lost is no other that failed', async () => {
    const failed = { event: 'poll.failed', error: lost(true), wait: 1, failures: 1 } as const
    const value = await said([
      { event: 'poll.succeeded', looked: true, asked: 5, received: 3, claimed: 3, duration: 1 },
      { event: 'poll.succeeded', looked: true, asked: 5, received: 0, claimed: 0, duration: 1 },
      // Rounds of claims by id of what was listed before are none.
      { event: 'poll.succeeded', looked: false, asked: 5, received: 0, claimed: 2, duration: 1 },
      { event: 'poll.succeeded', looked: false, asked: 0, received: 0, claimed: 0, duration: 1 },
      { event: 'poll.lost', asked: 5, error: lost(true) },
      failed,
      failed,
      { event: 'poll.probed', duration: 1 },
    ])
    const results = ['claimed', 'empty', 'lost', 'failed', 'probed'].map((result) =>
      value(`polls_total{result="${result}"}`),
    )
    expect(results).toEqual([1, 1, 1, 1, 1])
  })

  it('count each end of a run and of a claim by what it was', async () => {
    const value = await said([
      { event: 'clink.ended', ...facts, outcome: 'failed', duration: 2_000 },
      { event: 'clink.completed', ...facts, presumed: true, duration: 1 },
      { event: 'clink.released', ...facts, why: 'handler', duration: 1 },
      { event: 'clink.settledElsewhere', ...facts, detail: 'x' },
      { event: 'clink.leftToExpire', ...facts, why: 'x' },
      { event: 'clink.lost', ...facts, cause: 'taken' },
      { event: 'clink.renewed', ...facts, left: 1, headroom: 7_000 },
      { event: 'clink.renewalFailed', ...facts, error: lost(false), left: 1, failures: 1 },
      { event: 'clink.renewalRefused', ...facts, why: 'x', left: 1 },
      { event: 'clink.replayed', ...facts },
    ])
    expect(value('outcomes_total{route="work",outcome="failed"}')).toBe(1)
    expect(value('outcomes_total{route="work",outcome="done"}')).toBe(0)
    expect(value('handler_duration_seconds_sum{route="work"}')).toBe(2)
    expect(value('settlements_total{kind="complete",result="presumed"}')).toBe(1)
    expect(value('settlements_total{kind="release",result="confirmed"}')).toBe(1)
    expect(value('settlements_total{kind="release",result="expires"}')).toBe(1)
    expect(value('settlements_total{kind="either",result="elsewhere"}')).toBe(1)
    expect(value('leases_lost_total{cause="taken"}')).toBe(1)
    expect(value('lease_headroom_seconds_sum')).toBe(7)
    const renewals = ['renewed', 'failed', 'refused'].map((result) => value(`renewals_total{result="${result}"}`))
    expect(renewals).toEqual([1, 1, 1])
    expect(value('journal_replays_total')).toBe(1)
  })

  it('a result that may have arrived is unknown until its clink is settled, also where its lease was lost', async () => {
    const unanswered = {
      event: 'clink.settlementFailed',
      ...facts,
      kind: 'complete',
      error: lost(true),
      wait: 1,
      failures: 1,
    } as const
    const other = { ...unanswered, clink: { ...clink, clink_id: 'msg_2' } }
    const gone = { event: 'clink.lost', ...facts, cause: 'expired' } as const
    const open = [unanswered, unanswered, other, { ...unanswered, kind: 'release' }, gone] as const
    expect((await said(open))('unknown_settlements')).toBe(2)
    const settled = { event: 'clink.completed', ...facts, presumed: false, duration: 1 } as const
    expect((await said([...open, settled]))('unknown_settlements')).toBe(1)
    expect((await said([{ ...unanswered, error: lost(false) }]))('unknown_settlements')).toBe(0)
  })

  it('the time until a first start goes by the clock of the service, and says whether it was too long', async () => {
    const sent = { ...clink, created_at: '2026-11-01T10:00:00Z' }
    const start = (claimed_at: string, attempt: number): WorkerEvent => ({
      event: 'clink.started',
      ...facts,
      attempt,
      clink: { ...sent, claimed_at },
      waited: 500,
    })
    const value = await said([
      start('2026-11-01T10:00:10Z', 1),
      start('2026-11-01T10:01:00Z', 1),
      start('2026-11-01T11:00:00Z', 2),
      // A clock of the service that goes back is none of ours.
      start('2026-11-01T09:59:00Z', 1),
    ])
    expect(value('pickup_latency_seconds_count')).toBe(3)
    expect(value('pickup_latency_seconds_sum')).toBe(71)
    expect(value('pickup_slo_exceeded_total')).toBe(1)
  })

  it('read what is there; what is not known of the inbox is absent', async () => {
    const none = await said([])
    expect(none('inbox_pending')).toBeUndefined()
    expect(none('inbox_oldest_age_seconds')).toBeUndefined()
    expect(['held', 'parked', 'stuck', 'maybe_claimed', 'ready', 'slots'].map(none)).toEqual([1, 2, 3, 4, 1, 10])
    const inbox = { pending: 3, leftAlone: 97, oldest: 61_000, isSaturated: true }
    const circuits = [{ route: 'work', isOpen: true }]
    const value = await said([], observed({ inbox, circuits, isJournalWritable: false, deadLetters: 7, inFlight: 8 }))
    const names = [
      'inbox_pending',
      'inbox_left_alone',
      'inbox_oldest_age_seconds',
      'inbox_saturated',
      'journal_unwritable',
    ]
    expect(names.map(value)).toEqual([3, 97, 61, 1, 1])
    expect(['circuit_state{route="work"}', 'dead_letters', 'in_flight'].map(value)).toEqual([1, 7, 8])
    const empty = await said(
      [],
      observed({ inbox: { pending: 0, leftAlone: 0, oldest: undefined, isSaturated: false } }),
    )
    expect(empty('inbox_oldest_age_seconds')).toBe(0)
  })

  it('say whether an operator keeps it from taking clinks', async () => {
    expect((await said([]))('paused')).toBe(0)
    expect((await said([], observed({ isPaused: true })))('paused')).toBe(1)
  })

  it('say whether the last reload failed', async () => {
    const failed = { event: 'handlers.failed', error: new Error('x'), kept: 1 } as const
    expect((await said([failed]))('reload_failed')).toBe(1)
    expect((await said([failed, { event: 'handlers.loaded', generation: 2, files: [] }]))('reload_failed')).toBe(0)
    expect((await said([{ event: 'config.failed', error: new Error('x') }]))('reload_failed')).toBe(1)
    const key = { event: 'key.unusable', problem: 'x' } as const
    expect((await said([key, { event: 'handlers.loaded', generation: 2, files: [] }]))('reload_failed')).toBe(1)
    expect((await said([key, { event: 'key.unchanged' }]))('reload_failed')).toBe(0)
    expect((await said([{ ...key, isReadOnce: true }]))('reload_failed')).toBe(0)
  })

  it('have no label that clinks bring (P13)', async () => {
    const metrics = new Metrics('1.2.3')
    onTestFinished(() => metrics.stop())
    await metrics.load(() => 0)
    const secret = { ...clink, clink_id: 'msg_secret', content: 'secret', sender_id: 'secret', group_id: 'secret' }
    const about = { clink: secret, route: 'work', attempt: 1 }
    metrics.note({ event: 'clink.ended', ...about, outcome: 'failed', reason: 'secret', said: 'secret', duration: 1 })
    metrics.note({
      event: 'clink.settlementFailed',
      ...about,
      kind: 'complete',
      error: new Error('secret'),
      wait: 1,
      failures: 1,
    })
    metrics.note({ event: 'clink.deadLettered', ...about, reason: 'secret', attempts: 1 })
    metrics.note({ event: 'clink.lost', ...about, cause: 'taken', detail: 'secret' })
    expect(await metrics.text(observed())).not.toContain('secret')
  })

  it('docs/operations.md lists them all, and no other', async () => {
    const metrics = new Metrics('1.2.3')
    onTestFinished(() => metrics.stop())
    await metrics.load(() => 0)
    const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
    const listed = [...page.matchAll(/^\| `(\w+)(?:\{[\w,]+\})?` +\| (?:counter|gauge|histogram) /gm)].map(
      ([, name = '']) => name,
    )
    const own = namesOf(await metrics.text(observed())).map((name) => name.replace('clink_worker_', ''))
    expect(listed).toEqual(own)
  })
})

it('a worker without metrics answers nevertheless that they cannot be had', async () => {
  const metrics = new Metrics('1.2.3')
  const fails = metrics.text(observed())
  await metrics.load(() => {
    throw new Error('never asked')
  })
  metrics.stop()
  expect(await fails).toContain('clink_worker_build_info{version="1.2.3"')
})
