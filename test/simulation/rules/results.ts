import type { Rule } from '../judge.ts'

/**
 * P5: what was computed while the lease stood is not computed again by the same process, nor is what was completed, but for what
 * somebody has retried by hand. What a rerun has computed is not computed again either, however often that is retried.
 */
export const resultsAreKept: Rule = ({ record }) =>
  record.runs.flatMap((run) => {
    const { life, clinkId, startedAt: at } = run
    const counted = record.runsThatCount(life, clinkId, at)
    const earlier = record
      .runsOf(life, clinkId)
      .find(
        (other) =>
          other.startedAt < at &&
          (other.isRerun === true || counted.includes(other)) &&
          other.end === 'result' &&
          other.isCutShort !== true &&
          other.abortedAt === undefined &&
          other.outlivedClaim !== true,
      )
    const taken = run.isRerun
      ? undefined
      : record.requestsByClink.get(clinkId)?.find(
          (request) =>
            request.kind === 'complete' &&
            record.life(request.life).state === record.life(life).state &&
            request.status === 200 &&
            // By one that could write nothing any more, and then crashed, nobody knows it.
            (request.arrivedAt ?? Infinity) <= Math.min(at, record.life(request.life).failedSince ?? at),
        )
    const result = { rule: 'P5', at, life }
    return [
      ...(earlier === undefined
        ? []
        : [{ ...result, text: `${clinkId} runs again though it gave a result at ${earlier.endedAt}` }]),
      ...(taken === undefined ? [] : [{ ...result, text: `${clinkId} runs again though #${taken.n} completed it` }]),
    ]
  })
