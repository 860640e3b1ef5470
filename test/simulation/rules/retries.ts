import { isFailure, workerOf } from '../explained.ts'
import type { Breach, Rule } from '../judge.ts'

/** The waits are jittered, but never to less than half. */
const LEAST_PART = 0.5

/** P10: after a failure a clink waits for its backoff; what was given up or released is left alone. */
export const failedIsHeld: Rule = ({ plan, record }) =>
  record.runs.flatMap((run) => {
    const { life, clinkId, startedAt: at } = run
    const worker = workerOf(plan, life)
    const { backoff, maxBackoff, cooldown } = worker.config.retry
    const before = record.runsOf(life, clinkId).filter((other) => other.startedAt < at)
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
    const failures = before.filter((other) => isFailure(other)).length
    const held = Math.min(maxBackoff, backoff * 2 ** Math.max(0, failures - 1)) * LEAST_PART
    const breaches: Breach[] = []
    if (isFailure(last) && wait < held) breaches.push(breach(`${wait} ms after a failure, not ${held}`))
    if (last.abortedAt === undefined && last.outlivedClaim !== true) {
      if (last.end === 'retry' && wait < Math.max(1_000, last.after ?? 0))
        breaches.push(breach(`${wait} ms after retryAfter`))
      if (last.end === 'release' && wait < cooldown)
        breaches.push(breach(`${wait} ms after a release, within the cooldown`))
      if (
        before.some(
          ({ end, abortedAt, outlivedClaim, isCutShort }) =>
            end === 'reject' && abortedAt === undefined && outlivedClaim !== true && isCutShort !== true,
        )
      )
        breaches.push(breach('though it was rejected'))
    }
    if (failures >= worker.config.retry.attempts) breaches.push(breach(`though ${failures} attempts had failed`))
    return breaches
  })

/** P8, P10: the attempt that a handler sees counts its failures and nothing that was cut short. */
export const attemptsAreCounted: Rule = ({ plan, record }) =>
  record.runs.flatMap(({ life, clinkId, attempt, startedAt: at }) => {
    const before = record.runsOf(life, clinkId).filter((other) => other.startedAt < at)
    const failures = before.filter((other) => isFailure(other)).length
    const uncounted = before.filter(
      ({ end, abortedAt, outlivedClaim, isCutShort }) =>
        end === 'retry' && abortedAt === undefined && outlivedClaim !== true && isCutShort !== true,
    ).length
    // What no attempt says about the handler: its claim was lost, or nobody wanted it any more.
    const others = before.length - uncounted - failures
    const most = Math.min(before.length - uncounted + 1, workerOf(plan, life).config.retry.attempts + others)
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
