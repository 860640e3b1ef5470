import { isFailure } from '../explained.ts'
import type { Rule } from '../judge.ts'
import type { RunRecord } from '../record.ts'

const STARTS = 10
const CLINKS = 5

/**
 * A route is paused only when the last ten runs that tell anything, over five clinks at least, have all failed. A clink that had failed
 * before another was done is at fault itself, and what becomes of it tells nothing. One run that cannot be begun is enough.
 */
export const pausesAreDeserved: Rule = ({ record }) =>
  [...record.eventsByLife].flatMap(([life, events]) =>
    events.flatMap(({ at, event }) => {
      if (event.event !== 'route.paused') return []
      if (record.awayStarts.some((start) => start.life === life && start.endedAt === at)) return []
      const ended = record.runs
        .filter((run) => run.life === life && (run.endedAt ?? Infinity) <= at)
        // What ended otherwise at that very time may have ended after it.
        .filter((run) => run.endedAt !== at || hasFailed(run))
        .filter(({ abortCode, outlivedClaim }) => outlivedClaim !== true && (abortCode ?? 'timeout') === 'timeout')
        // Of what ended at one time the order is not known.
        .sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0) || Number(hasFailed(a)) - Number(hasFailed(b)))
      const telling = ended.filter((run) => !hasFailed(run) || !isAtFault(run, ended))
      // It may have been paused by each of the failures of one moment.
      const ties = Math.max(1, telling.filter((run) => run.endedAt === at).length)
      const lasts = Array.from({ length: ties }, (_, later) => telling.slice(0, telling.length - later).slice(-STARTS))
      if (lasts.some(isDeserved)) return []
      const failed = telling.slice(-STARTS).filter(hasFailed)
      const clinks = new Set(failed.map(({ clinkId }) => clinkId)).size
      return [
        { rule: 'P10', at, life, text: `the route is paused after ${failed.length} failures of ${clinks} clinks` },
      ]
    }),
  )

/** @param last the last runs that tell anything. */
function isDeserved(last: readonly RunRecord[]): boolean {
  const failed = last.filter(hasFailed)
  return failed.length >= STARTS && new Set(failed.map(({ clinkId }) => clinkId)).size >= CLINKS
}

const hasFailed = (run: RunRecord): boolean => isFailure({ ...run, isFree: false, isCutShort: false })

/** Whether its clink surely had failed, and another was done after that, when the run ended. A result past the timeout is a failure. */
function isAtFault({ clinkId, endedAt = 0 }: RunRecord, ended: readonly RunRecord[]): boolean {
  const first = ended.find((run) => run.clinkId === clinkId && hasFailed(run))?.endedAt ?? Infinity
  return ended.some(
    (run) => run.end === 'result' && !hasFailed(run) && (run.endedAt ?? 0) > first && (run.endedAt ?? 0) < endedAt,
  )
}
