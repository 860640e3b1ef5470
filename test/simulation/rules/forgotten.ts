import { GONE, isTimeless, isUnreadable } from '../explained.ts'
import type { Evidence, Rule } from '../judge.ts'
import { KILLER, workerOf } from '../plan.ts'
import type { Record, RequestRecord } from '../record.ts'
import { asksForLength, endOf, leaseEnd, trustsBlindly, untoldEnd } from './leases.ts'

/** Facts that say what becomes of a claim that is not settled. */
const ENDS: ReadonlySet<string> = new Set([
  'clink.leftAlone',
  'clink.parked',
  'clink.lost',
  'clink.leftToExpire',
  'clink.settledElsewhere',
  // Where the service does not tell when a claim ends it may have run out before.
  'clink.completed',
  'clink.released',
])

/** Why the record of a seed ends before all has come to rest. */
export const STILL_BUSY = 'a worker is still busy'

/** P1: in the end every clink has come to an end that is told. */
export const nothingIsForgotten: Rule = ({ unexplained, record, plan, emulator }) =>
  unexplained.map(({ clinkId, why }) => {
    const breach = { rule: 'P1', at: record.now, text: `${clinkId} is ${why}` }
    if (isRestless({ plan, record, emulator }, why)) return { ...breach, known: RESTLESS }
    if ((isStarved(record, why) && saysSo(record, why)) || isKeptByAnother(record, clinkId, why))
      return { ...breach, known: STARVED }
    if (isRefusedByPages({ plan, record }, why)) return { ...breach, known: BY_PAGES }
    if (isInLine({ plan, record, emulator }, clinkId, why)) return { ...breach, known: IN_LINE }
    return isOutOfReach({ plan, record, emulator }, why) ? { ...breach, known: OUT_OF_REACH } : breach
  })

const RESTLESS = 'a clink ends processes that lose what they have noted of it, so that it is never given up'
/** Milliseconds, of the same. */
const OF_LATE = 600_000

/** Whether the record ends while a clink goes on ending processes: an end of its own is far, since each crash may lose the count of those before. */
function isRestless({ plan, record, emulator }: Pick<Evidence, 'plan' | 'record' | 'emulator'>, why: string): boolean {
  const since = Math.max(plan.calmAt, record.now - OF_LATE)
  const isKilling = emulator.clinks().some(({ content, status }) => content === KILLER && status !== 'completed')
  const crashes = [...record.lives.values()].filter(({ crashedAt = -Infinity }) => crashedAt > since)
  return (why === STILL_BUSY || why === GONE) && isKilling && crashes.length > 0
}

const BY_PAGES =
  'a page in place of a refusal counts for none, so that a result that the service does not take is sent until claim.maxHold is over'

function isRefusedByPages({ plan, record }: Pick<Evidence, 'plan' | 'record'>, why: string): boolean {
  const sent = record.requests.filter(({ begunAt, kind }) => kind === 'complete' && begunAt > record.now - OF_LATE)
  const areRefused = sent.every(({ toldStatus = 0 }) => toldStatus >= 400)
  return why === STILL_BUSY && plan.world.refusals === 'html' && sent.length > 0 && areRefused
}

const IN_LINE = 'what was sent before it takes all the places of its worker for as long as the play lasts'

/** Whether it runs when the play ends, or nothing that was sent after it has been started since, in a worker without a free place. */
function isInLine(
  { plan, record, emulator }: Pick<Evidence, 'plan' | 'record' | 'emulator'>,
  clinkId: string,
  why: string,
): boolean {
  const lives = [...record.lives.values()].filter(({ name }) => names(why, name))
  const sent = (id: string): number => emulator.clink(id)?.created ?? Infinity
  return (
    lives.length > 0 &&
    lives.every(({ name, stopAskedAt = record.now }) => {
      const runs = record.runs.filter(({ life, startedAt }) => life === name && startedAt <= stopAskedAt)
      const going = runs.filter(({ endedAt = Infinity }) => endedAt >= stopAskedAt)
      const isFull = going.length >= workerOf(plan, name).config.concurrency
      if (why.startsWith('claimed')) return going.some((run) => run.clinkId === clinkId)
      const since = emulator.history(clinkId).at(-1)?.at ?? Infinity
      const at = since - emulator.now() + record.now
      return isFull && !runs.some((run) => run.startedAt > at && sent(run.clinkId) > sent(clinkId))
    })
  )
}

const OUT_OF_REACH =
  'the pages of the service are full of what is left alone, and its order or its moments hide the rest'

/** §3: where the order of the service leaves clinks out of reach, the worker says that it starves. */
function isOutOfReach(facts: Pick<Evidence, 'plan' | 'record' | 'emulator'>, why: string): boolean {
  const { plan, record } = facts
  const isHidden = plan.switches.inboxOrder !== 'oldest' || isTimeless(plan) || hasCrowd(facts)
  if (!why.startsWith('pending') || !isHidden) return false
  return livesIn(record, why).every((life) => saysThatItStarves(record, life) || seesOnePage(facts, life))
}

/** Whether a text names a process; `w1.13` is not `w1.1`. */
const names = (why: string, life: string): boolean => why.split(/[\s,]+/).includes(life)

/** The processes that a text names. */
const livesIn = (record: Record, why: string): readonly string[] =>
  [...record.lives.keys()].filter((life) => names(why, life))

/** A process that was never shown more than one page holds cannot tell a page that is cut from all that there is. */
function seesOnePage({ plan, record }: Pick<Evidence, 'plan' | 'record'>, life: string): boolean {
  const lists = record.requests.filter((request) => request.life === life && request.listed !== undefined)
  const shown = new Set(lists.flatMap(({ listed }) => [...(listed?.keys() ?? [])]))
  return shown.size === pageOf(plan)
}

/** The most clinks that a page shows. */
function pageOf({ switches }: Evidence['plan']): number {
  return Number(String(switches.maxLimit).split(':')[1] ?? Infinity)
}

/** More clinks of one moment than a page shows: nothing can be asked for behind them but what is younger. */
function hasCrowd({ emulator, plan }: Pick<Evidence, 'plan' | 'emulator'>): boolean {
  const most = pageOf(plan)
  const moments = Map.groupBy(
    emulator.clinks().filter(({ status }) => status !== 'completed'),
    ({ created }) => created,
  )
  return [...moments.values()].some(({ length }) => length > most)
}

const REACH: ReadonlySet<string> = new Set(['inbox.starved', 'inbox.reached'])

const STARVED =
  'what a worker parks comes back with every claim that runs out, before anything else, and fills its pages'
const PAGES = 20

/** Whether those that could run it say that they starve. */
const saysSo = (record: Record, why: string): boolean =>
  livesIn(record, why).every((life) => saysThatItStarves(record, life))

function saysThatItStarves(record: Record, life: string): boolean {
  const said = record.eventsByLife.get(life)?.findLast(({ event }) => REACH.has(event.event))
  return said?.event.event === 'inbox.starved'
}

/** Whether every page of late was full of claims that have been parked. */
function isStarved(record: Record, why: string): boolean {
  const pages = record.requests.filter(
    ({ kind, life, toldStatus }) => kind === 'poll' && toldStatus === 200 && names(why, life),
  )
  const polls = pages.slice(-PAGES)
  const parked = new Set(
    [...record.grantsByClink.values()]
      .flat()
      .flatMap(({ request, life, clinkId }) =>
        record.told(life, clinkId).some(({ event }) => event.event === 'clink.parked') ? [request] : [],
      ),
  )
  return why.startsWith('pending') && polls.filter((poll) => parked.has(poll)).length > PAGES / 2
}

/** Whether a worker that cannot choose had the clink with every poll of late, and parked it: those that could run it find it claimed. */
function isKeptByAnother(record: Record, clinkId: string, why: string): boolean {
  const polls = (record.grantsByClink.get(clinkId) ?? []).filter(({ via }) => via === 'poll').slice(-PAGES)
  const areParked = polls.every(
    ({ life }) => !names(why, life) && record.told(life, clinkId).some(({ event }) => event.event === 'clink.parked'),
  )
  return why.startsWith('pending') && polls.length === PAGES && areParked
}

/** P1: a claim that ran out while its holder lived has been parked, lost or left to expire by it, and it said so. */
export const claimsAreExplained: Rule = ({ plan, record, emulator }) =>
  [...record.grantsByClink.keys()].flatMap((clinkId) =>
    emulator.history(clinkId).flatMap(({ what, session, at: wall }) => {
      const at = wall - emulator.now() + record.now
      const life = record.livesOf(session ?? '').find((one) => one.startedAt <= at && endOf(one) > at)
      if (what !== 'expired' || life === undefined) return []
      if (trustsBlindly(plan, life.name)) return []
      const clink = emulator.clink(clinkId)
      if (clink !== undefined && isUnreadable({ plan, record }, clink)) return []
      const grant = record.grantsOf(life.name, clinkId).findLast((grant) => grant.at <= at)
      if (
        grant?.life !== life.name ||
        endOf(life) <= at ||
        grant.request.toldWell !== true ||
        grant.request.fault === '[malformed]'
      )
        return []
      // To ask how long a claim lasts that has just run out makes another one, and nothing shows that to whoever asked; nor does a poll
      // that was not answered, where a person has given the clink back meanwhile.
      const isActedOn = record.acts.some((act) => act.clinkId === clinkId)
      const isShown = (request: RequestRecord): boolean =>
        !asksForLength(record, request) && (request.toldWell === true || !isActedOn)
      const first = record
        .grantsOf(life.name, clinkId)
        .findLast(({ isNew, at: granted, request }) => isNew && granted <= at && isShown(request))
      const isSaid = record
        .told(life.name, clinkId)
        .some(
          ({ event, at: said }) =>
            said >= (first?.at ?? 0) && ENDS.has(event.event) && !('why' in event && event.why === 'in-hand'),
        )
      // It cannot say anything before it has woken, nor before the time by which it knows.
      const ends = [leaseEnd, untoldEnd].map((end) => end(plan, record, life.name, clinkId, at))
      // What a fleet remembers of it is asked first, and that may take its time.
      const known = Math.max(record.fleet.answeredBy(life.name, at), ...ends, ...life.sleeps.map(({ to }) => to))
      // What becomes of it is said once the service has answered what is asked about it.
      const asked = (record.requestsByClink.get(clinkId) ?? []).filter((request) => request.life === life.name)
      const isAsking = asked.some(({ endedAt = Infinity }) => endedAt >= endOf(life))
      if (isSaid || endOf(life) <= known || isAsking) return []
      const text = `the claim on ${clinkId} ran out and nothing was said of it`
      return [{ rule: 'P1', at, life: life.name, text }]
    }),
  )
