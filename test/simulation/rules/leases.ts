import { isChosen } from '../distortion.ts'
import { tellsTimes } from '../explained.ts'
import { workerOf, type Plan } from '../plan.ts'
import { configsIn } from '../settings.ts'
import type { Evidence } from '../judge.ts'
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
  const { state } = record.life(life)
  const knowing = record.livesOf(state).filter(({ name }) => knowsThatNoneIsTold(record, name, at))
  const key = `${life} ${clinkId} ${knowing.map(({ name }) => name).join()}`
  return endBy(record, key, record.grantsOf(life, clinkId), at, (grant, end, last) => {
    // A renewal for less shortens a claim. Who is told when claims end has to know that, also of one whose answer is lost.
    if (tellsTimes(plan) && isTold(plan, grant)) return grant.expires
    const moved = last === undefined ? -Infinity : movedEnd(plan, grant, end, last)
    return Math.max(end, believed(plan, record, grant, life, at), moved)
  })
}

/** The same by the service's own knowledge, whatever it told: a renewal for less shortens a claim. */
export function claimEnd(record: Record, life: string, clinkId: string, at: number): number {
  const { state } = record.life(life)
  return endBy(record, `${state} ${clinkId}`, record.grantsOf(life, clinkId), at, ({ expires }) => expires)
}

/** @param last the grant before it, of a claim that stands. */
type After = (grant: GrantRecord, end: number, last: GrantRecord | undefined) => number

/** @param key of all that `after` goes by. */
function endBy(record: Record, key: string, grants: readonly GrantRecord[], at: number, after: After): number {
  const known = knownIn(ends, record, () => new Map<string, readonly number[]>())
  const all = known.get(key) ?? endsBy(record, grants, after)
  known.set(key, all)
  return all[grants.findLastIndex((grant) => grant.at <= at)] ?? -Infinity
}

/** The ends after each grant. They are asked for again and again, of a record that is complete. */
const ends = new WeakMap<Record, Map<string, readonly number[]>>()

function endsBy(record: Record, grants: readonly GrantRecord[], after: After): readonly number[] {
  let end = -Infinity
  let last: GrantRecord | undefined
  return grants.map((grant) => {
    const stands = grant.at < end
    if (stands || founds(record, grant, end, last?.at ?? -Infinity))
      end = after(grant, stands ? end : -Infinity, stands ? last : undefined)
    last = grant
    return end
  })
}

/** Where answers show when a claim ends and not when it began, what is believed of it moves by as much as the end that is shown. */
function movedEnd({ switches, world: { field } }: Plan, grant: GrantRecord, end: number, last: GrantRecord): number {
  const { claimTimes } = switches
  const isShown = claimTimes !== 'absent' && field?.name === 'claimed_at' && isChosen(grant.clinkId, field.every)
  if (!isShown || grant.via === 'poll') return -Infinity
  const shown = ({ expires }: GrantRecord): number =>
    claimTimes === 'seconds' ? Math.floor(expires / 1_000) * 1_000 : expires
  const { asked = UNSAID, begunAt } = grant.request
  return Math.min(begunAt + asked, end + shown(grant) - shown(last))
}

function founds(record: Record, grant: GrantRecord, end: number, last: number): boolean {
  const { via, isNew, request } = grant
  return (
    via === 'poll' ||
    request.begunAt > end ||
    (isNew && (isListed(record, request, last) || asksForLength(record, request)))
  )
}

/** Whether a request asks how long a claim lasts of which a poll has not said that. It is asked for again and again, of a record that is complete. */
export function asksForLength(record: Record, request: RequestRecord): boolean {
  return knownIn(asking, request, () => mayAskForLength(record, request))
}

const asking = new WeakMap<RequestRecord, boolean>()

function mayAskForLength(record: Record, { begunAt, clinkId, kind, life }: RequestRecord): boolean {
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

/** Of a claim that was not answered, or with something else, whether the service tells at all. */
function isTold(plan: Plan, grant: GrantRecord): boolean {
  return grant.request.lengths?.has(grant.clinkId) === true ? lengthOf(grant) === 'told' : tellsTimes(plan)
}

/** Whether a request gives back what a poll has claimed for a time that it did not say. */
export function givesBackUntold(plan: Plan, record: Record, { begunAt, clinkId, kind, life }: RequestRecord): boolean {
  return kind === 'release' && clinkId !== undefined && begunAt <= untoldEnd(plan, record, life, clinkId, begunAt)
}

/**
 * Until when a process that acts at `at` holds on to what a poll has claimed for a time that it did not say, without running it: by the documented
 * belief. A question about that time which was not answered tells nothing; but it may have left no more of the claim than it asked for.
 */
export function untoldEnd(plan: Plan, record: Record, life: string, clinkId: string, at: number): number {
  const grants = record.grantsOf(life, clinkId).filter((grant) => grant.at <= at)
  const claim = grants.findLast(({ via, request }) => via === 'poll' || request.toldWell === true)
  if (claim?.via !== 'poll' || lengthOf(claim) !== 'untold') return -Infinity
  const longest = Math.min(longestAsked(plan, record, claim), UNSAID)
  const questions = grants.slice(grants.indexOf(claim) + 1)
  const ends = questions.map((grant) => grant.at + (grant.request.asked ?? UNSAID))
  return Math.min(claim.at + longest, ...ends)
}

/** Whether a claim was made because a list shows its clink: as pending, or after `since`. */
export function isListed(record: Record, { kind, clinkId, begunAt, life }: RequestRecord, since: number): boolean {
  if (kind !== 'claim' || clinkId === undefined) return false
  const last = record.grantsOf(life, clinkId).findLast(({ at }) => at < begunAt)?.at ?? -Infinity
  return listsWith(record, life, clinkId).some(
    (list) =>
      (list.endedAt ?? Infinity) <= begunAt &&
      // A request of ours that reached the service later than the list may have claimed it without our knowing.
      (list.arrivedAt ?? -Infinity) >= (list.listed?.get(clinkId) === 'pending' ? Math.min(last, since) : since),
  )
}

/** Whether a claim was made because any list shows its clink. It is asked for again and again, of a record that is complete. */
function wasListed(record: Record, request: RequestRecord): boolean {
  return knownIn(listed, request, () => isListed(record, request, -Infinity))
}

const listed = new WeakMap<RequestRecord, boolean>()

/** The looks of a process that have shown a clink. They are asked for again and again, of a record that is complete. */
function listsWith(record: Record, life: string, clinkId: string): readonly RequestRecord[] {
  const lists = knownIn(listsOf, record, () => Map.groupBy(listings(record), ({ key }) => key))
  return (lists.get(`${life} ${clinkId}`) ?? []).map(({ list }) => list)
}

interface Listing {
  /** A process and a clink. */
  readonly key: string
  readonly list: RequestRecord
}

const listsOf = new WeakMap<Record, ReadonlyMap<string, readonly Listing[]>>()

function listings({ requests }: Record): readonly Listing[] {
  return requests.flatMap((list) =>
    list.kind === 'probe' ? [...(list.listed?.keys() ?? [])].map((id) => ({ key: `${list.life} ${id}`, list })) : [],
  )
}

/** @param life who acts: it goes by what it was told, and by what the process was told that was given the claim. */
function believed(plan: Plan, record: Record, grant: GrantRecord, life: string, until: number): number {
  const { expires, at, via, isNew } = grant
  const { config } = workerOf(plan, life)
  if (isTold(plan, grant)) return expires
  const timeout = longestAsked(plan, record, grant)
  if (via === 'claim' && config.claim.trustRenewals) return Math.max(expires, at + timeout)
  // Until a renewal was granted without times nothing is believed of what a poll brought.
  const knows = [life, grant.life].some((one) => knowsThatNoneIsTold(record, one, until))
  if (via === 'poll' && !knows) return expires
  // What a list has shown as pending a sibling may have claimed since, which nobody tells.
  const isFirst = via === 'poll' || isNew || wasListed(record, grant.request)
  return isFirst ? Math.max(expires, at + Math.min(timeout, UNSAID)) : expires
}

/** The longest time for which its process may have asked, by the settings that it had when the claim was made: the claim keeps those. */
function longestAsked(plan: Plan, record: Record, grant: GrantRecord): number {
  return knownIn(longest, grant, () => findLongestAsked(plan, record, grant))
}

/** Claims are made by the thousand where each runs out in seconds, and all that were made before are looked at for each. */
const longest = new WeakMap<GrantRecord, number>()

function findLongestAsked(plan: Plan, record: Record, { at, clinkId, life, request }: GrantRecord): number {
  const made = record.grantsOf(life, clinkId).findLast((grant) => grant.isNew && grant.at <= at)?.request ?? request
  // One of an earlier process is taken over with settings of its own.
  const from = made.life === life ? made.begunAt : 0
  const configs = configsIn(plan, record, life, from, Math.max(from, request.endedAt ?? at))
  return Math.max(...configs.map(({ claim }) => claim.timeout))
}

/** A renewal was granted without times: then nothing tells, and nobody asks first again. */
export function knowsThatNoneIsTold(record: Record, life: string, at: number): boolean {
  const since = knownIn(untoldSince, record, () => findUntold(record))
  return (since.get(life) ?? Infinity) <= at
}

/** Of each process the time of the first such answer. It is asked for again and again, of a record that is complete. */
const untoldSince = new WeakMap<Record, ReadonlyMap<string, number>>()

function findUntold({ requests }: Record): ReadonlyMap<string, number> {
  const since = new Map<string, number>()
  for (const { clinkId = '', endedAt = Infinity, kind, lengths, life, toldWell } of requests) {
    if (kind !== 'claim' || toldWell !== true || lengths?.get(clinkId) === 'told') continue
    since.set(life, Math.min(since.get(life) ?? Infinity, endedAt))
  }
  return since
}

/** Whether the operator's word that renewals are good is all that a process can go by: it may be wrong, and nothing shows it. */
export function trustsBlindly(plan: Plan, life: string): boolean {
  return !tellsTimes(plan) && workerOf(plan, life).config.claim.trustRenewals
}

/** Whether the process stood still at some time between `from` and `to`, or has just come back. */
export function slept({ sleeps }: LifeRecord, from: number, to: number): boolean {
  return sleeps.some((sleep) => sleep.from <= to && sleep.to >= from)
}

/** Milliseconds for which a start may have been on its way to the journal, beside the time that a slow one takes. */
export const BEGINS = 100

/**
 * Since when what starts may have had its slot: its start was on its way to the journal, and to the store of its fleet.
 *
 * @param readyAt from when on nothing else kept it from starting.
 */
export function hadSlotSince({ plan, record }: Evidence, life: LifeRecord, at: number, readyAt = at): number {
  const began = readyAt - BEGINS - (plan.world.store?.slowest ?? 0)
  const since = Math.min(began, record.fleet.begunSince(life.name, readyAt))
  return slept(life, since, at) ? 0 : since
}

/** What is found out once of a record that is complete, and asked for again and again. */
function knownIn<Key extends object, Value>(found: WeakMap<Key, Value>, key: Key, find: () => Value): Value {
  const value = found.get(key) ?? find()
  found.set(key, value)
  return value
}

/** When a process ended, whichever way. */
export function endOf({ stoppedAt, crashedAt }: LifeRecord): number {
  return Math.min(stoppedAt ?? Infinity, crashedAt ?? Infinity)
}
