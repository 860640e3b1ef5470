import type { WorkerEvent } from '../../../src/events.ts'
import type { Breach, Rule } from '../judge.ts'
import type { Record } from '../record.ts'

/** P1: a clink in hand comes to one end, and that is said once. */
export const handlesSettleOnce: Rule = ({ record }) =>
  [...record.eventsByLife].flatMap(([life, events]) => {
    const ends = new Map<string, { readonly at: number; readonly event: string }>()
    return events.flatMap(({ at, event }): readonly Breach[] => {
      if (!('clink' in event)) return []
      const { clink_id: clinkId } = event.clink
      if (TAKEN.has(event.event)) ends.delete(clinkId)
      if (!ENDS.has(event.event)) return []
      const before = ends.get(clinkId)
      ends.set(clinkId, { at, event: event.event })
      if (before === undefined || isClaimedAnew(record, life, clinkId, before.at)) return []
      return [{ rule: 'P1', at, life, text: `${clinkId} ends twice: ${before.event}, then ${event.event}` }]
    })
  })

/** A claim that nobody takes in hand has an end, and no beginning that is said. */
function isClaimedAnew(record: Record, life: string, clinkId: string, since: number): boolean {
  const grants = record.grantsByClink.get(clinkId) ?? []
  return grants.some((grant) => grant.life === life && grant.isNew && grant.at >= since)
}

const TAKEN: ReadonlySet<WorkerEvent['event']> = new Set(['clink.claimed', 'clink.parked', 'clink.rerun'])

const ENDS: ReadonlySet<WorkerEvent['event']> = new Set([
  'clink.completed',
  'clink.released',
  'clink.settledElsewhere',
  'clink.leftToExpire',
  'clink.lost',
])
