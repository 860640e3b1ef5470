import type { Limits } from '../../../src/handlers/route.ts'
import type { WorkerEvent } from '../../../src/events.ts'
import { PAUSED } from '../../../src/worker/delivery/backoff.ts'
import type { StoredClink } from '../../../src/emulator/emulator.ts'
import { isMarked, isOurs } from '../explained.ts'
import { workerOf } from '../plan.ts'
import { configsIn } from '../settings.ts'
import type { Breach, Evidence, Rule } from '../judge.ts'
import type { LifeRecord, RequestRecord, RunRecord } from '../record.ts'
import { CLAIM_ENDS } from './leases.ts'
import { SlotsInUse } from './taking.ts'

type Judged = (evidence: Evidence, life: LifeRecord, limits: Limits) => readonly Breach[]

/** §4, P6: no route of a process exceeds its limits, whatever it was given. */
export const limitsAreKept: Rule = (evidence) => ofEachLife(evidence, [concurrencyIsKept, rateIsKept, keysAreKept])

/** P6, §3: where claims are chosen, none is made for a route that is at its limit. */
export const claimsFollowLimits: Rule = (evidence) => ofEachLife(evidence, [claimsAreHeldBack])

function ofEachLife(evidence: Evidence, all: readonly Judged[]): readonly Breach[] {
  const { limits } = evidence.plan.world
  if (limits === undefined) return []
  return [...evidence.record.lives.values()].flatMap((life) => all.flatMap((one) => one(evidence, life, limits)))
}

const runsOf = ({ record }: Evidence, life: LifeRecord): readonly RunRecord[] =>
  record.runs.filter((run) => run.life === life.name)

/** How many clinks of the route there are seats for in that time. */
export function mostOf(
  { plan, record }: Evidence,
  { name }: LifeRecord,
  { from, to = from }: { readonly from: number; readonly to?: number },
): number {
  const { concurrency = Infinity, weight = 1 } = plan.world.limits ?? {}
  const seats = Math.max(...configsIn(plan, record, name, from, to).map((config) => config.concurrency))
  return Math.min(concurrency, Math.floor(seats / Math.min(weight, seats)))
}

const concurrencyIsKept: Judged = (evidence, life) => {
  const runs = runsOf(evidence, life)
  return runs.flatMap(({ startedAt: at }) => {
    const active = runs.filter((run) => run.startedAt <= at && (run.endedAt ?? Infinity) > at)
    // What has its seats keeps them, also where there are fewer now.
    const most = mostOf(evidence, life, { from: Math.min(...active.map(({ startedAt }) => startedAt), at), to: at })
    return active.length <= most ? [] : [breach(at, life, `${active.length} run at once, not ${most}`)]
  })
}

/** In no window are more starts than the rate allows, and a process begins with one that is used up. */
const rateIsKept: Judged = (evidence, life, { rate }) => {
  if (rate === undefined || rate.scope === 'fleet') return []
  const runs = runsOf(evidence, life)
  return runs.flatMap(({ startedAt: at }) => {
    if (at < life.startedAt + rate.window) return [breach(at, life, 'a start before the first window is over')]
    const count = runs.filter(({ startedAt }) => startedAt <= at && startedAt > at - rate.window).length
    return count <= rate.count ? [] : [breach(at, life, `${count} starts in ${rate.window} ms, not ${rate.count}`)]
  })
}

/** From its first start to its settlement, backing off included, a clink is the only one of its key that starts, unless it waits for its route. */
const keysAreKept: Judged = ({ emulator, plan, record }, life, { serial }) => {
  // Whose key is not told has none.
  const isUntold = plan.world.field?.name === `${serial}_id`
  if (serial === undefined || isUntold) return []
  const holders = new Map<string, string>()
  return (record.eventsByLife.get(life.name) ?? []).flatMap(({ at, event }) => {
    if (!('clink' in event)) return []
    const { clink_id: id } = event.clink
    const clink = emulator.clink(id)
    if (clink === undefined) return []
    const key = keyOf(clink, serial)
    if (givesKeyUp(event) && holders.get(key) === id) holders.delete(key)
    if (event.event !== 'clink.started') return []
    const holder = holders.get(key)
    holders.set(key, id)
    return holder === undefined || holder === id ? [] : [breach(at, life, `${id} starts beside ${holder} of ${key}`)]
  })
}

/** The clink has ended, or waits for its route, which is paused: that lets others of its key go first. */
export function givesKeyUp(event: WorkerEvent): boolean {
  return (CLAIM_ENDS.has(event.event) && 'route' in event) || (event.event === 'clink.held' && event.why === PAUSED)
}

const claimsAreHeldBack: Judged = (evidence, life) => {
  const { emulator, plan, record } = evidence
  const worker = workerOf(plan, life.name)
  const isChosen = worker.config.inbox.claim === 'select' && life.changes.length === 0
  if (!isChosen) return []
  const slots = new SlotsInUse(record, life)
  const asking: RequestRecord[] = []
  return record.requests.flatMap((request) => {
    const { begunAt: at, clinkId, kind, n } = request
    if (request.life !== life.name || kind !== 'claim') return []
    const inHand = slots.by(at)
    const clink = clinkId === undefined ? undefined : emulator.clink(clinkId)
    // What is no work is completed, by no route.
    if (clink === undefined || isMarked(clink) || isOurs(emulator, plan, worker, clink)) return []
    if (slots.holds(clinkId)) return []
    const underWay = asking.filter(({ endedAt = Infinity }) => endedAt > at).length
    asking.push(request)
    const most = mostOf(evidence, life, { from: at })
    if (inHand.size + underWay + 1 <= most) return []
    // What was claimed since it might have been ours may have a key that is taken: it cannot start, and needs no seat yet.
    const used = [...inHand].filter((id) => !waitsForKey(evidence, life.name, id, at)).length
    if (used + underWay + 1 <= most) return []
    return [breach(at, life, `#${n} claims ${clinkId} beside ${used} in hand and ${underWay} claims, of ${most}`)]
  })
}

export function keyOf({ group_id, sender_id }: StoredClink, serial: 'group' | 'sender'): string {
  return serial === 'group' ? group_id : sender_id
}

function waitsForKey(evidence: Evidence, life: string, id: string, at: number): boolean {
  const clink = evidence.emulator.clink(id)
  return clink !== undefined && isMarked(clink) && isKeyTaken(evidence, life, clink, at)
}

function breach(at: number, life: LifeRecord, text: string): Breach {
  return { rule: 'limits', at, life: life.name, text }
}

/** Whether another clink in hand has the key of this one: that one may start, and this one not before it is settled. */
export function isKeyTaken(
  { emulator, plan, record }: Evidence,
  life: string,
  clink: StoredClink,
  at: number,
): boolean {
  const { serial } = plan.world.limits ?? {}
  if (serial === undefined) return false
  const inHand = new Set<string>()
  for (const { at: told, event } of record.eventsByLife.get(life) ?? []) {
    if (told > at) break
    if (!('clink' in event)) continue
    if (event.event === 'clink.started') inHand.add(event.clink.clink_id)
    if (givesKeyUp(event)) inHand.delete(event.clink.clink_id)
  }
  const others = [...inHand].flatMap((id) => emulator.clink(id) ?? [])
  return others.some((other) => other.clink_id !== clink.clink_id && keyOf(other, serial) === keyOf(clink, serial))
}
