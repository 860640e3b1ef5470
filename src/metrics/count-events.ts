import { wallNow } from '../base/host-time.ts'
import { readTime } from '../base/time-text.ts'
import type { Emit, WorkerEvent } from '../events.ts'
import type { Instruments } from './instruments.ts'

/** The most clinks of which it is remembered that their results may have arrived. */
const REMEMBERED = 10_000

type Of<Name extends WorkerEvent['event']> = Extract<WorkerEvent, { event: Name }>

/** Counts what happens. @param slo milliseconds in which a handler should be started after its clink was sent. */
export function countEvents(instruments: Instruments, slo: () => number): Emit {
  const { claimed, headroom, lost, outcomes, polls, reloadFailed, renewals, replays, duration } = instruments
  begin(instruments)
  let wasLost = false
  const settlement = countSettlements(instruments)
  return (event) => {
    // Most facts are not counted.
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check
    switch (event.event) {
      case 'poll.succeeded':
        return polls.inc({ result: event.claimed > 0 ? 'claimed' : 'empty' })
      case 'poll.probed':
        return polls.inc({ result: 'probed' })
      case 'poll.lost':
        wasLost = true
        return polls.inc({ result: 'lost' })
      case 'poll.failed':
        // The same poll again.
        if (!wasLost) polls.inc({ result: 'failed' })
        wasLost = false
        return
      case 'clink.claimed':
        return claimed.inc()
      case 'clink.started':
        return notePickup(event, instruments, slo())
      case 'clink.ended':
        outcomes.inc({ route: event.route ?? '', outcome: event.outcome })
        return duration.observe({ route: event.route ?? '' }, event.duration / 1_000)
      case 'clink.renewed':
        renewals.inc({ result: 'renewed' })
        return headroom.observe(event.headroom / 1_000)
      case 'clink.renewalFailed':
        return renewals.inc({ result: 'failed' })
      case 'clink.renewalRefused':
        return renewals.inc({ result: 'refused' })
      case 'clink.lost':
        return lost.inc({ cause: event.cause })
      case 'clink.replayed':
        return replays.inc()
      case 'handlers.failed':
      case 'config.failed':
        return reloadFailed.set(1)
      case 'handlers.loaded':
        return reloadFailed.set(0)
      default:
        return settlement(event)
    }
  }
}

/** So that the first of each kind is seen as an increase. */
function begin({ lost, polls, reloadFailed, renewals, settlements }: Instruments): void {
  for (const result of ['claimed', 'empty', 'failed', 'lost', 'probed']) polls.inc({ result }, 0)
  for (const result of ['renewed', 'failed', 'refused']) renewals.inc({ result }, 0)
  for (const cause of ['expired', 'refused', 'completed-elsewhere', 'taken', 'pending-again']) lost.inc({ cause }, 0)
  for (const result of ['confirmed', 'presumed', 'failed', 'unknown']) settlements.inc({ kind: 'complete', result }, 0)
  for (const result of ['confirmed', 'failed', 'unknown', 'expires']) settlements.inc({ kind: 'release', result }, 0)
  settlements.inc({ kind: 'either', result: 'elsewhere' }, 0)
  reloadFailed.set(0)
}

/** The service says by its own clock how long the clink lay in the inbox; where it does not, its clock and ours count as one. */
function notePickup(
  { attempt, clink, waited }: Of<'clink.started'>,
  { pickup, pickupSlo }: Instruments,
  slo: number,
): void {
  const sent = readTime(clink.created_at)
  if (attempt !== 1 || sent === undefined) return
  const claimedAt = readTime(clink.claimed_at)
  const latency = Math.max(0, claimedAt === undefined ? wallNow() - sent : claimedAt - sent + waited)
  pickup.observe(latency / 1_000)
  if (latency > slo) pickupSlo.inc()
}

function countSettlements({ settlements, unknown }: Instruments): Emit {
  /** Clinks whose results may have arrived. */
  const doubtful = new Set<string>()
  const settled = (id: string): void => {
    if (doubtful.delete(id)) unknown.set(doubtful.size)
  }
  unknown.set(0)
  return (event) => {
    // Most facts are not counted.
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check
    switch (event.event) {
      case 'clink.completed':
        settlements.inc({ kind: 'complete', result: event.presumed ? 'presumed' : 'confirmed' })
        return settled(event.clink.clink_id)
      case 'clink.released':
        settlements.inc({ kind: 'release', result: 'confirmed' })
        return settled(event.clink.clink_id)
      case 'clink.settledElsewhere':
        settlements.inc({ kind: 'either', result: 'elsewhere' })
        return settled(event.clink.clink_id)
      case 'clink.leftToExpire':
        settlements.inc({ kind: 'release', result: 'expires' })
        return settled(event.clink.clink_id)
      case 'clink.deadLettered':
        return settled(event.clink.clink_id)
      case 'clink.settlementFailed': {
        const { clink, error, kind } = event
        const mayHaveHappened = 'mayHaveHappened' in error && error.mayHaveHappened === true
        settlements.inc({ kind, result: mayHaveHappened ? 'unknown' : 'failed' })
        if (!mayHaveHappened || kind === 'release' || doubtful.size >= REMEMBERED) return
        doubtful.add(clink.clink_id)
        return unknown.set(doubtful.size)
      }
    }
  }
}
