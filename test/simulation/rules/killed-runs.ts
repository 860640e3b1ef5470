import type { Breach, Rule } from '../judge.ts'
import type { RunRecord } from '../record.ts'
import { endOf } from './leases.ts'

/** §3: a run that was killed has failed, and what killed it is told: of the run, and of the dead letter that comes of it. */
export const killsAreTold: Rule = ({ record }) =>
  record.runs.flatMap((run): readonly Breach[] => {
    const { abortedAt, clinkId, endedAt: at, killedBy, life } = run
    if (killedBy === undefined || at === undefined || abortedAt !== undefined) return []
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
