import { isUnreadable } from '../explained.ts'
import type { Rule } from '../judge.ts'
import type { GrantRecord, LifeRecord, OperationKind, Record } from '../record.ts'
import { asksForLength, slept } from './leases.ts'

/** What it says of a claim that it leaves alone. */
const ENDS: ReadonlySet<string> = new Set(['clink.lost', 'clink.leftToExpire', 'clink.leftAlone'])

const SETTLES: ReadonlySet<OperationKind> = new Set(['complete', 'release'])

/** What a store that is away keeps it from doing with a claim. */
const ASKED_FIRST: ReadonlySet<string> = new Set(['write', 'recall'])

/** P8: after a stop no claim is left, but those it names since it could not settle them, and those of which it could not know or not tell. */
export const stopLeavesNothing: Rule = ({ plan, record, emulator }) =>
  [...record.lives.values()].flatMap((life) => {
    const { name, stoppedAt: at, heldAtStop, leftBehind } = life
    // Until it has begun it has claimed nothing, and leaving is a whole stop: what a process before it held is the next one's.
    const hasBegun = record.eventsByLife.get(name)?.some(({ event }) => event.event === 'worker.started') === true
    if (at === undefined || !hasBegun) return []
    return heldAtStop.flatMap((clinkId) => {
      const clink = emulator.clink(clinkId)
      if (clink !== undefined && isUnreadable({ plan, record }, clink)) return []
      if (isExcused(record, life, clinkId) || wasTried(record, life, clinkId)) return []
      const isNamed = leftBehind.includes(clinkId)
      return [
        {
          rule: 'P8',
          at,
          life: name,
          text: `${clinkId} is still claimed after the stop${isNamed ? ', and nothing was tried' : ''}`,
        },
      ]
    })
  })

/**
 * It is named as left behind, and the stop has asked for its settlement, had to wait for a request about it, or for a look at what
 * became of its settlement, or was told by the service not to come back before its end. Or it waits for the store of its fleet, which has to know of a
 * dead letter first, or to say what became of the claims of an earlier process.
 */
function wasTried(record: Record, life: LifeRecord, clinkId: string): boolean {
  const { leftBehind, name, stopAskedAt = 0, stoppedAt = 0 } = life
  if (!leftBehind.includes(clinkId)) return false
  const asked = record.requestsByClink.get(clinkId) ?? []
  const isTried = asked.some(
    ({ kind, life: of, endedAt = Infinity, notBefore = 0 }) =>
      of === name && kind !== 'sibling' && (endedAt >= stopAskedAt || (SETTLES.has(kind) && notBefore >= stoppedAt)),
  )
  const settled = asked.findLast(({ kind, life: of }) => of === name && SETTLES.has(kind))
  const isLookedFor = record.requests.some(
    ({ kind, life: of, begunAt, endedAt = Infinity }) =>
      kind === 'other' && of === name && begunAt >= (settled?.endedAt ?? Infinity) && endedAt >= stoppedAt,
  )
  const calls = record.fleet.calls.get(name) ?? []
  const isToldFirst = calls.some(({ endedAt = Infinity, sentAt, what }) => {
    return ASKED_FIRST.has(what) && sentAt < stoppedAt && endedAt >= stoppedAt
  })
  return isTried || isLookedFor || isToldFirst || slept(life, stopAskedAt, stoppedAt)
}

/** When a claim is certainly over, the margin taken off, whose length was told only by what was asked about it after the poll. */
function askedEnd(grants: readonly GrantRecord[]): number {
  const last = grants.at(-1)
  const sentAt = grants.findLast(({ via }) => via === 'poll')?.request.sentAt
  if (last?.via !== 'claim' || last.isNew || sentAt === undefined) return Infinity
  const length = last.expires - last.at
  return sentAt + length - Math.max(length / 10, 250)
}

function isExcused(record: Record, { name, startedAt, stoppedAt, jumps }: LifeRecord, clinkId: string): boolean {
  const grants = record.grantsOf(name, clinkId)
  const last = grants.at(-1)
  // What it was not told of it cannot give back.
  // What it did not hold on to, because an earlier process had parked it or was giving it back, or its lease was over.
  const isHeldOn = record
    .told(name, clinkId)
    .some(({ event, at }) => at >= startedAt && event.event === 'clink.claimed')
  if (last?.life !== name && !isHeldOn) return true
  if (last?.request.toldWell !== true || (last.request.endedAt ?? Infinity) > (stoppedAt ?? 0)) return true
  const told = record.requestsByClink
    .get(clinkId)
    ?.some(
      ({ life, kind, toldWell, endedAt }) =>
        life === name && SETTLES.has(kind) && toldWell !== true && (endedAt ?? Infinity) >= last.at,
    )
  // Parked for as long as the claim was believed to last: where its length is not told, the service may have it longer.
  const parked = record.told(name, clinkId).findLast(({ event }) => event.event === 'clink.parked')
  const forward = jumps.reduce((sum, { ms }) => sum + ms, 0)
  const ranOut =
    parked !== undefined &&
    // What it has asked about the claim since then, because its length was not told, is no new claim: not one that shows, if the first had run out.
    (parked.at >= last.at || (last.via === 'claim' && (!last.isNew || asksForLength(record, last.request)))) &&
    parked.event.event === 'clink.parked' &&
    Math.min(parked.at + parked.event.lease, askedEnd(grants)) <= (stoppedAt ?? 0) + forward
  // What was asked about a parked claim has claimed its clink anew, which shows that the first was over: nobody has that one in hand.
  const isAnew =
    parked !== undefined && parked.at < last.at && last.via === 'claim' && last.isNew && !isTaken(record, last)
  const said = record
    .told(name, clinkId)
    .some(({ event, at }) => at >= last.at && ENDS.has(event.event) && !('why' in event && event.why === 'in-hand'))
  return told === true || said || ranOut || isAnew || last.request.fault === '[malformed]'
}

/** Its process has said that it has the clink in hand. */
function isTaken(record: Record, { at: grantedAt, clinkId, life }: GrantRecord): boolean {
  return record.told(life, clinkId).some(({ at, event }) => at >= grantedAt && event.event === 'clink.claimed')
}
