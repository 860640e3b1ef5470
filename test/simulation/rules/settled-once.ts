import type { WorkerEvent } from '../../../src/events.ts'
import type { Breach, Rule } from '../judge.ts'
import type { EventRecord, Record, RequestRecord } from '../record.ts'

interface End {
  readonly at: number
  readonly event: string
}

/** P1: a clink in hand comes to one end, and that is said once. */
export const handlesSettleOnce: Rule = ({ record }) =>
  [...record.eventsByLife].flatMap(([life, events]) => {
    const ends = new Map<string, End>()
    const inHand = new Set<string>()
    /** Of these a claim is parked, with another key, beside the one that is in hand. */
    const beside = new Set<string>()
    return events.flatMap(({ at, event }): readonly Breach[] => {
      if (!('clink' in event)) return []
      const { clink_id: clinkId } = event.clink
      if (TAKEN.has(event.event)) ends.delete(clinkId)
      if (event.event === 'clink.parked') ends.delete(parked(clinkId))
      if (event.event === 'clink.claimed') inHand.add(clinkId)
      if (event.event === 'clink.parked' && inHand.has(clinkId)) beside.add(clinkId)
      if (!ENDS.has(event.event)) return []
      if ('route' in event) inHand.delete(clinkId)
      const isLate = !('route' in event) && (beside.delete(clinkId) || isOfParked(record, life, clinkId, { at, event }))
      const claim = isLate ? parked(clinkId) : clinkId
      const before = ends.get(claim)
      ends.set(claim, { at, event: event.event })
      if (before === undefined || (!isLate && isClaimedAnew(record, life, clinkId, before.at, at))) return []
      if (event.event === 'clink.completed' && isAnswered(record, life, clinkId, before)) return []
      return [{ rule: 'P1', at, life, text: `${clinkId} ends twice: ${before.event}, then ${event.event}` }]
    })
  })

/** A parked claim that a later one on the same clink has followed, before anybody said how it ended. */
const parked = (clinkId: string): string => `${clinkId} parked`

/**
 * What ends at that moment is a release that was sent before its process was told of the next claim on the clink: its answer says how the
 * parked claim ended, and the next one comes to an end of its own.
 */
function isOfParked(
  record: Record,
  life: string,
  clinkId: string,
  { at, event }: Pick<EventRecord, 'at' | 'event'>,
): boolean {
  // Both may be told of at once: what is completed is the next one.
  if (event.event === 'clink.completed') return false
  const requests = record.requestsByClink.get(clinkId) ?? []
  const release = requests.find((one) => one.life === life && one.kind === 'release' && one.endedAt === at)
  const grants = record.grantsByClink.get(clinkId) ?? []
  return grants.some(({ at: madeAt, isNew, life: of, request: { endedAt: toldAt = Infinity } }) => {
    return of === life && isNew && release !== undefined && toldAt > release.begunAt && madeAt <= at
  })
}

/**
 * Its claim was lost while its completion was on its way, or a look whether that had been taken: it may have been, that said, and the answer
 * has told since that it was.
 */
function isAnswered(record: Record, life: string, clinkId: string, { at, event }: End): boolean {
  const requests = record.requestsByClink.get(clinkId) ?? []
  const completions = requests.filter((one) => one.life === life && one.kind === 'complete' && one.begunAt <= at)
  const isOnItsWay = ({ begunAt, endedAt = Infinity, toldWell }: RequestRecord): boolean =>
    begunAt <= at && endedAt >= at && toldWell === true
  const wasTaken = completions.some(({ status }) => status === 200)
  const isLookedFor = (): boolean =>
    record.requests.some((one) => one.life === life && one.kind === 'other' && isOnItsWay(one))
  return event === 'clink.lost' && (completions.some(isOnItsWay) || (wasTaken && isLookedFor()))
}

/**
 * A claim that nobody takes in hand has an end, and no beginning that is said. It was made since the end before, or was not known to its
 * process when that said so. A process that slept is told of all at once.
 */
function isClaimedAnew(record: Record, life: string, clinkId: string, since: number, at: number): boolean {
  const grants = record.grantsByClink.get(clinkId) ?? []
  return grants.some(({ at: madeAt, isNew, life: of, request: { endedAt: toldAt = Infinity, toldWell } }) => {
    const isToldSince = toldWell === true && toldAt >= since && toldAt <= at
    return of === life && isNew && madeAt <= at && (madeAt >= since || isToldSince)
  })
}

const TAKEN: ReadonlySet<WorkerEvent['event']> = new Set([
  'clink.claimed',
  'clink.parked',
  'clink.rerun',
  'clink.takenUp',
])

const ENDS: ReadonlySet<WorkerEvent['event']> = new Set([
  'clink.completed',
  'clink.released',
  'clink.settledElsewhere',
  'clink.leftToExpire',
  'clink.lost',
])
