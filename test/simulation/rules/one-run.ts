import type { Breach, Evidence, Rule } from '../judge.ts'
import type { LifeRecord, Record, RequestRecord, RunRecord } from '../record.ts'
import { tellsTimes } from '../explained.ts'
import { workerOf } from '../plan.ts'
import { configsIn } from '../settings.ts'
import { claimEnd, endOf, hadSlotSince } from './leases.ts'

/** P3: one run of a clink at a time; elsewhere only when a claim had ended or a process was stopped. */
export const oneRunAtATime: Rule = (evidence) => {
  const { record } = evidence
  const overlaps = [...record.runsByClink.values()].flatMap((runs) =>
    runs.flatMap((run, index) => runs.slice(0, index).flatMap((earlier) => overlap(evidence, earlier, run) ?? [])),
  )
  const crowded = [...record.lives.values()].flatMap((life) => {
    const runs = record.runs.filter((run) => run.life === life.name)
    return runs.flatMap((run, index) => {
      const { startedAt } = run
      const active = runs
        .slice(0, index + 1)
        .filter((other) => (other.endedAt ?? Infinity) > startedAt || other === run)
      if (active.length <= mostRuns(evidence, life, run)) return []
      return [{ rule: 'P11', at: startedAt, life: life.name, text: `${active.length} runs at once` }]
    })
  })
  return [...overlaps, ...crowded]
}

/**
 * How many may run when one more starts: what has more runs than it may now starts nothing, and lets what runs finish. What has its slot
 * keeps it, also while it is asked how long its claim lasts.
 */
function mostRuns(evidence: Evidence, life: LifeRecord, { clinkId, startedAt: at }: RunRecord): number {
  const { plan, record } = evidence
  if (life.changes.length === 0) return workerOf(plan, life.name).config.concurrency
  const claimed = record.told(life.name, clinkId).findLast((told) => {
    return told.life === life.name && told.event.event === 'clink.claimed' && told.at <= at
  })
  const questions = (record.requestsByClink.get(clinkId) ?? []).filter(({ begunAt, kind, life: of }) => {
    return of === life.name && kind === 'claim' && begunAt >= (claimed?.at ?? at) && begunAt <= at
  })
  const isFirst = !record
    .runsOf(life.name, clinkId)
    .some(({ startedAt }) => startedAt >= (claimed?.at ?? at) && startedAt < at)
  const isAnsweredNow = isFirst && (questions.at(-1)?.endedAt ?? -Infinity) >= hadSlotSince(evidence, life, at)
  const asked = isAnsweredNow ? (questions[0]?.begunAt ?? at) : at
  const since = hadSlotSince(evidence, life, at, asked)
  return Math.max(...configsIn(plan, record, life.name, since, at).map(({ concurrency }) => concurrency))
}

/** Whether one claim was over when the other was made. A renewal of what was over may since have been taken for one of the other claim. */
function hadEnded(record: Record, earlier: RunRecord, { clinkId, life, startedAt }: RunRecord): boolean {
  const claimed = record.grantsOf(life, clinkId).findLast(({ at, isNew }) => isNew && at <= startedAt)
  if (claimed === undefined) return false
  const end = claimEnd(record, earlier.life, clinkId, claimed.at)
  return end > -Infinity && end <= claimed.at
}

/** A claim by id of a process that cannot know yet whether it is told apart: its first one, where none before it with the same memory has asked. It may end before it asks. */
function mayBeginTrial(record: Record, { begunAt, kind, life }: RequestRecord): boolean {
  if (kind !== 'claim') return false
  const before = new Set(record.livesOf(record.life(life).state).map(({ name }) => name))
  return record.requests.every((other) => {
    if (!before.has(other.life) || other.begunAt >= begunAt) return true
    return other.kind !== 'sibling' && (other.life !== life || other.kind !== 'claim')
  })
}

function overlap({ plan, record }: Evidence, earlier: RunRecord, later: RunRecord): Breach | undefined {
  const owner = record.life(earlier.life)
  const { startedAt: at, clinkId } = later
  if (Math.min(earlier.endedAt ?? Infinity, endOf(owner)) <= at) return undefined
  const breach = {
    rule: 'P3',
    at,
    life: later.life,
    text: `${clinkId} also runs in ${earlier.life} since ${earlier.startedAt}`,
  }
  if (earlier.life === later.life) return breach
  if ((owner.stopAskedAt ?? Infinity) <= at) return undefined
  // Either may act in good faith on a claim that has ended where the service does not say when.
  const ends = [earlier, later].map((run) => claimEnd(record, run.life, clinkId, at))
  if (ends.some((end) => end <= at) || hadEnded(record, earlier, later)) return undefined
  if (!tellsTimes(plan) && hadEnded(record, later, earlier)) return undefined
  // Somebody else ended the claim: a person, or a sibling that the service does not tell apart from its holder. Or what was sent for the claim
  // before it, and reached the service only now: that names the clink, not the claim.
  const { at: claimedAt = -Infinity } =
    record.grantsOf(earlier.life, clinkId).findLast((grant) => grant.isNew && grant.at <= earlier.startedAt) ?? {}
  const given = record.requests.some(
    (request) =>
      request.clinkId === clinkId &&
      (request.kind === 'release' || request.kind === 'complete') &&
      (request.life !== earlier.life || request.begunAt < claimedAt) &&
      request.arrivedAt !== undefined &&
      request.arrivedAt <= at &&
      request.arrivedAt >= (claimedAt === -Infinity ? earlier.startedAt : claimedAt),
  )
  // Or shortened it while it found out whether it is told apart (§1): it asks for a length of its own, with claims before and after as well.
  const tried = record.requests.some(
    (request) =>
      request.clinkId === clinkId &&
      request.life !== earlier.life &&
      request.begunAt < at &&
      (request.kind === 'sibling' || mayBeginTrial(record, request)),
  )
  const acted = record.acts.some((act) => act.clinkId === clinkId && act.at <= at)
  return given || tried || acted ? undefined : breach
}
