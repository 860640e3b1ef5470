import { isFailure } from '../explained.ts'
import type { Breach, Evidence, Rule } from '../judge.ts'
import type { EventRecord, LifeRecord, Record, RunRecord } from '../record.ts'
import { configsIn } from '../settings.ts'
import { BEGINS, endOf } from './leases.ts'

/** Waits between probes of a paused route grow to so many milliseconds; the jitter takes half of one at most. */
const LONGEST = 60_000
const LEAST_PART = 0.5
const ROUNDING = 1

/** §4: where a run cannot be begun its route is paused at once; its clink is at no fault, so it goes back and costs no attempt. */
export const absencesPauseAtOnce: Rule = ({ record }) =>
  record.awayStarts.flatMap((start): readonly Breach[] => {
    const { attempt, clinkId, endedAt: at, isAborted, isRerun, life } = start
    if (at === undefined || isAborted === true || record.hasLostClaim(start, at)) return []
    const breach = (text: string): Breach => ({
      rule: 'P10',
      at,
      life,
      text: `${clinkId} could not be begun, and ${text}`,
    })
    const breaches = isPaused(record, life, at) ? [] : [breach('its route is not paused')]
    const told = record.told(life, clinkId).filter((one) => one.life === life && one.at >= at)
    const next = told.find(({ event }) => FOLLOWS.has(event.event))?.event.event
    if (isRerun !== true && next !== undefined && KEEPS.has(next)) breaches.push(breach(`what is told next is ${next}`))
    const again = startsOf(record, life).find((one) => one.clinkId === clinkId && one.startedAt >= at)
    const since = record.asksOf(life, clinkId).findLast(({ askedAt }) => askedAt >= at)
    // Other members of a fleet may have started it as well.
    const isAlone = record.life(life).isOfFleet !== true
    if (isAlone && since === undefined && again !== undefined && again.attempt > attempt)
      breaches.push(breach(`after attempt ${attempt} comes ${again.attempt}`))
    return breaches
  })

const KEEPS: ReadonlySet<string> = new Set(['clink.held', 'clink.started', 'clink.deadLettered', 'clink.completed'])
const FOLLOWS: ReadonlySet<string> = new Set([
  ...KEEPS,
  'clink.released',
  'clink.leftToExpire',
  'clink.lost',
  'clink.settledElsewhere',
])

/** By the account of the process: at that very time it counts whichever came first. */
function isPaused(record: Record, life: string, at: number): boolean {
  const told = (record.eventsByLife.get(life) ?? []).filter((one) => one.at <= at && PAUSE.has(one.event.event))
  return told.at(-1)?.event.event === 'route.paused' || told.some((one) => one.at === at)
}

const PAUSE: ReadonlySet<string> = new Set(['route.paused', 'route.resumed'])

type StartRecord = Pick<RunRecord, 'life' | 'clinkId' | 'attempt' | 'startedAt' | 'endedAt'> & {
  /** Its end says something of its route. */
  readonly isTelling: boolean
}

/** All that a process has tried, in order. */
function startsOf(record: Record, life: string): readonly StartRecord[] {
  const runs = record.runs.map((run) => {
    const { abortCode = 'timeout', outlivedClaim } = run
    return { ...run, isTelling: abortCode === 'timeout' && outlivedClaim !== true }
  })
  const away = record.awayStarts.map((start) => {
    const { endedAt = Infinity, isAborted } = start
    return { ...start, isTelling: isAborted !== true && !record.hasLostClaim(start, endedAt) }
  })
  return [...runs, ...away].filter((one) => one.life === life).sort((a, b) => a.startedAt - b.startedAt)
}

/** §4: a paused route is probed by one clink at a time, and the waits before them grow to a minute, or to the longest that is set where that is less. */
export const probesGrowRarer: Rule = (evidence) => {
  const { plan, record } = evidence
  return [...record.eventsByLife].flatMap(([life, events]) =>
    events.flatMap(({ at: from, event }): readonly Breach[] => {
      if (event.event !== 'route.paused') return []
      const to = Math.min(endOfPause(evidence, life, events, from), endOf(record.life(life)))
      const retries = configsIn(plan, record, life, 0, to).map(({ retry }) => retry)
      const backoff = Math.min(...retries.map((retry) => retry.backoff))
      const longest = Math.min(LONGEST, ...retries.map((retry) => retry.maxBackoff))
      const begun = begunBy(evidence, record.life(life), from)
      const probes = startsOf(record, life).filter(({ startedAt }) => startedAt > begun && startedAt < to)
      let [since, waits, isFree] = [from, 0, false]
      return probes.flatMap((probe, index): readonly Breach[] => {
        const breach = (text: string): Breach => {
          return { rule: 'P10', at: probe.startedAt, life, text: `${probe.clinkId} probes the paused route ${text}` }
        }
        const other = probes.slice(0, index).find(({ endedAt = Infinity }) => endedAt > probe.startedAt)
        const least = isFree ? 0 : LEAST_PART * Math.min(longest, backoff * 2 ** waits)
        const wait = probe.startedAt - since
        if (probe.isTelling) waits += 1
        since = probe.endedAt ?? Infinity
        isFree = !probe.isTelling
        return [
          ...(other === undefined ? [] : [breach(`beside ${other.clinkId}`)]),
          ...(wait >= least - ROUNDING ? [] : [breach(`${wait} ms after the last one, not ${least}`)]),
        ]
      })
    }),
  )
}

/** It lasts too long for what has failed, or is over. */
function endOfPause({ plan, record }: Evidence, life: string, events: readonly EventRecord[], from: number): number {
  const resumed = events.find(({ at, event }) => at >= from && event.event === 'route.resumed')
  const outages = configsIn(plan, record, life, from, Infinity).map(({ retry }) => retry.outage)
  return Math.min(resumed?.at ?? Infinity, from + Math.min(...outages))
}

/** By then everything runs that was on its way to its start when the route was paused. */
function begunBy({ plan, record }: Evidence, { name, sleeps }: LifeRecord, at: number): number {
  const { failing = [], slowest = 0 } = plan.world.store ?? {}
  const onItsWay = BEGINS + slowest
  const begun = [...sleeps, ...failing].reduce(
    (by, { from, to }) => (from <= by && to >= at ? to + onItsWay : by),
    at + onItsWay,
  )
  return record.fleet.answeredBy(name, begun)
}

/** §4: only work that is done shows that a route works again. */
export const pausesEndByWork: Rule = ({ record }) =>
  [...record.eventsByLife].flatMap(([life, events]) =>
    events.flatMap(({ at, event }) => {
      if (event.event !== 'route.resumed') return []
      const isDone = record.runs.some((run) => {
        return run.life === life && run.endedAt === at && run.end === 'result' && !isFailure(run)
      })
      return isDone ? [] : [{ rule: 'P10', at, life, text: 'the route is not paused any more, and no run was done' }]
    }),
  )
