import { isMarked, mayBeOurs } from '../explained.ts'
import type { Evidence, Rule } from '../judge.ts'
import { workerOf, NO_ROUTE } from '../plan.ts'
import type { Record, RunRecord } from '../record.ts'
import type { StoredClink } from '../../../src/emulator/emulator.ts'
import { Hops } from './hops.ts'
import { isInScope, isTooOld } from '../scope.ts'

/** P15, P1: no clink is left alone but for a reason that the documents give, and that holds. */
export const nobodyIsTurnedAway: Rule = (evidence) => {
  const { emulator, record } = evidence
  return [...record.eventsByLife].flatMap(([life, events]) =>
    events.flatMap(({ at, event }) => {
      if (event.event === 'sender.muted' && workerOf(evidence.plan, life).config.inbox.loopLimit === null)
        return [{ rule: 'P15', at, life, text: `${event.sender} is turned away` }]
      if (event.event !== 'clink.leftAlone' && event.event !== 'clink.parked') return []
      const id = event.event === 'clink.parked' ? event.clink.clink_id : event.clinkId
      const clink = id === undefined ? undefined : emulator.clink(id)
      if (clink === undefined || isTrue(evidence, { at, clink, life, why: event.why })) return []
      return [{ rule: 'P15', at, life, text: `${id ?? ''} is left alone for no good reason: ${event.why}` }]
    }),
  )
}

interface Reason {
  readonly at: number
  readonly clink: StoredClink
  readonly life: string
  readonly why: string
}

/** P10: whether a run had ended after which its clink waits, which the end of a process or of a claim does not shorten. */
function wasGivenBack(record: Record, life: string, id: string, at: number): boolean {
  // What could not be begun has gone back.
  if (record.awayStartsOf(life, id, at).some(({ endedAt = Infinity }) => endedAt <= at)) return true
  return record.knownRunsThatCount(life, id, at).some((run) => {
    const isWaiting = WAITS.has(run.end) || run.abortCode === 'timeout'
    return (isWaiting && (run.endedAt ?? Infinity) <= at) || wasAbandoned(record, run, at)
  })
}

/** One that went on after its timeout has failed, at a stop that could not wait for it as well. */
function wasAbandoned(record: Record, { abortCode, endedAt, life }: RunRecord, at: number): boolean {
  return abortCode === 'timeout' && endedAt === undefined && (record.life(life).stoppedAt ?? Infinity) <= at
}

const WAITS: ReadonlySet<string | undefined> = new Set(['release', 'retry', 'asleep', 'failed'])

/** Reasons that lie in the worker or in the answer, and not in the clink. */
const OTHERS: ReadonlySet<string> = new Set([
  'not-claimed',
  'in-hand',
  'malformed',
  'other-owner',
  'owner-unknown',
  'stopping',
])

/** Whether a pattern may just have failed that was tried when not all was calm yet. */
function mayFail({ world: { patterns } }: Evidence['plan'], at: number): boolean {
  return patterns !== undefined && patterns.failing > 0 && at <= patterns.until + patterns.slowest
}

function isTrue({ plan, record, emulator }: Evidence, { at, clink, life, why }: Reason): boolean {
  const worker = workerOf(plan, life)
  const { clink_id: id } = clink
  const told = (...names: readonly string[]): boolean =>
    record.toldTogether(life, id).some(({ at: said, event }) => said <= at && names.includes(event.event))
  const age = at - (clink.created - emulator.now() + record.now)
  switch (why) {
    case 'own-reply':
      return mayBeOurs(emulator, plan, worker, clink)
    case 'out-of-scope':
      return !isInScope(worker, clink) || isTooOld(worker, age) || worker.config.inbox.maxAge !== null
    case 'given-up':
      // One whose member has ended before it could say so is known to the fleet all the same.
      return (
        told('clink.deadLettered', 'clink.rerun', 'clink.rerunDone') ||
        record.asksOf(life, id, at).length > 0 ||
        record.fleet.factsOf(id, 0, at).some(({ isGivenUp }) => isGivenUp) ||
        isBeingGivenUp(record, life, id, at)
      )
    case 'cooling':
      // What asked for that may have ended before anybody was told.
      return told('clink.released', 'clink.leftToExpire', 'clink.held') || wasGivenBack(record, life, id, at)
    case 'unjudged':
      return mayFail(plan, record.life(life).sleeps.find(({ from, to }) => from < at && to >= at)?.from ?? at)
    case 'no-route':
      return clink.content.startsWith(NO_ROUTE)
    case 'identity-unknown':
      return worker.config.clink.identity === 'auto' && isMarked(clink)
    case 'note':
      return / · (note|hop end)$/.test(clink.content.trimEnd())
    case 'circle':
      return new Hops(emulator, plan).of(id) >= worker.config.inbox.maxHops
    case 'muted':
      return worker.config.inbox.loopLimit !== null
    case 'paused':
      return wasHeld(record, life, at) || wasRoutePaused(record, life, at)
    default:
      return OTHERS.has(why)
  }
}

/** It is said when the store has been told, or that has failed: until then its process knows it alone. */
function isBeingGivenUp(record: Record, life: string, id: string, at: number): boolean {
  const said = record.told(life, id).find((one) => one.at > at && one.event.event === 'clink.deadLettered')
  return record.fleet.isWriting(life, at, said?.at ?? -Infinity)
}

function wasRoutePaused(record: Record, life: string, at: number): boolean {
  return (record.eventsByLife.get(life) ?? []).some(
    ({ at: said, event }) => said <= at && event.event === 'route.paused',
  )
}

/** An operator had paused or drained the worker, in this process or before it, or its fleet. */
function wasHeld(record: Record, life: string, at: number): boolean {
  const { state } = record.life(life)
  const isOfFleet = record.life(life).isOfFleet === true && record.fleet.pauses.some(({ from }) => from <= at)
  return isOfFleet || record.holds.some(({ askedAt, state: of }) => of === state && askedAt <= at)
}
