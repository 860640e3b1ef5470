import type { Breach, Evidence, Rule } from '../judge.ts'
import type { RunRecord } from '../record.ts'
import { ENDED } from '../runner.ts'
import { configsKept } from '../settings.ts'
import { endOf, slept } from './leases.ts'

/** §3: a run that was killed has failed, and what killed it is told: of the run, and of the dead letter that comes of it. */
export const killsAreTold: Rule = ({ record }) =>
  record.runs.flatMap((run): readonly Breach[] => {
    const { abortedAt, clinkId, endedAt: at, killedBy, life } = run
    if (killedBy === undefined || killedBy === ENDED || at === undefined || abortedAt !== undefined) return []
    const breach = (text: string): Breach => ({ rule: 'P11', at, life, text: `${clinkId} was killed, and ${text}` })
    const told = record.told(life, clinkId).filter((one) => one.life === life && one.at >= at)
    const ended = told.find(({ event }) => event.event === 'clink.ended')?.event
    if (ended === undefined) return endOf(record.life(life)) <= at ? [] : [breach('its end is not told')]
    const { reason = '' } = ended.event === 'clink.ended' ? ended : {}
    const breaches = reason.includes(killedBy) ? [] : [breach(`what is told is ${JSON.stringify(reason)}`)]
    const next = told.find(({ event }) => NEXT.has(event.event))?.event
    if (next?.event === 'clink.completed' && !mayComplete(run)) breaches.push(breach('its clink is completed'))
    if (next?.event === 'clink.deadLettered' && !next.reason.includes(killedBy))
      breaches.push(breach(`its letter says ${JSON.stringify(next.reason)}`))
    return breaches
  })

const NEXT: ReadonlySet<string> = new Set([
  'clink.started',
  'clink.held',
  'clink.released',
  'clink.completed',
  'clink.deadLettered',
  'clink.lost',
  'clink.leftToExpire',
  'clink.settledElsewhere',
])

/** A claim that it has lost before does not come to an end by it. */
const mayComplete = ({ outlivedClaim }: RunRecord): boolean => outlivedClaim === true

/** Milliseconds that what is due takes to be done. */
const LATE = 50

/**
 * P11: what ignores its abort has its grace, and is ended then where that can be done: not before, but at a stop, and not later. Then it is
 * told that it was stuck.
 */
export const gracesAreKept: Rule = (evidence) => {
  const { plan, record } = evidence
  if (plan.world.runner?.isSlowToEnd !== true) return []
  return record.runs.flatMap((run): readonly Breach[] => {
    const { abortedAt, clinkId, killedBy, life } = run
    const of = record.life(life)
    const { jumps, stopAskedAt = Infinity } = of
    const until = Math.min(run.endedAt ?? record.now, endOf(of))
    const breach = (text: string): Breach => ({ rule: 'P11', at: until, life, text: `${clinkId} ${text}` })
    const isEnded = killedBy === ENDED
    if (abortedAt === undefined) return isEnded && stopAskedAt > until ? [breach('is ended, and was not aborted')] : []
    if (slept(of, abortedAt, until)) return []
    const graces = gracesOf(evidence, run)
    const isShortened = stopAskedAt <= until || jumps.some(({ at }) => at >= abortedAt && at <= until)
    const isEarly = isEnded && !isShortened && until - abortedAt < Math.min(...graces) - LATE
    const isLate = until - abortedAt > Math.max(...graces) + LATE
    const isSaid = record.told(life, clinkId).some(({ at, event }) => event.event === 'clink.stuck' && at === until)
    return [
      ...(isEarly ? [breach(`is ended ${until - abortedAt} ms after its abort`)] : []),
      ...(isLate ? [breach(`goes on ${until - abortedAt} ms after its abort`)] : []),
      ...(isEnded && stopAskedAt > until && !isSaid ? [breach('is ended, and it is not told that it was stuck')] : []),
    ]
  })
}

function gracesOf({ plan, record }: Evidence, run: RunRecord): readonly number[] {
  return configsKept(plan, record, run).map(({ handlers }) => handlers.grace)
}

/** P2: what takes its time to begin does not begin when its claim is lost, by what its process says, or was told to end. */
export const lateOnesBeginInTime: Rule = ({ record }) =>
  record.runs.flatMap(({ begunAt: at = Infinity, abortedAt = at, clinkId, isRerun, life, startedAt }) => {
    if (at === Infinity) return []
    const lost = record.told(life, clinkId).find((told) => {
      return told.life === life && told.event.event === 'clink.lost' && told.at >= startedAt && told.at < at
    })
    const why =
      abortedAt < at ? 'it was told to end' : lost === undefined || isRerun === true ? undefined : 'its claim was lost'
    return why === undefined ? [] : [{ rule: 'P2', at, life, text: `${clinkId} begins though ${why} before` }]
  })
