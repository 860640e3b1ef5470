import type { Rule } from '../judge.ts'
import { hasLeft, isTooSlow, tellsTimes } from '../explained.ts'
import { workerOf } from '../plan.ts'
import { endOf, leaseEnd, slept } from './leases.ts'

/** P4: never two renewals of one clink under way. */
export const renewalsInSingleFile: Rule = ({ record }) =>
  [...record.requestsByClink.values()].flatMap((requests) => {
    const claims = requests.filter(({ kind }) => kind === 'claim')
    return claims.flatMap((claim, index) => {
      const begun = claim.sentAt ?? claim.endedAt ?? Infinity
      const other = claims
        .slice(0, index)
        .find(
          ({ life, sentAt, endedAt }) => life === claim.life && sentAt !== undefined && (endedAt ?? Infinity) > begun,
        )
      if (other === undefined || endOf(record.life(claim.life)) <= begun) return []
      return [
        { rule: 'P4', at: begun, life: claim.life, text: `#${claim.n} and #${other.n} renew ${claim.clinkId} at once` },
      ]
    })
  })

/** P8: no release overtakes a renewal of its process, which would claim the clink again unnoticed. */
export const releasesFollowRenewals: Rule = ({ record }) =>
  [...record.requestsByClink.values()].flatMap((requests) =>
    requests.flatMap(({ begunAt: at, clinkId, kind, life, n }) => {
      if (kind !== 'release') return []
      const overtaken = requests.find(
        (one) =>
          one.kind === 'claim' &&
          one.life === life &&
          one.sentAt !== undefined &&
          one.n < n &&
          (one.endedAt ?? Infinity) > at,
      )
      if (overtaken === undefined) return []
      return [{ rule: 'P8', at, life, text: `release #${n} of ${clinkId} overtakes renewal #${overtaken.n}` }]
    }),
  )

/** Milliseconds that a lease must have when its claim is made, to be renewed where its end is told in whole seconds only. */
const TELLING = 1_500

/** P4: while the service answers, a claim does not run out under a run. */
export const renewedWhileInHand: Rule = ({ plan, record, emulator }) => {
  const { reclaim, claimTimes, maxTimeout } = plan.switches
  const cannotRenew = isTooSlow(plan) || reclaim !== 'renew' || !tellsTimes(plan) || plan.switches.rateLimit !== 'none'
  if (cannotRenew || String(maxTimeout).startsWith('reject')) return []
  return record.runs.flatMap(({ life, clinkId, startedAt, abortedAt, abortCode }) => {
    if (abortCode !== 'lease-lost' || abortedAt === undefined) return []
    const of = record.life(life)
    const end = leaseEnd(plan, record, life, clinkId, abortedAt)
    const since = Math.max(startedAt, 0)
    // Of a claim that was held on to over a restart little may have been left.
    const claimed = record.grantsOf(life, clinkId).findLast(({ isNew, at }) => isNew && at <= startedAt)
    if (claimed?.life !== life) return []
    // A key that was taken, or may not claim for a while, renews nothing: a refusal stands for the rest of the claim.
    const { key } = claimed.request
    const barred = record.keyActs.filter(
      ({ what }) => what === 'suspend' || what === 'forbid-claims' || what === 'forbid-all',
    )
    if (barred.some((act) => 'key' in act && act.key === key)) return []
    const clink = emulator.clink(clinkId)
    if (clink !== undefined && hasLeft(record, workerOf(plan, life), clink)) return []
    // A renewal shows only when the end is in another second.
    const said = record
      .told(life, clinkId)
      .findLast(({ at, event }) => event.event === 'clink.claimed' && at <= startedAt)
    if (claimTimes === 'seconds' && said?.event.event === 'clink.claimed' && said.event.lease < TELLING) return []
    const disturbed =
      abortedAt < plan.calmAt ||
      // A sleep before the run may have used up most of the lease.
      slept(of, Math.min(claimed.at, since - plan.lease), abortedAt) ||
      of.jumps.length > 0 ||
      record.acts.some((act) => act.clinkId === clinkId) ||
      record.requests.some(
        (request) =>
          request.life === life &&
          request.clinkId === clinkId &&
          request.fault !== '' &&
          (request.endedAt ?? Infinity) > plan.calmAt - 1,
      ) ||
      since < plan.calmAt
    if (disturbed) return []
    return [
      { rule: 'P4', at: abortedAt, life, text: `${clinkId} lost its lease (until ${end}) though nothing disturbed` },
    ]
  })
}
