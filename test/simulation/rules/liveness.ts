import { longestClaim } from '../explained.ts'
import { configsIn } from '../settings.ts'
import type { Breach, Rule } from '../judge.ts'
import type { Record } from '../record.ts'

const MINUTE = 60_000
/** Far above what any plan needs. */
const PER_CLINK = 100
const PER_LEASE = 12
const TICKS_PER_MINUTE = 20_000
/** Where the service fails, each wait is half an interval on average, with full jitter, and a probe and a look follow it. */
const PER_WAIT = 4

/** No busy loop: requests and turns per virtual minute are bounded. */
export const noBusyLoop: Rule = ({ plan, record, ticks }) => {
  const occasions = occasionsByMinute(record)
  const counts = new Map<string, { count: number; readonly most: number }>()
  const breaches: Breach[] = []
  for (const { life, kind, clinkId, sentAt, endedAt } of record.requests) {
    const at = sentAt ?? endedAt ?? 0
    const minute = Math.floor(at / MINUTE)
    const key = `${life} ${kind} ${clinkId ?? ''} ${minute}`
    let counted = counts.get(key)
    if (counted === undefined) {
      const configs = configsIn(plan, record, life, minute * MINUTE, (minute + 1) * MINUTE)
      // Whoever is given other settings looks at once.
      const perMinute = MINUTE / Math.min(...configs.map(({ poll }) => poll.interval)) + configs.length - 1
      // A claim that is asked about lasts no longer than what is asked for.
      const longest = Math.min(longestClaim(plan), ...configs.map(({ claim }) => claim.timeout))
      const most =
        clinkId === undefined
          ? PER_WAIT * perMinute + 4 * plan.clinks.length + (occasions.get(`${life} ${minute}`) ?? 0)
          : Math.max(PER_CLINK, (PER_LEASE * MINUTE) / longest)
      counts.set(key, (counted = { count: 0, most }))
    }
    const { most } = counted
    counted.count += 1
    if (counted.count > most && counted.count <= most + 1) {
      breaches.push({ rule: 'live', at, life, text: `more than ${most} times ${kind} ${clinkId ?? ''} in a minute` })
    }
  }
  if (ticks > (1 + record.now / MINUTE) * TICKS_PER_MINUTE) {
    breaches.push({ rule: 'live', at: record.now, text: `${ticks} turns` })
  }
  return breaches
}

/**
 * What makes one more request each time, by minute of a life: what is claimed again as soon as its claim has run out, and each probe of a
 * paused route, before which the inbox is looked at.
 */
function occasionsByMinute(record: Record): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const [life, events] of record.eventsByLife) {
    let isPaused = false
    for (const { at, event } of events) {
      if (event.event === 'route.paused' || event.event === 'route.resumed') isPaused = event.event === 'route.paused'
      if (event.event !== 'clink.parked' && !(isPaused && event.event === 'clink.started')) continue
      const key = `${life} ${Math.floor(at / MINUTE)}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }
  return counts
}

/** Whatever disturbs it, no loop of a worker stands still: nobody would restart a worker that only waits. */
export const loopsGoOn: Rule = ({ record }) =>
  record.standing.map(({ at, life, reason }) => ({ rule: 'P12', at, life, text: reason }))

/** P12: no part of a worker fails by itself, whatever the service, the machine and handlers do: it would end the process. */
export const noPartFails: Rule = ({ record }) =>
  [...record.eventsByLife].flatMap(([life, events]) =>
    events.flatMap(({ at, event }) =>
      event.event === 'worker.failed'
        ? [{ rule: 'P12', at, life, text: `the ${event.part} failed: ${event.error.message}` }]
        : [],
    ),
  )

/** A stop ends within `shutdown.timeout`, or when its process has woken. */
export const stopsInTime: Rule = ({ plan, record }) =>
  [...record.lives.values()].flatMap((life) => {
    const { name, stopAskedAt, stoppedAt, crashedAt, sleeps } = life
    if (stopAskedAt === undefined || crashedAt !== undefined) return []
    const timeout = Math.max(...configsIn(plan, record, name, stopAskedAt).map(({ shutdown }) => shutdown.timeout))
    const awake = Math.max(stopAskedAt + timeout, ...sleeps.map(({ to }) => to))
    if ((stoppedAt ?? record.now) <= awake + 1_000) return []
    return [
      {
        rule: 'live',
        at: stopAskedAt,
        life: name,
        text: `the stop took until ${stoppedAt ?? 'never'}, not ${timeout} ms`,
      },
    ]
  })
