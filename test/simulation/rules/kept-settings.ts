import type { Breach, Rule } from '../judge.ts'
import type { LifeRecord, RunRecord } from '../record.ts'
import { configsKept } from '../settings.ts'
import { endOf } from './leases.ts'

/** Milliseconds by which an abort may be late, or early by rounding. */
const LATE = 100

/** Milliseconds: what takes longer to begin has had that of its time. */
const LONGEST_START = 30_000

/** P4: a run has the time that its settings give it, those that its clink was taken in hand with, and not much longer. */
export const runsHaveTheirTime: Rule = ({ plan, record }) =>
  record.runs.flatMap((run): readonly Breach[] => {
    const { abortCode, abortedAt = Infinity, clinkId, endedAt = Infinity, life: name } = run
    // Its time counts from the beginning of its code, which may take so long and no longer.
    const startedAt = Math.min(run.begunAt ?? run.startedAt, run.startedAt + LONGEST_START)
    const life = record.life(name)
    const timeouts = configsKept(plan, record, run).map(({ handlers }) => handlers.timeout)
    const breach = (at: number, text: string): Breach => ({ rule: 'P4', at, life: name, text: `${clinkId} ${text}` })
    const [least, most] = [Math.min(...timeouts), Math.max(...timeouts)]
    const ran = abortedAt - startedAt + jumped(life, startedAt, abortedAt)
    if (abortCode === 'timeout' && ran < least - 1 && !isSilent(plan.world.idle, run, abortedAt))
      return [breach(abortedAt, `is aborted after ${ran} ms, not ${least}`)]
    const due = startedAt + most + LATE
    if (Math.min(abortedAt, endedAt, endOf(life), record.now) <= due || isLate(life, startedAt, due)) return []
    return [breach(due, `goes on for more than ${most} ms, and nobody has told it to end`)]
  })

function jumped({ jumps }: LifeRecord, from: number, to: number): number {
  return jumps.reduce((sum, { at, ms }) => (at >= from && at <= to ? sum + ms : sum), 0)
}

/** §3: what has shown no sign of life for so long has a timeout as well. */
const isSilent = (idle = Infinity, run: RunRecord, at: number): boolean => at - lastSign(run, at) >= idle - 1

function lastSign({ begunAt, signs = [], startedAt }: RunRecord, at: number): number {
  return Math.max(Math.min(begunAt ?? startedAt, startedAt + LONGEST_START), ...signs.filter((sign) => sign < at))
}

/** §3: what shows no sign of life for `handlers.idle` is aborted then. */
export const silenceEndsRuns: Rule = ({ plan, record }) => {
  const { idle } = plan.world
  if (idle === undefined) return []
  return record.runs.flatMap((run): readonly Breach[] => {
    const { abortedAt = Infinity, clinkId, endedAt = Infinity, life: name, signs = [] } = run
    const life = record.life(name)
    const until = Math.min(abortedAt, endedAt, endOf(life), record.now)
    const begun = lastSign(run, -Infinity)
    return [begun, ...signs].flatMap((sign, index, all) => {
      const due = sign + idle + LATE
      const isOver = Math.min(until, all[index + 1] ?? Infinity) <= due
      if (isOver || isLate(life, sign, due)) return []
      return [{ rule: 'P4', at: due, life: name, text: `${clinkId} goes on though it is silent since ${sign}` }]
    })
  })
}

/** A process that slept has its timers a moment after it has woken. */
function isLate({ sleeps }: LifeRecord, from: number, to: number): boolean {
  return sleeps.some((sleep) => sleep.to > from && sleep.from < to)
}
