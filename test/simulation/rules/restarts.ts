import { workerOf, KILLER } from '../plan.ts'
import type { Evidence, Rule } from '../judge.ts'
import type { LifeRecord, Record } from '../record.ts'
import { CLAIM_ENDS } from './leases.ts'

/** Facts after which a process has a claim no more. */
const ENDS: ReadonlySet<string> = new Set([...CLAIM_ENDS, 'clink.deadLettered'])
/** Facts that say what a process does with a claim in hand. */
const STATES: ReadonlySet<string> = new Set(['clink.claimed', 'clink.started', 'clink.held', 'clink.ended'])
/** Milliseconds after which everything is journalled, and after which a start has done what it does first. */
const SETTLED = 100
/** Milliseconds that a start waits for its fleet at most. */
const ENTERING = 1_000
/** Calls with which it enters it: it makes what is missing, shows itself, looks, and tells what it has not told. */
const ENTERS = 4
/** So many crashes in a row make a suspect of what was running. */
const IN_A_ROW = 2
/** Milliseconds for which a suspect stays alone when it has ended. */
const AFTERMATH = 10_000
/** Milliseconds after which others run beside one at the earliest. */
const ALONE = 60_000

/** P9: claims that the process before held when it crashed, and that still stand, are held on to at once. */
export const claimsAreHeldOnTo: Rule = (evidence) => {
  const { record } = evidence
  return [...record.lives.values()].flatMap((life) => {
    const before = record.livesOf(life.state).findLast(({ startedAt }) => startedAt < life.startedAt)
    if (before?.crashedAt === undefined || before.boot !== life.boot || before.jumps.length > 0) return []
    if (life.sleeps.length > 0) return []
    return heldBy(evidence, before).flatMap((clinkId) => {
      const done = namedBy(evidence, life, clinkId)
      // Whoever is told to stop before it has entered its fleet begins nothing.
      const isStopped = life.isOfFleet === true && (life.stopAskedAt ?? Infinity) < done
      if (isStopped || (life.crashedAt ?? Infinity) < done || !hasItsKey(record, life, clinkId)) return []
      if (trustedUntil(record, before, clinkId) <= done) return []
      const isSaid = record.told(life.name, clinkId).some(({ at }) => at >= life.startedAt && at <= done)
      if (isSaid) return []
      const text = `the claim on ${clinkId}, which ${before.name} held, is not held on to`
      return [{ rule: 'P9', at: life.startedAt, life: life.name, text }]
    })
  })
}

/**
 * By when a process names a claim that it holds on to. What a start notes first, it waits for. While the route of its clink is looked for,
 * the claim is renewed when that is due, and then named with the answer to the renewal that is on its way.
 */
function namedBy({ plan, record }: Evidence, { name, startedAt }: LifeRecord, clinkId: string): number {
  const { patterns, store } = plan.world
  // It enters its fleet, and what it notes of the crash its fleet has to know.
  const enters = record.fleet.answeredBy(name, startedAt + SETTLED, ENTERS)
  const entered = Math.min(enters, startedAt + SETTLED + ENTERING)
  const noted = record.fleet.answeredBy(name, entered + SETTLED + (store?.slowest ?? 0))
  const atOnce = noted + SETTLED + (store?.slowest ?? 0)
  if (patterns === undefined) return atOnce
  const found = atOnce + patterns.slowest
  const renewals = (record.requestsByClink.get(clinkId) ?? []).filter(({ begunAt, kind, life }) => {
    return life === name && kind === 'claim' && begunAt >= startedAt && begunAt <= found
  })
  return Math.max(found, ...renewals.map(({ endedAt = Infinity }) => endedAt))
}

/** Whether a process begins with the key that made a claim, and renewed it: with another one it has to ask first whose claim it is. */
function hasItsKey(record: Record, { name, startedAt }: LifeRecord, clinkId: string): boolean {
  const key = record.requests.find(({ life }) => life === name)?.key
  const grants = record.grantsOf(name, clinkId).filter(({ at }) => at < startedAt)
  const ofClaim = grants.slice(
    Math.max(
      0,
      grants.findLastIndex(({ isNew }) => isNew),
    ),
  )
  return key === undefined || ofClaim.every(({ request }) => request.key === key)
}

/** What a process had done by then was in its journal when it crashed: it has run for long enough since. */
export function journalledBy({ crashedAt = 0, sleeps, unwrittenSince = crashedAt }: LifeRecord): number {
  const slept = sleeps.find(({ to }) => to >= crashedAt - SETTLED)
  return Math.min(slept?.from ?? crashedAt, crashedAt, unwrittenSince) - SETTLED
}

/**
 * Until when a process that crashed had trusted its claim, by its own account, as far as that has to be journalled: a renewal is where less
 * than half a lease is left of the journalled end, so half of what it has brought is there in any case.
 */
function trustedUntil(record: Record, before: LifeRecord, clinkId: string): number {
  const { name, crashedAt = 0 } = before
  const ends = (record.eventsByLife.get(name) ?? []).flatMap(({ at, event }) => {
    if (!('clink' in event) || event.clink.clink_id !== clinkId) return []
    if (event.event === 'clink.claimed') return [{ at, end: at + event.lease }]
    return event.event === 'clink.renewed' ? [{ at, end: at + event.left / 2 }] : []
  })
  const journalled = ends.findLastIndex(({ at }) => at < journalledBy(before))
  // Of the last ones it is not known whether they were journalled; some renewals shorten a claim, and one that was not answered may have.
  const last = ends.at(-1)?.at ?? -Infinity
  const asked = (record.requestsByClink.get(clinkId) ?? []).flatMap(({ asked: length, begunAt, kind, life }) => {
    const isOpen = kind === 'claim' && life === name && begunAt >= last && begunAt <= crashedAt && length !== undefined
    return isOpen ? [begunAt + length * 0.9 - 1_000] : []
  })
  return journalled < 0 ? -Infinity : Math.min(...asked, ...ends.slice(journalled).map(({ end }) => end))
}

/** Clinks that a process held when it crashed, by its own account. */
function heldBy({ plan, record }: Evidence, before: LifeRecord): readonly string[] {
  const { name, crashedAt = 0, stopAskedAt = Infinity } = before
  const drains = record.holds.filter(({ life, what }) => life === name && what === 'drain')
  const givesBackFrom = Math.min(stopAskedAt, ...drains.map(({ askedAt }) => askedAt))
  const events = record.eventsByLife.get(name) ?? []
  const isAborting = events.some(({ at, event }) => event.event === 'worker.aborting' && at <= crashedAt)
  const claimed = events.flatMap(({ at, event }) =>
    event.event === 'clink.claimed' && at < journalledBy(before) ? [event.clink.clink_id] : [],
  )
  return [...new Set(claimed)].filter((clinkId) => {
    const told = record.told(name, clinkId).filter(({ at }) => at <= crashedAt)
    const last = told.findLastIndex(({ event }) => event.event === 'clink.claimed')
    const isReleased = record.requestsByClink
      .get(clinkId)
      ?.some(({ kind, life }) => life === name && (kind === 'release' || kind === 'complete'))
    const isActedOn = record.acts.some((act) => act.clinkId === clinkId)
    // Who was about to give it back, or had noted that, leaves it alone. A start that could not be begun is no run, and those of earlier claims say nothing.
    const since = told[last]?.at ?? -Infinity
    const run = record.runsOf(name, clinkId).findLast(({ life, startedAt }) => life === name && startedAt >= since)
    const states = told.slice(last).filter((one) => STATES.has(one.event.event))
    const state = states.at(-1)?.event.event
    // So it is with what was held for as long as may be: its release waits as well.
    const isLong = state === 'clink.held' && heldFor(states, crashedAt) >= workerOf(plan, name).config.claim.maxHold
    // In a fleet it waits until that knows as well.
    if (isLong && (before.isOfFleet === true || isRenewed(record, before, clinkId))) return false
    if (state === 'clink.ended' && run?.end !== 'result') return false
    // A stop gives back what waits, and so does a drain: that is noted first, and the release waits for a renewal that is on its way.
    if (state !== 'clink.started' && givesBackFrom <= crashedAt) return false
    // A stop gives back at its end what ignores its abort: in a fleet that is noted first, and the release waits until it knows.
    if (isAborting && before.isOfFleet === true && run?.abortedAt !== undefined) return false
    return isReleased !== true && !isActedOn && !told.slice(last).some(({ event }) => ENDS.has(event.event))
  })
}

/** Milliseconds for which a claim was held until a time, in one wait after the other. */
function heldFor(states: ReturnType<Record['told']>, until: number): number {
  const waits = states.map(({ at, event }, index) =>
    event.event === 'clink.held' ? (states[index + 1]?.at ?? until) - at : 0,
  )
  return waits.reduce((sum, wait) => sum + wait, 0)
}

/** Whether a renewal was on its way when the process crashed. */
function isRenewed(record: Record, { crashedAt = 0, name }: LifeRecord, clinkId: string): boolean {
  return (record.requestsByClink.get(clinkId) ?? []).some(({ begunAt, endedAt = Infinity, kind, life }) => {
    return life === name && kind === 'claim' && begunAt <= crashedAt && endedAt >= crashedAt
  })
}

/** P9: a clink is given up for crashes only when it ran in as many of them, and nothing ran beside it. */
export const bystandersAreSpared: Rule = ({ plan, record }) =>
  [...record.eventsByLife].flatMap(([life, events]) =>
    events.flatMap(({ at, event }) => {
      if (event.event !== 'clink.deadLettered' || !event.reason.includes('while this clink ran alone')) return []
      const id = event.clink.clink_id
      // What a start gives up is told when that is written: its letter may have been retried by then.
      const { startedAt } = record.life(life)
      const isByStart = at <= startedAt + SETTLED + 2 * (plan.world.store?.slowest ?? 0)
      // A suspect stays alone for a while when it has ended: what it has left behind is its own.
      const alone = crashesOf(record, life, id, isByStart ? startedAt : at, AFTERMATH).filter(({ isAlone }) => isAlone)
      const crashes = new Set(alone.map((crash) => crash.at)).size
      if (crashes >= workerOf(plan, life).config.retry.crashes) return []
      return [{ rule: 'P9', at, life, text: `${id} is given up for ${crashes} crashes` }]
    }),
  )

/**
 * P9: what ends the process is given up, at the latest when it has done so alone and as often as it may. A run that was ended before it did
 * speaks for its clink: crashes count from there.
 */
export const killersAreFound: Rule = ({ plan, record, emulator }) =>
  [...record.lives.values()].flatMap(({ name: life, crashedAt: at }) => {
    if (at === undefined) return []
    const { retry } = workerOf(plan, life).config
    return emulator.clinks().flatMap(({ clink_id: id, content }) => {
      if (content !== KILLER) return []
      const ends = record.runsOf(life, id).map(({ endedAt = -Infinity }) => endedAt)
      // With the letter of a clink a fleet forgets what each member has done with it, crashes as well (docs/decisions/0079).
      const letters = record.toldTogether(life, id).filter((told) => told.event.event === 'clink.deadLettered')
      const since = Math.max(...[...ends, ...letters.map((told) => told.at)].filter((time) => time < at))
      const crashes = crashesOf(record, life, id, at).filter((crash) => crash.at <= at && crash.at > since)
      if (crashes.at(-1)?.at !== at) return []
      // A stop in order is between two crashes that are not in a row.
      const { state } = record.life(life)
      const stops = record.livesOf(state).filter(({ stoppedAt }) => (stoppedAt ?? Infinity) < at).length
      // One that has run for so long keeps its seat, and a crash beside it is nobody's.
      const clear = crashes.filter(({ isBesideLongOne }) => !isBesideLongOne)
      if (clear.length <= IN_A_ROW + stops + retry.crashes) return []
      return [{ rule: 'P9', at, life, text: `${id} has ended ${crashes.length} processes, and ${stops} were stopped` }]
    })
  })

/** Ends of processes with one journal in the middle of a run of the clink, or so soon after it, in order, since somebody has retried it. */
function crashesOf(
  record: Record,
  life: string,
  clinkId: string,
  until: number,
  aftermath = 0,
): readonly { at: number; isAlone: boolean; isBesideLongOne: boolean }[] {
  // Crashes are about the process: what another member of a fleet was asked about the letter changes nothing about them. It forgets them with the letter.
  const letters = record
    .told(life, clinkId)
    .filter(({ at, event }) => event.event === 'clink.deadLettered' && at < until)
  const since = letters.at(-1)?.at ?? -Infinity
  const isOfFleet = record.life(life).isOfFleet === true
  const runs = isOfFleet ? record.runsOf(life, clinkId) : record.runsThatCount(life, clinkId, until)
  return runs
    .filter(({ startedAt }) => startedAt < until && (!isOfFleet || startedAt >= since))
    .flatMap((run) => {
      const at = record.life(run.life).crashedAt
      if (at === undefined || (run.endedAt ?? Infinity) <= at - aftermath) return []
      const beside = record.runs.filter(
        (other) => other !== run && other.life === run.life && (other.endedAt ?? Infinity) >= run.startedAt,
      )
      const isAlone = beside.every(({ endedAt }) => endedAt !== undefined)
      // It counts from its start on, also where that one has ended since. One whose code begins late has been that for others.
      const begun = record.told(run.life, clinkId).findLast((told) => {
        return told.life === run.life && told.at <= run.startedAt && told.event.event === 'clink.started'
      })
      const isBesideLongOne =
        beside.some(({ startedAt }) => startedAt <= at - ALONE) || (begun?.at ?? run.startedAt) <= at - ALONE
      return [{ at, isAlone, isBesideLongOne }]
    })
}
