import { tellsTimes, workerOf } from '../explained.ts'
import type { Plan } from '../plan.ts'
import type { GrantRecord, LifeRecord, Record, RequestRecord } from '../record.ts'

/** Facts with which a process has a claim no more. */
export const CLAIM_ENDS: ReadonlySet<string> = new Set([
  'clink.completed',
  'clink.released',
  'clink.lost',
  'clink.leftToExpire',
  'clink.settledElsewhere',
])

/** A claim is believed to last so long where the service does not say: five minutes at most. */
const UNSAID = 300_000

/**
 * Until when a process may act on a clink at `at`: the end of its claim as the service had it. A renewal that arrived after
 * that end founds nothing: only a poll does, or a claim by id that was begun when there was no claim any more. Where the service does not tell when claims end, the documented belief
 * counts instead.
 */
export function leaseEnd(plan: Plan, record: Record, life: string, clinkId: string, at: number): number {
  const after = (grant: GrantRecord, end: number): number => Math.max(end, believed(plan, record, grant, at))
  return endBy(record, record.grantsOf(life, clinkId), at, after)
}

/** The same by the service's own knowledge, whatever it told: a renewal for less shortens a claim. */
export function claimEnd(record: Record, life: string, clinkId: string, at: number): number {
  return endBy(record, record.grantsOf(life, clinkId), at, ({ expires }) => expires)
}

function endBy(
  record: Record,
  grants: readonly GrantRecord[],
  at: number,
  after: (grant: GrantRecord, end: number) => number,
): number {
  let end = -Infinity
  let last = -Infinity
  for (const grant of grants) {
    if (grant.at > at) break
    if (founds(record, grant, end, last) || grant.at < end) end = after(grant, grant.at < end ? end : -Infinity)
    last = grant.at
  }
  return end
}

function founds(record: Record, grant: GrantRecord, end: number, last: number): boolean {
  const { via, isNew, request } = grant
  return (
    via === 'poll' ||
    request.begunAt > end ||
    (isNew && (isListed(record, request, last) || asksForLength(record, request)))
  )
}

/** Whether a request asks how long a claim lasts of which a poll has not said that. */
export function asksForLength(record: Record, { begunAt, clinkId, kind, life }: RequestRecord): boolean {
  if (kind !== 'claim' || clinkId === undefined) return false
  const claim = record.grantsOf(life, clinkId).findLast(({ at, via }) => via === 'poll' && at <= begunAt)
  if (claim === undefined || lengthOf(claim) !== 'untold' || begunAt > claim.at + UNSAID) return false
  return !(record.requestsByClink.get(clinkId) ?? []).some((other) => {
    const isSince = other.life === life && other.kind === 'claim' && other.begunAt >= claim.request.begunAt
    return isSince && other.toldWell === true && (other.endedAt ?? Infinity) <= begunAt
  })
}

/** What the answer with a claim says of its length, where it arrived: a form that not everybody reads may say nothing. */
function lengthOf({ clinkId, request: { lengths } }: GrantRecord): 'told' | 'untold' {
  return (lengths?.get(clinkId) ?? 'told') === 'told' ? 'told' : 'untold'
}

/** Whether a claim was made because a list shows its clink: as pending, or after `since`. */
export function isListed(record: Record, { kind, clinkId, begunAt, life }: RequestRecord, since: number): boolean {
  if (kind !== 'claim' || clinkId === undefined) return false
  const last = record.grantsOf(life, clinkId).findLast(({ at }) => at < begunAt)?.at ?? -Infinity
  return record.requests.some(
    (list) =>
      list.life === life &&
      list.kind === 'probe' &&
      (list.endedAt ?? Infinity) <= begunAt &&
      list.listed?.has(clinkId) === true &&
      (list.arrivedAt ?? -Infinity) >= (list.listed.get(clinkId) === 'pending' ? last : since),
  )
}

function believed(plan: Plan, record: Record, grant: GrantRecord, until: number): number {
  const { expires, at, via, life, isNew } = grant
  const { config } = workerOf(plan, life)
  if (lengthOf(grant) === 'told') return expires
  if (via === 'claim' && config.claim.trustRenewals) return Math.max(expires, at + config.claim.timeout)
  // Until a renewal was granted without times nothing is believed of what a poll brought.
  if (via === 'poll' && !knowsThatNoneIsTold(record, life, until)) return expires
  return via === 'poll' || isNew ? Math.max(expires, at + Math.min(config.claim.timeout, UNSAID)) : expires
}

/** A renewal was granted without times: then nothing tells, and nobody asks first again. */
export function knowsThatNoneIsTold(record: Record, life: string, at: number): boolean {
  return record.requests.some(({ clinkId = '', endedAt = Infinity, kind, lengths, life: of, toldWell }) => {
    const isOurs = of === life && kind === 'claim' && endedAt <= at && toldWell === true
    return isOurs && lengths?.get(clinkId) !== 'told'
  })
}

/** Whether the operator's word that renewals are good is all that a process can go by: it may be wrong, and nothing shows it. */
export function trustsBlindly(plan: Plan, life: string): boolean {
  return !tellsTimes(plan) && workerOf(plan, life).config.claim.trustRenewals
}

/** Whether the process stood still at some time between `from` and `to`, or has just come back. */
export function slept({ sleeps }: LifeRecord, from: number, to: number): boolean {
  return sleeps.some((sleep) => sleep.from <= to && sleep.to >= from)
}

/** When a process ended, whichever way. */
export function endOf({ stoppedAt, crashedAt }: LifeRecord): number {
  return Math.min(stoppedAt ?? Infinity, crashedAt ?? Infinity)
}
