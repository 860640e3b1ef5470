import { configsIn } from '../settings.ts'
import type { Rule } from '../judge.ts'

/** A stop keeps so much of its time for giving back. */
const GIVING_BACK = 2_000

/** §2, §6: what runs when a stop begins has the drain time, whatever becomes of the wall clock. */
export const drainTimeIsGiven: Rule = ({ plan, record }) =>
  record.runs.flatMap(({ life, clinkId, abortCode, abortedAt, startedAt }) => {
    const { hurriedAt = Infinity, stopAskedAt, sleeps } = record.life(life)
    if (abortCode !== 'shutdown' || abortedAt === undefined || stopAskedAt === undefined) return []
    // What starts after that was on its way; who slept was late already.
    if (startedAt > stopAskedAt || hurriedAt <= abortedAt || sleeps.some(({ to }) => to >= stopAskedAt)) return []
    const all = configsIn(plan, record, life, stopAskedAt, abortedAt).map(({ shutdown }) => shutdown)
    const given = Math.max(0, Math.min(...all.flatMap(({ drain, timeout }) => [drain, timeout - GIVING_BACK])))
    if (abortedAt >= stopAskedAt + given - 1) return []
    const text = `the run of ${clinkId} had ${abortedAt - stopAskedAt} ms of a stop, not ${given}`
    return [{ rule: 'P8', at: abortedAt, life, text }]
  })
