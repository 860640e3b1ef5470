import { workerOf } from '../plan.ts'
import type { Rule } from '../judge.ts'
import type { GrantRecord, Record } from '../record.ts'
import { knowsThatNoneIsTold } from './leases.ts'

/** §2: a claim whose length was not told is not run before a renewal with a length asked for was answered. */
export const unknownLengthsAreAskedFor: Rule = ({ plan, record }) =>
  record.runs.flatMap(({ life, clinkId, startedAt: at, isRerun }) => {
    if (isRerun === true || workerOf(plan, life).config.claim.trustRenewals) return []
    const grants = record.grantsOf(life, clinkId).filter((grant) => grant.at <= at)
    const claim = grants.findLast(({ isNew, via }) => isNew || via === 'poll')
    // What was held on to over a restart has its length from the journal.
    if (claim === undefined || claim.life !== life || claim.via !== 'poll' || !isUntold(claim)) return []
    // What a person gave back while it was in hand here, or the process before, which could not write that, a poll may have claimed anew
    // without anybody's knowing.
    const wasInHand = record.told(life, clinkId).some(({ event, at: when }) => {
      return event.event === 'clink.claimed' && when < claim.request.begunAt
    })
    const wasReleased = record.requestsByClink.get(clinkId)?.some(({ arrivedAt = Infinity, kind, life: of }) => {
      return kind === 'release' && of !== life && arrivedAt <= claim.at
    })
    const isGivenBack = record.acts.some((act) => act.clinkId === clinkId && act.at <= claim.at) || wasReleased === true
    if (wasInHand && (isGivenBack || hadEnded(record, claim))) return []
    if (isAskedFor(record, claim, at) || knowsThatNoneIsTold(record, life, at)) return []
    return [{ rule: 'P2', at, life, text: `${clinkId} runs, and nobody knows how long its claim lasts` }]
  })

/**
 * The service had ended the claim before, and had never said how long it would last: to its worker it stood, so that the earlier end of both counts
 * for the new one as well.
 */
function hadEnded(record: Record, claim: GrantRecord): boolean {
  const before = record.grantsOf(claim.life, claim.clinkId).findLast(({ at }) => at < claim.at)
  return before !== undefined && isUntold(before) && before.expires <= claim.at
}

/** The answer with the claim arrived and did not say how long it lasts. */
function isUntold({ clinkId, request }: GrantRecord): boolean {
  return request.lengths?.get(clinkId) === 'untold'
}

function isAskedFor(record: Record, claim: GrantRecord, at: number): boolean {
  const since = claim.request.begunAt
  return (record.requestsByClink.get(claim.clinkId) ?? []).some((request) => {
    const isRenewal = request.life === claim.life && request.kind === 'claim' && request.begunAt >= since
    return isRenewal && request.toldWell === true && (request.endedAt ?? Infinity) <= at
  })
}
