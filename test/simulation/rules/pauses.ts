import { isFailure } from '../explained.ts'
import type { Rule } from '../judge.ts'

const STARTS = 10
const CLINKS = 5

/** A route is paused only when the last ten runs that tell anything, over five clinks at least, have all failed. */
export const pausesAreDeserved: Rule = ({ record }) =>
  [...record.eventsByLife].flatMap(([life, events]) =>
    events.flatMap(({ at, event }) => {
      if (event.event !== 'route.paused') return []
      const ended = record.runs
        .filter((run) => run.life === life && (run.endedAt ?? Infinity) <= at)
        // What ended otherwise at that very time may have ended after it.
        .filter((run) => run.endedAt !== at || isFailure({ ...run, isFree: false, isCutShort: false }))
        .filter(({ abortCode, outlivedClaim }) => outlivedClaim !== true && (abortCode ?? 'timeout') === 'timeout')
        .sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0))
        .slice(-STARTS)
      const failed = ended.filter((run) => isFailure({ ...run, isFree: false, isCutShort: false }))
      const clinks = new Set(failed.map(({ clinkId }) => clinkId)).size
      if (failed.length >= STARTS && clinks >= CLINKS) return []
      return [
        { rule: 'P10', at, life, text: `the route is paused after ${failed.length} failures of ${clinks} clinks` },
      ]
    }),
  )
