import type { Breach, Rule } from '../judge.ts'
import type { Record, RequestRecord, RunRecord } from '../record.ts'

/**
 * P2, P8: no process takes away what it runs itself. Until its handler has ended, or is told to, a clink is neither given back nor
 * completed, be it for an earlier claim. A rerun has no claim, and may have its clink given back beside it; so may what a strange key has
 * claimed for somebody else, since somebody gave the clink back: that claim is not the one of the run.
 */
export const ownRunsKeepTheirClaims: Rule = ({ record }) =>
  [...record.runsByClink].flatMap(([clinkId, runs]) => {
    const requests = record.requestsByClink.get(clinkId) ?? []
    return runs.flatMap((run) =>
      requests
        .filter((request) => takesAway(request, run) && !isOfAnotherKey(record, request, run))
        .map(({ begunAt: at, kind, life, n }): Breach => {
          return { rule: 'P2', at, life, text: `#${n} (${kind}) takes ${clinkId} from its run since ${run.startedAt}` }
        }),
    )
  })

function takesAway({ begunAt, kind, life }: RequestRecord, run: RunRecord): boolean {
  if (life !== run.life || run.isRerun === true || (kind !== 'release' && kind !== 'complete')) return false
  const { abortedAt = Infinity, endedAt = Infinity, startedAt } = run
  return startedAt < begunAt && begunAt < Math.min(abortedAt, endedAt)
}

/** It gives back what its key has claimed since the run began, which claims with another key. */
function isOfAnotherKey(record: Record, { begunAt, clinkId = '', key, kind }: RequestRecord, run: RunRecord): boolean {
  const grants = record.grantsOf(run.life, clinkId).filter(({ at }) => at <= begunAt)
  const ofRun = grants.findLast(({ at }) => at <= run.startedAt)
  const last = grants.findLast(({ isNew, request }) => isNew && request.key === key)
  return kind === 'release' && ofRun?.request.key !== key && (last?.at ?? -Infinity) > run.startedAt
}
