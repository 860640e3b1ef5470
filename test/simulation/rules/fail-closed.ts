import type { Rule } from '../judge.ts'
import type { Record } from '../record.ts'
import { asksForLength, endOf, givesBackUntold, isListed, leaseEnd, slept, trustsBlindly } from './leases.ts'

/** P2: nothing is sent for a delivery after its claim has ended, and its handler is aborted by then. */
export const nothingAfterTheLease: Rule = ({ plan, record, emulator }) => {
  // A person gave it back, or it ran out although the operator trusts renewals; a sibling got it, and the service shows us its
  // claim in answer to our renewal, as if it were ours.
  const { identity, reclaim } = plan.switches
  const isMistaken = (life: string, clinkId: string): boolean =>
    (reclaim === 'ignore' &&
      identity !== 'session' &&
      (trustsBlindly(plan, life) || record.acts.some((act) => act.clinkId === clinkId))) ||
    isClaimedUntold(record, life, clinkId)
  const sent = record.requests.flatMap((request) => {
    const { kind, clinkId, sentAt, life, n } = request
    if (clinkId === undefined || sentAt === undefined || isMistaken(life, clinkId)) return []
    // An id that the service never gave.
    if (emulator.clink(clinkId) === undefined) return []
    const end = leaseEnd(plan, record, life, clinkId, sentAt)
    if (sentAt <= end || kind === 'sibling' || isListed(record, request, end)) return []
    if (asksForLength(record, request) || givesBackUntold(plan, record, request)) return []
    return [
      { rule: 'P2', at: sentAt, life, text: `#${n} ${kind} ${clinkId} was sent after the claim had ended at ${end}` },
    ]
  })
  const running = record.runs.flatMap(({ life, clinkId, startedAt, endedAt, abortedAt, isRerun }) => {
    // What is run again from its letter has no claim.
    if (isRerun === true || isMistaken(life, clinkId)) return []
    let end = leaseEnd(plan, record, life, clinkId, startedAt)
    for (let next = leaseEnd(plan, record, life, clinkId, end); next > end;) {
      end = next
      next = leaseEnd(plan, record, life, clinkId, end)
    }
    const of = record.life(life)
    const until = Math.min(endedAt ?? Infinity, endOf(of), record.now)
    const isAborted = abortedAt !== undefined && abortedAt <= end
    if (until <= end || isAborted || slept(of, end, Math.min(abortedAt ?? Infinity, until))) return []
    return [
      {
        rule: 'P2',
        at: end,
        life,
        text: `the run of ${clinkId} from ${startedAt} was not aborted when its claim ended`,
      },
    ]
  })
  return [...sent, ...running]
}

/** A person gave it back, and a poll of the same process claimed it anew, of which that was never told. */
function isClaimedUntold(record: Record, life: string, clinkId: string): boolean {
  const acts = record.acts.filter((act) => act.clinkId === clinkId)
  const polls = record.grantsOf(life, clinkId).filter(({ request, via }) => via === 'poll' && request.toldWell !== true)
  return polls.some(({ at }) => acts.some((act) => act.at <= at))
}
