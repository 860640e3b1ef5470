import type { Config } from '../../../src/config/config.ts'
import { isFailure, tellsTimes } from '../explained.ts'
import { workerOf } from '../plan.ts'
import { configsKept, configsUntil } from '../settings.ts'
import type { Breach, Rule } from '../judge.ts'
import type { Record, RunRecord } from '../record.ts'

/** The waits are jittered, but never to less than half. */
const LEAST_PART = 0.5
/** What is waited for by the wall clock is kept in whole milliseconds. */
const ROUNDING = 1

const mostAttempts = (configs: readonly Config[]): number => Math.max(...configs.map(({ retry }) => retry.attempts))

/** P10: after a failure a clink waits for its backoff; what was given up or released is left alone. */
export const failedIsHeld: Rule = ({ plan, record }) =>
  record.runs.flatMap((run) => {
    const { life, clinkId, startedAt: at } = run
    const before = record.runsThatCount(life, clinkId, at)
    const last = before.at(-1)
    if (last?.endedAt === undefined) return []
    const breach = (text: string): Breach => ({ rule: 'P10', at, life, text: `${clinkId} starts ${text}` })
    const { endedAt } = last
    const { state } = record.life(life)
    const jumps = record
      .livesOf(state)
      .flatMap((one) => one.jumps)
      .filter((jump) => jump.at >= endedAt && jump.at <= at)
    const wait = at - endedAt + jumps.reduce((sum, { ms }) => sum + ms, 0)
    const kept = configsKept(plan, record, last).map(({ retry }) => retry)
    const least = (of: 'backoff' | 'maxBackoff' | 'cooldown'): number => Math.min(...kept.map((retry) => retry[of]))
    const [backoff, maxBackoff, cooldown] = [least('backoff'), least('maxBackoff'), least('cooldown')]
    const failed = before.filter((other) => isFailure(other))
    const failures = failed.length
    const held = Math.min(maxBackoff, backoff * 2 ** Math.max(0, failures - 1)) * LEAST_PART
    const breaches: Breach[] = []
    if (isFailure(last) && wait < held) breaches.push(breach(`${wait} ms after a failure, not ${held}`))
    if (last.abortedAt === undefined && last.outlivedClaim !== true) {
      // What ended in the moment of a crash is forgotten with it.
      const asked = last.isCutShort === true ? undefined : last.end
      if ((asked === 'retry' || asked === 'asleep') && wait < Math.max(1_000, last.after ?? 0) - ROUNDING)
        breaches.push(breach(`${wait} ms after ${asked}`))
      if (asked === 'release' && wait < cooldown - ROUNDING)
        breaches.push(breach(`${wait} ms after a release, within the cooldown`))
      if (
        before.some(
          ({ end, abortedAt, outlivedClaim, isCutShort }) =>
            end === 'reject' && abortedAt === undefined && outlivedClaim !== true && isCutShort !== true,
        )
      )
        breaches.push(breach('though it was rejected'))
    }
    const lastFailed = failed.at(-1)
    if (lastFailed !== undefined && failures >= mostAttempts(configsKept(plan, record, lastFailed)))
      breaches.push(breach(`though ${failures} attempts had failed`))
    return breaches
  })

/** P8, P10: the attempt that a handler sees counts its failures, and nothing that a stop has cut short, whatever the handler says to that. */
export const attemptsAreCounted: Rule = ({ plan, record }) => {
  // Those of a fleet are counted together.
  if (plan.world.fleet !== undefined) return []
  return record.runs.flatMap(({ life, clinkId, attempt, startedAt: at }) => {
    const before = record.runsThatCount(life, clinkId, at)
    const failures = before.filter((other) => isFailure(other)).length
    const uncounted = before.filter(
      ({ abortCode, end, outlivedClaim, isCutShort }) =>
        outlivedClaim !== true &&
        isCutShort !== true &&
        (abortCode === undefined ? end === 'retry' || end === 'asleep' : abortCode === 'shutdown' && end !== undefined),
    ).length
    // What no attempt says about the handler: its claim was lost, or nobody wanted it any more.
    const others = before.length - uncounted - failures
    // Of a start that could not be begun its process has said nothing where it crashed, or lost the claim, before that showed.
    const away = record.awayStartsThatCount(life, clinkId, at).length
    const most = Math.min(
      before.length - uncounted + away + 1,
      mostAttempts(configsUntil(workerOf(plan, life), at)) + others + away,
    )
    if (attempt > failures && attempt <= most) return []
    return [
      {
        rule: 'P10',
        at,
        life,
        text: `${clinkId} starts as attempt ${attempt}, after ${failures} failures (at most ${most})`,
      },
    ]
  })
}

/** A run that began so early has surely had the better part of what the worker could use of its claim: of a short one, not much. */
const EARLY_PART = 0.3

/** P10: what has outlived as many claims as it may fail, where the service refuses renewals, is not started again. */
export const outlivedIsGivenUp: Rule = ({ plan, record }) => {
  const { pollRecords, reclaim } = plan.switches
  if (reclaim !== 'refuse' || !tellsTimes(plan) || pollRecords === 'snapshot') return []
  return record.runs.flatMap(({ life, clinkId, startedAt: at }) => {
    // What the last process could not write the next one does not know.
    const outlived = record.runsThatCount(life, clinkId, at).filter((run) => {
      return hasOutlived(record, run) && !record.isForgotten({ life: run.life, at: run.abortedAt ?? at }, life)
    })
    if (outlived.length < mostAttempts(configsKept(plan, record, { clinkId, life, startedAt: at }))) return []
    return [{ rule: 'P10', at, life, text: `${clinkId} starts though it has outlived ${outlived.length} claims` }]
  })
}

/** Whether a run surely went on to the end of its own claim, for which a renewal was refused. */
function hasOutlived(record: Record, { life, clinkId, startedAt, abortCode, abortedAt, isRerun }: RunRecord): boolean {
  const { crashedAt, jumps, sleeps } = record.life(life)
  if (isRerun === true) return false
  const isOdd = crashedAt !== undefined || jumps.length > 0 || sleeps.length > 0
  const claim = record.grantsOf(life, clinkId).findLast((grant) => grant.isNew && grant.at <= startedAt)
  if (abortCode !== 'lease-lost' || abortedAt === undefined || isOdd || claim?.life !== life) return false
  const { begunAt } = claim.request
  if (startedAt - begunAt > EARLY_PART * (abortedAt - begunAt)) return false
  if (record.acts.some((act) => act.clinkId === clinkId)) return false
  const renewals = record.requestsByClink.get(clinkId)?.filter((request) => {
    return request.kind === 'claim' && request.life === life && request.begunAt >= startedAt
  })
  return (
    renewals?.some(({ endedAt = Infinity, isEnveloped, toldStatus }) => {
      return endedAt < abortedAt && toldStatus === 409 && isEnveloped === true
    }) === true
  )
}
