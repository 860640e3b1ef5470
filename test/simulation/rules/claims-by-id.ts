import { needsSelect } from '../explained.ts'
import { workerOf } from '../plan.ts'
import type { Rule } from '../judge.ts'
import type { EventRecord, GrantRecord, Record } from '../record.ts'
import { CLAIM_ENDS, trustsBlindly } from './leases.ts'

function verdicts(record: Record, life: string, verdict: string): readonly EventRecord[] {
  const { state } = record.life(life)
  return record
    .livesOf(state)
    .flatMap(({ name }) => record.eventsByLife.get(name) ?? [])
    .filter(({ event }) => event.event === 'worker.siblings' && event.verdict === verdict)
}

/** It was found out in this state directory, or by another member of the fleet, which tells it. */
function knowsRefusal(record: Record, life: string, at: number): boolean {
  const known = [...record.lives.values()].filter(({ state }) => record.sharesWith(life, state))
  return known.some(({ name }) => verdicts(record, name, 'refused').some((told) => told.at <= at))
}

const HELD: ReadonlySet<string> = new Set(['clink.claimed', 'clink.renewed'])

/**
 * Whether the process had told of a claim on the clink, and not of its end, when it sent the request. What a poll claimed is renewed
 * while it is being judged, before it is told as claimed.
 */
function isRenewal(record: Record, { life, clinkId, request }: GrantRecord): boolean {
  const told = record.told(life, clinkId).filter(({ at }) => at <= request.begunAt)
  const begun = told.findLastIndex(({ event }) => HELD.has(event.event))
  return begun !== -1 && !told.slice(begun).some(({ event }) => CLAIM_ENDS.has(event.event))
}

/** What was claimed by id runs only where it is known that siblings' claims are refused, or that there are none. */
export const claimsByIdAreSafe: Rule = ({ plan, record }) =>
  record.runs.flatMap(({ clinkId, isRerun, life, startedAt: at }) => {
    const claim = record.grantsOf(life, clinkId).findLast((grant) => grant.isNew && grant.at <= at)
    if (isRerun === true || claim?.via !== 'claim' || workerOf(plan, life).config.claim.exclusive) return []
    // What a person gave back, a renewal has claimed anew.
    if (record.acts.some((act) => act.clinkId === clinkId)) return []
    if (trustsBlindly(plan, life)) return []
    // A renewal that came late may have claimed it too: then it was begun on the claim before, which is for the rules of leases.
    if (isRenewal(record, claim) || record.runsOf(life, clinkId).some(({ startedAt }) => startedAt < at)) return []
    if (knowsRefusal(record, life, at)) return []
    return [{ rule: 'P3', at, life, text: `${clinkId} was claimed by id and runs, though siblings may be granted` }]
  })

/** Who must choose what it claims never polls with claiming on. */
export const choosersDoNotPoll: Rule = ({ plan, record }) =>
  record.requests.flatMap(({ kind, life, begunAt: at, n }) =>
    kind === 'poll' && needsSelect(workerOf(plan, life))
      ? [{ rule: 'P6', at, life, text: `#${n} polls with claiming on, though the configuration chooses` }]
      : [],
  )

/** Who must choose and may not claim by id says so, and claims nothing any more. */
export const refusalsAreSaid: Rule = ({ plan, record }) =>
  [...record.lives.values()].flatMap((of) => {
    const { name: life, worker, startedAt } = of
    const config = plan.workers.find(({ name }) => name === worker)
    const granted = verdicts(record, life, 'granted')[0]
    if (config === undefined || granted === undefined || !needsSelect(config)) return []
    const since = Math.max(granted.at, startedAt)
    const events = record.eventsByLife.get(life) ?? []
    const claims = events.filter(({ at, event }) => event.event === 'clink.claimed' && at > since)
    // That suspects run alone is another reason, and passes.
    const isSaid = events.some(({ event }) => event.event === 'worker.notReady' && !/ runs? alone /.test(event.reason))
    const lived = Math.min(of.stopAskedAt ?? record.now, of.crashedAt ?? record.now) - since
    // While the service fails, or the process sleeps, there are other things to say.
    const hadTime = lived > 600_000 && since > plan.calmAt
    return [
      ...claims.map(({ at }) => ({ rule: 'P3', at, life, text: 'it claims though siblings are granted' })),
      ...(hadTime && !isSaid ? [{ rule: 'P14', at: since, life, text: 'it does not say why it claims nothing' }] : []),
    ]
  })
