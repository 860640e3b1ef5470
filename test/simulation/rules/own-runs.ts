import type { Breach, Rule } from '../judge.ts'
import type { RequestRecord, RunRecord } from '../record.ts'

/**
 * P2, P8: no process takes away what it runs itself. Until its handler has ended, or is told to, a clink is neither given back nor
 * completed, be it for an earlier claim. A rerun has no claim, and may have its clink given back beside it.
 */
export const ownRunsKeepTheirClaims: Rule = ({ record }) =>
  [...record.runsByClink].flatMap(([clinkId, runs]) => {
    const requests = record.requestsByClink.get(clinkId) ?? []
    return runs.flatMap((run) =>
      requests
        .filter((request) => takesAway(request, run))
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
