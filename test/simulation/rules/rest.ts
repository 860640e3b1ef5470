import type { Breach, Rule } from '../judge.ts'
import { longestClaim } from '../explained.ts'
import type { LifeRecord, Record } from '../record.ts'
import type { Plan } from '../plan.ts'
import { configsIn } from '../settings.ts'
import { endOf } from './leases.ts'

const MINUTE = 60_000
/** Requests of a minute in which nothing can be worked: polls at the worst of jitter, a sweep, and what is tried by itself. */
const POLLS = 2.5
const OTHERS = 60
/** What follows each failure of a service that is away: a look, a list and a try; and how many failures fit the longest wait between two. */
const PER_FAILURE = 3
const FAILURES = 3
/** A claim of so many milliseconds cannot wait for a whole second to pass, and how often it asks at most for each renewal that shows. */
const SHORT = 3_000
const UNTIL_SHOWN = 3

/** No hot loop: a worker that finds nothing that it may work asks no more often than its polls are due. */
export const restsWhereNothingIsToDo: Rule = ({ plan, record }) =>
  [...record.lives.values()].flatMap((life): readonly Breach[] => {
    const counts = countsOf(plan, record, life)
    return [...counts].flatMap(([minute, count]) => {
      const polls = configsIn(plan, record, life.name, minute * MINUTE, (minute + 1) * MINUTE).map(({ poll }) => poll)
      const interval = Math.min(...polls.map((poll) => poll.interval))
      const maxInterval = Math.min(...polls.map((poll) => poll.maxInterval))
      const failures = Math.min(failuresIn(record, life, minute), FAILURES * (MINUTE / maxInterval))
      const most = POLLS * (MINUTE / interval) + OTHERS + PER_FAILURE * failures
      if (count <= most || !isIdle(record, life, minute * MINUTE, (minute + 1) * MINUTE)) return []
      const text = `${count} requests in a minute in which there is nothing to do, not ${Math.round(most)}`
      return [{ rule: 'P10', at: minute * MINUTE, life: life.name, text }]
    })
  })

/**
 * Renewals have rules of their own: what waits for long in hand, for its key or for a permit of its fleet, is renewed all the while. Where ends are told
 * in whole seconds, a renewal shows once a second at most, and a short claim asks for it until it does.
 */
function countsOf(plan: Plan, record: Record, { name }: LifeRecord): ReadonlyMap<number, number> {
  const asked = plan.switches.claimTimes === 'seconds' && longestClaim(plan) <= SHORT ? UNTIL_SHOWN : 1
  const counts = new Map<number, number>()
  const count = (at: number, by: number): void => {
    const minute = Math.floor(at / MINUTE)
    counts.set(minute, (counts.get(minute) ?? 0) + by)
  }
  for (const { begunAt, life } of record.requests) if (life === name) count(begunAt, 1)
  for (const { at, event } of record.eventsByLife.get(name) ?? []) {
    if (event.event === 'clink.renewed') count(at, -asked)
    if (event.event === 'clink.renewalFailed') count(at, -1)
  }
  return counts
}

function failuresIn(record: Record, { name }: LifeRecord, minute: number): number {
  return (record.eventsByLife.get(name) ?? []).filter(({ at, event }) => {
    return event.event === 'poll.failed' && Math.floor(at / MINUTE) === minute
  }).length
}

/** Whether in that time, and in the minute before it, nothing was claimed, run or settled, and nothing came to an end. */
function isIdle(record: Record, life: LifeRecord, from: number, to: number): boolean {
  if (life.startedAt > from - MINUTE || endOf(life) < to || (life.stopAskedAt ?? Infinity) < to) return false
  if (life.sleeps.some((sleep) => sleep.to > from - MINUTE && sleep.from < to)) return false
  if (life.jumps.some(({ at }) => at > from - MINUTE && at < to)) return false
  const isRun = record.runs.some(
    (run) => run.life === life.name && run.startedAt < to && (run.endedAt ?? Infinity) > from - MINUTE,
  )
  if (isRun) return false
  return !(record.eventsByLife.get(life.name) ?? []).some(
    ({ at, event }) => at > from - MINUTE && at < to && BUSY.has(event.event),
  )
}

const BUSY: ReadonlySet<string> = new Set([
  'clink.claimed',
  'clink.parked',
  'clink.held',
  'clink.completed',
  'clink.released',
  'clink.rerun',
  'clink.settlementFailed',
  'clink.resultUnsent',
])
