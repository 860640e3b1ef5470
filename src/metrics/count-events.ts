import { wallNow } from '../base/host-time.ts'
import { readTime } from '../base/time-text.ts'
import type { Emit, WorkerEvent } from '../events.ts'
import type { Instruments } from './instruments.ts'

/** The most clinks of which it is remembered that their results may have arrived. */
const REMEMBERED = 10_000

type Of<Name extends WorkerEvent['event']> = Extract<WorkerEvent, { event: Name }>

/** Counts what happens. @param slo milliseconds in which a handler should be started after its clink was sent. */
export function countEvents(instruments: Instruments, slo: () => number): Emit {
  const { claimed, headroom, lost, outcomes, polls, renewals, replays, duration } = instruments
  begin(instruments)
  let wasLost = false
  const reload = noteReloads(instruments)
  const settlement = countSettlements(instruments)
  return (event) => {
    // Most facts are not counted.
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check
    switch (event.event) {
      case 'poll.succeeded':
        return event.looked ? polls.add(event.claimed > 0 ? 'claimed' : 'empty') : undefined
      case 'poll.probed':
        return polls.add('probed')
      case 'poll.lost':
        wasLost = true
        return polls.add('lost')
      case 'poll.failed':
        // The same poll again.
        if (!wasLost) polls.add('failed')
        wasLost = false
        return
      case 'clink.claimed':
        return claimed.add()
      case 'clink.started':
        return notePickup(event, instruments, slo())
      case 'clink.ended':
        outcomes.add(event.route, event.outcome)
        return duration.observe(event.duration / 1_000, event.route)
      case 'clink.renewed':
        renewals.add('renewed')
        return headroom.observe(event.headroom / 1_000)
      case 'clink.renewalFailed':
        return renewals.add('failed')
      case 'clink.renewalRefused':
        return renewals.add('refused')
      case 'clink.lost':
        return lost.add(event.cause)
      case 'clink.replayed':
        return replays.add()
      default:
        reload(event)
        return settlement(event)
    }
  }
}

/** So that the first of each kind is seen as an increase. */
function begin({ lost, polls, reloadFailed, renewals, settlements }: Instruments): void {
  for (const result of ['claimed', 'empty', 'failed', 'lost', 'probed']) polls.add(result, '', 0)
  for (const result of ['renewed', 'failed', 'refused']) renewals.add(result, '', 0)
  for (const cause of ['expired', 'refused', 'completed-elsewhere', 'taken', 'pending-again', 'right-expired'])
    lost.add(cause, '', 0)
  for (const result of ['confirmed', 'presumed', 'failed', 'unknown']) settlements.add('complete', result, 0)
  for (const result of ['confirmed', 'failed', 'unknown', 'expires']) settlements.add('release', result, 0)
  settlements.add('either', 'elsewhere', 0)
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
  if (latency > slo) pickupSlo.add()
}

/** What was changed and cannot be used: handlers or configuration, or the key file. */
function noteReloads({ reloadFailed }: Instruments): Emit {
  const failed = new Set<'files' | 'key'>()
  return (event) => {
    const name = event.event
    if (name === 'handlers.failed' || name === 'config.failed') failed.add('files')
    if (name === 'handlers.loaded') failed.delete('files')
    if (name === 'key.unusable' && event.isReadOnce !== true) failed.add('key')
    if (name === 'key.refused' && event.goesOn) failed.add('key')
    if (name === 'key.changed' || name === 'key.unchanged') failed.delete('key')
    reloadFailed.set(failed.size === 0 ? 0 : 1)
  }
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
        settlements.add('complete', event.presumed ? 'presumed' : 'confirmed')
        return settled(event.clink.clink_id)
      case 'clink.released':
        settlements.add('release', 'confirmed')
        return settled(event.clink.clink_id)
      case 'clink.settledElsewhere':
        settlements.add('either', 'elsewhere')
        return settled(event.clink.clink_id)
      case 'clink.leftToExpire':
        settlements.add('release', 'expires')
        return settled(event.clink.clink_id)
      case 'clink.deadLettered':
        return settled(event.clink.clink_id)
      case 'clink.settlementFailed': {
        const { clink, error, kind } = event
        const mayHaveHappened = 'mayHaveHappened' in error && error.mayHaveHappened === true
        settlements.add(kind, mayHaveHappened ? 'unknown' : 'failed')
        if (!mayHaveHappened || kind === 'release' || doubtful.size >= REMEMBERED) return
        doubtful.add(clink.clink_id)
        return unknown.set(doubtful.size)
      }
    }
  }
}
