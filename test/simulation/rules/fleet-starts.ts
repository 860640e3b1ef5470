import { isFailure } from '../explained.ts'
import type { Breach, Evidence, Rule } from '../judge.ts'
import type { Plan } from '../plan.ts'
import type { Record, RunRecord } from '../record.ts'
import { configsUntil } from '../settings.ts'

/** The most starts that a clink may have, by what any member was ever told. */
function mostAttempts({ workers }: Plan, at: number): number {
  const configs = workers.flatMap((worker) => configsUntil(worker, at))
  return Math.max(...configs.map(({ retry }) => retry.attempts))
}

/** Fleet: no handler starts that the store has not counted, by a write of the very process. */
export const startsAreNoted: Rule = ({ plan, record }) => {
  if (plan.world.fleet === undefined) return []
  return [...record.runs, ...record.awayStarts].flatMap(({ life, clinkId, startedAt: at }): readonly Breach[] => {
    const before = [...record.runs, ...record.awayStarts].filter(
      (one) => one.life === life && one.clinkId === clinkId && one.startedAt < at,
    )
    const since = Math.max(-Infinity, ...before.map(({ startedAt }) => startedAt))
    if (record.fleet.writesOf(clinkId, life).some((written) => written >= since && written <= at)) return []
    return [{ rule: 'fleet', at, life, text: `${clinkId} starts, and its fleet does not know` }]
  })
}

/** Fleet: a clink is started `retry.attempts` times by all members, but for starts that cost nothing; and each sees how many there were. */
export const attemptsAreOfTheFleet: Rule = (evidence) => {
  const { plan, record } = evidence
  if (plan.world.fleet === undefined) return []
  return record.runs.flatMap((run): readonly Breach[] => {
    const { attempt, clinkId, life, startedAt: at } = run
    const most = mostAttempts(plan, at)
    const before = record.knownRunsThatCount(life, clinkId, at)
    // Of what is done under a claim that goes on beside this one nobody asks any more.
    const by = run.isRerun === true ? at : (claimOf(record, run) ?? at)
    const isKnown = (one: RunRecord): boolean => one.life === life || (one.endedAt ?? Infinity) <= by
    const counted = before.filter((one) => isKnown(one) && isCounted(evidence, one, at)).length
    const failures = before.filter((one) => isKnown(one) && isFailure(one) && (one.endedAt ?? Infinity) <= at).length
    const breach = (text: string): Breach => ({ rule: 'fleet', at, life, text: `${clinkId} starts ${text}` })
    return [
      ...(counted >= most ? [breach(`after ${counted} starts that count, and may have ${most}`)] : []),
      ...(attempt <= failures ? [breach(`as attempt ${attempt}, after ${failures} failures in the fleet`)] : []),
    ]
  })
}

/** A start that surely costs an attempt by then: it has failed, or ended with a process that has not come back. */
function isCounted({ record }: Pick<Evidence, 'record'>, run: RunRecord, at: number): boolean {
  if (isFailure(run)) return (run.endedAt ?? Infinity) <= at
  const { crashedAt = Infinity } = record.life(run.life)
  const isCutOff = (run.endedAt ?? Infinity) > crashedAt && crashedAt <= at
  return isCutOff && !hasComeBack(record, run.life, at)
}

/** Whether a later process of the same member had started by then. */
function hasComeBack(record: Record, life: string, at: number): boolean {
  const { startedAt: since, state } = record.life(life)
  return record.livesOf(state).some(({ startedAt }) => startedAt > since && startedAt <= at)
}

/** Milliseconds after which what was told to a store that answers has arrived there. */
const TOLD = 10_000

/** Fleet, §5: what a member has computed while its lease stood no member computes again: not where the store held it, nor where it should have. */
export const resultsAreOfTheFleet: Rule = (evidence) => {
  const { plan, record } = evidence
  if (plan.world.fleet === undefined) return []
  return record.runs.flatMap((run): readonly Breach[] => {
    const { clinkId, isRerun, life, startedAt: at } = run
    const claimedAt = claimOf(record, run)
    if (isRerun === true || claimedAt === undefined) return []
    const breach = (text: string): Breach => ({ rule: 'fleet', at, life, text: `${clinkId} starts ${text}` })
    const unheardFrom = record.fleet.unheardFrom(life, at, plan.world.store?.slowest)
    const facts = record.fleet.factsOf(clinkId, Math.max(claimedAt, unheardFrom), at)
    const isKnown = facts.length > 0 && facts.every(({ results }) => results.length > 0)
    if (isKnown) return [breach('though its fleet holds a result of it')]
    const untold = record
      .knownRunsThatCount(life, clinkId, at)
      .find((one) => isKept(one) && wasToBeTold(evidence, one, claimedAt))
    return untold === undefined ? [] : [breach(`though ${untold.life} had a result at ${untold.endedAt}`)]
  })
}

/** It was computed while its lease stood, and its process has written that. */
const isKept = ({ abortedAt, end, isCutShort, isRerun, outlivedClaim }: RunRecord): boolean =>
  end === 'result' && abortedAt === undefined && isCutShort !== true && outlivedClaim !== true && isRerun !== true

/** Whether its member has reached the store long after a run had ended, and before a time: what came of it was told by then. */
function wasToBeTold({ plan, record }: Evidence, { endedAt = Infinity, life }: RunRecord, by: number): boolean {
  const { state } = record.life(life)
  const from = endedAt + TOLD + (plan.world.store?.slowest ?? 0)
  const isWritten = (plan.world.store?.failing ?? []).every(({ from: begin, to }) => begin > by || to < endedAt)
  const calls = record.livesOf(state).flatMap(({ name }) => record.fleet.calls.get(name) ?? [])
  const during = calls.filter(({ sentAt, endedAt: end = Infinity }) => end >= endedAt && sentAt <= by)
  const isWell = during.every(({ hasFailed }) => hasFailed !== true)
  return isWritten && isWell && during.some(({ sentAt, endedAt: end = Infinity }) => sentAt > from && end < by)
}

/**
 * When the claim was made under which a run starts; undefined: by no claim. A renewal of a claim that had ended makes another one, and its answer is the
 * same: its member goes on under the one of which it has said last that it has it.
 */
export function claimOf(record: Record, { clinkId, life, startedAt }: RunRecord): number | undefined {
  const told = record.told(life, clinkId)
  const said = told.findLast(({ at, event }) => at <= startedAt && event.event === 'clink.claimed')?.at ?? startedAt
  const grants = record.grantsOf(life, clinkId).filter(({ at, isNew }) => isNew && at <= startedAt)
  return grants.findLast(({ at, via }) => via === 'poll' || at <= said)?.at
}
