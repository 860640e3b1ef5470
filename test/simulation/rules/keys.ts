import { isChosen } from '../distortion.ts'
import { isRefusing } from '../explained.ts'
import { workerOf } from '../plan.ts'
import type { Breach, Evidence, Rule } from '../judge.ts'
import { ownerOf } from '../plan-keys.ts'
import { configAt } from '../settings.ts'
import type { EventRecord, LetterAsk, LifeRecord, Record, RequestRecord } from '../record.ts'
import { hasForgottenOwner } from './forgotten-owner.ts'
import { CLAIM_ENDS, endOf, slept } from './leases.ts'

/** Whether a request was made with a key of somebody else than the worker's owner, by a process that can know it. */
function isStrange(evidence: Evidence, { key, life }: RequestRecord): boolean {
  const { plan } = evidence
  return ownerOf(plan, key) !== workerOf(plan, life).owner && !hasForgottenOwner(evidence, life)
}

/** When a process has found out whose a strange key is, since that was written last before `at`. */
function foundOutAt({ record }: Evidence, { key, life }: RequestRecord, at: number): number | undefined {
  const { worker } = record.life(life)
  const written = record.keyActs.findLast((act) => {
    return act.what === 'write' && act.worker === worker && act.key === key && act.at <= at
  })
  const told = record.eventsByLife.get(life)?.find(({ at: said, event }) => {
    const isOfKey = event.event === 'key.refused' && event.reason.includes('belongs to')
    return isOfKey && said >= (written?.at ?? 0) && said < at
  })
  return told?.at
}

/**
 * §0, §8: a key that no answer says anything of is as good as any. The records of one of these clinks do not say who holds it, or none does,
 * and no other had told whose the key is.
 */
function isUntold(evidence: Evidence, clinkIds: readonly string[], request: RequestRecord, at: number): boolean {
  const { field } = evidence.plan.world
  if (field?.name !== 'claimed_by' || foundOutAt(evidence, request, at) !== undefined) return false
  return field.every === 1 || clinkIds.some((id) => isChosen(id, field.every))
}

/** Clinks that a key has claimed and whose runs may have sent something just then. */
function sendersOf(record: Record, { key, life }: RequestRecord, at: number): readonly string[] {
  const running = record.runs.filter(({ endedAt = Infinity, isRerun, life: of, startedAt }) => {
    return of === life && isRerun !== true && startedAt <= at && endedAt >= at
  })
  const ids = running.map(({ clinkId }) => clinkId)
  return ids.filter((id) => record.grantsOf(life, id).findLast((grant) => grant.at <= at)?.request.key === key)
}

/**
 * §8: what a strange key was given is not run, and nothing is completed or sent in a stranger's name. To try to complete what an own key
 * has claimed is no harm: the service does that for its owner only.
 */
export const strangersWorkIsLeft: Rule = (evidence) => {
  const { record } = evidence
  const run = record.runs.flatMap(({ clinkId, isRerun, life, startedAt: at }) => {
    const claim = record.grantsOf(life, clinkId).findLast((grant) => grant.at <= at)
    if (isRerun === true || claim === undefined || !isStrange(evidence, claim.request)) return []
    if (isUntold(evidence, [clinkId], claim.request, at)) return []
    return [{ rule: 'P15', at, life, text: `${clinkId} runs though the key ${claim.request.key} has claimed it` }]
  })
  const said = record.requests.flatMap((request) => {
    const { clinkId, key, kind, life, n, sentAt: at, status } = request
    const isHarm = kind === 'send' || (kind === 'complete' && status === 200)
    if (at === undefined || !isHarm || !isStrange(evidence, request)) return []
    const meant = kind === 'send' ? sendersOf(record, request, at) : [clinkId ?? '']
    if (isUntold(evidence, meant, request, at)) return []
    return [{ rule: 'P15', at, life, text: `#${n} ${kind} is in the name of whom ${key} belongs to` }]
  })
  return [...run, ...said]
}

/** §8: a key that turned out to be somebody else's claims nothing more, unless somebody writes it once more. */
export const strangersClaimOnce: Rule = (evidence) => {
  const { record } = evidence
  return [...record.grantsByClink.values()]
    .flat()
    .flatMap(({ at, clinkId, isNew, life, request }): readonly Breach[] => {
      const { begunAt, key } = request
      if (!isNew || !isStrange(evidence, request)) return []
      const foundOut = foundOutAt(evidence, request, begunAt)
      if (foundOut === undefined) return []
      return [{ rule: 'P15', at, life, text: `${clinkId} is claimed with ${key}, which was found out at ${foundOut}` }]
    })
}

/** §8: a claim is asked about with the key that made it, until the service has answered that one with 401. */
export const claimsKeepTheirKey: Rule = ({ record }) => {
  if (record.keyActs.length === 0) return []
  return [...record.requestsByClink].flatMap(([clinkId, requests]) =>
    requests.flatMap((request): readonly Breach[] => {
      const { begunAt: at, key, kind, life, n } = request
      const { startedAt } = record.life(life)
      const told = record.told(life, clinkId).filter(({ at: said }) => said >= startedAt && said <= at)
      const claimed = told.findLast(({ event }) => event.event === 'clink.claimed')
      if (claimed === undefined || kind === 'sibling') return []
      if (told.some(({ event, at: said }) => said >= claimed.at && CLAIM_ENDS.has(event.event))) return []
      const grants = record.grantsOf(life, clinkId).filter((one) => one.at <= at)
      // It may have been renewed, also with another key, before it was told as claimed.
      const grant = grants.findLast((one) => one.isNew && one.at <= claimed.at)
      // What somebody has given back by hand, a poll with another key may have claimed since.
      if (grant?.life !== life || grant.request.key === key || grants.at(-1)?.request.key === key) return []
      if (isSpent(record, life, grant.request.key, at)) return []
      const text = `#${n} ${kind} ${clinkId} asks with ${key}, and ${grant.request.key} has claimed it`
      return [{ rule: 'P2', at, life, text }]
    }),
  )
}

/** Whether a process has been told by then that the service does not take the key. */
function isSpent(record: Record, life: string, key: string, at: number): boolean {
  return record.requests.some((one) => {
    return one.life === life && one.key === key && one.toldStatus === 401 && (one.endedAt ?? Infinity) <= at
  })
}

/** Milliseconds after which a refused key is tried again, and a new one has been looked at, with the worst of jitter. */
const SLOWLY = 90_000

/** P12, §8: once there is a good key again, and the service answers, the worker looks at the inbox with it. */
export const goodKeysAreUsed: Rule = (evidence) => {
  const { plan, record } = evidence
  return [...record.lives.values()].flatMap((life): readonly Breach[] => {
    const { owner } = workerOf(plan, life.name)
    const last = Math.max(...record.keyActs.map(({ at }) => at))
    const since = Math.max(last, plan.calmAt, life.startedAt)
    const { clink, poll } = configAt(workerOf(plan, life.name), since)
    const until = since + SLOWLY + poll.maxInterval + clink.timeout
    if (record.keyActs.length === 0 || isRefusing(plan, record, life.name, until)) return []
    if (Math.min(endOf(life), life.stopAskedAt ?? record.now, record.now) < until) return []
    const isSeen = record.requests.some((request) => {
      const { arrivedAt = 0, kind, key, life: of, toldStatus } = request
      if (of !== life.name || (kind !== 'poll' && kind !== 'probe') || arrivedAt < since || arrivedAt > until)
        return false
      return toldStatus === 200 && ownerOf(plan, key) === owner
    })
    if (isSeen || isDisturbed(evidence, life, since, until)) return []
    return [
      {
        rule: 'P12',
        at: until,
        life: life.name,
        text: `it has not looked at the inbox since ${since}, though its key is good`,
      },
    ]
  })
}

/**
 * It slept, or had no slot free: what it cannot settle, since the key that claimed it was taken, keeps its slot until the claim ends, and
 * after two crashes in a row what was running runs alone. Or its only route was paused, and it looks when a probe is due.
 */
function isDisturbed({ plan, record }: Evidence, life: LifeRecord, since: number, until: number): boolean {
  const { concurrency } = configAt(workerOf(plan, life.name), since)
  const told = (record.eventsByLife.get(life.name) ?? []).filter(({ at }) => at < until)
  const inHand = new Map<string, number>()
  for (const { at, event } of told) {
    if (!('clink' in event)) continue
    if (event.event === 'clink.claimed') inHand.set(event.clink.clink_id, at)
    if (CLAIM_ENDS.has(event.event) && at < since) inHand.delete(event.clink.clink_id)
  }
  // Code that runs on after its claim was lost, or without one: a later claim on its clink waits for it, with a slot of its own.
  const runOn = record.runs.filter(({ clinkId, endedAt = Infinity, life: of, startedAt }) => {
    const claimedAt = inHand.get(clinkId) ?? Infinity
    const isRunning = of === life.name && startedAt < until && endedAt > since
    return isRunning && startedAt < claimedAt && (claimedAt === Infinity || endedAt > claimedAt)
  })
  const isNarrow = record
    .livesOf(life.state)
    .flatMap(({ name }) => record.eventsByLife.get(name) ?? [])
    .some(({ at, event }) => at < until && event.event === 'worker.crashed' && event.crashes > 1)
  const taken = inHand.size + new Set(runOn.map(({ clinkId }) => clinkId)).size
  const seats = taken * Math.min(plan.world.limits?.weight ?? 1, concurrency)
  const { patterns } = plan.world
  // A clink whose route is being found has a slot.
  const isFinding = patterns !== undefined && since < patterns.until + patterns.slowest
  // Seats are saved for a rerun that takes several.
  const isSaving = seats > taken && record.asks.some((ask) => isWaiting(record, life, ask, since))
  return (
    seats >= concurrency || isSaving || isFinding || isNarrow || wasPaused(told, since) || slept(life, since, until)
  )
}

/** Whether somebody had been told that a letter is run again, and that had not begun at that time. */
function isWaiting(
  record: Record,
  life: LifeRecord,
  { answer, askedAt, clinkId, state }: LetterAsk,
  at: number,
): boolean {
  if (answer !== 'rerun' || state !== life.state || askedAt > at) return false
  return !record
    .told(life.name, clinkId)
    .some((one) => one.event.event === 'clink.rerun' && one.at >= askedAt && one.at <= at)
}

/** Whether the route was paused at that time, or later. */
function wasPaused(told: readonly EventRecord[], since: number): boolean {
  const last = told.findLast(({ event }) => event.event === 'route.paused')
  if (last === undefined) return false
  return !told.some(({ at, event }) => event.event === 'route.resumed' && at >= last.at && at < since)
}
