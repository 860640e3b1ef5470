import type { Breach, Rule } from '../judge.ts'
import { workerOf } from '../plan.ts'
import { HeldByLimits } from './held-by-limits.ts'
import { configAt, configsIn } from '../settings.ts'
import type { RequestRecord } from '../record.ts'

/** Milliseconds from the moment in which a seat is kept for a claim by id to its request. */
const BEGINS = 250

/** P6: what a poll brings can start at once, unless its route is at its limit (§3); nothing waits behind a full queue. */
export const claimsOnlyWhatCanStart: Rule = (evidence) => {
  const { plan, record } = evidence
  const breaches: Breach[] = []
  for (const [life, events] of record.eventsByLife) {
    const held = new HeldByLimits(evidence, record.life(life))
    /** Since when each is in hand. */
    const waiting = new Map<string, number>()
    const runs = record.runs.filter((run) => run.life === life)
    for (const [index, told] of events.entries()) {
      const { at, event } = told
      // What an earlier process held waits for a slot like anything else, but was not claimed for nothing.
      const isHeldOn =
        'clink' in event && record.grantsOf(life, event.clink.clink_id).findLast((one) => one.at <= at)?.life !== life
      held.note(told, isHeldOn)
      if (event.event === 'clink.claimed' && !isHeldOn) waiting.set(event.clink.clink_id, at)
      else if ('clink' in event) waiting.delete(event.clink.clink_id)
      // Whatever happens at one time has no length: only what is left then waits.
      if (events[index + 1]?.at === at || waiting.size === 0) continue
      const active = runs.filter(({ startedAt, endedAt }) => startedAt <= at && (endedAt ?? Infinity) > at)
      // One whose earlier run has not ended waits for that and not for a slot.
      for (const { clinkId } of active) waiting.delete(clinkId)
      const running = active.length
      /** Those that were held, and fell due since then, however their renewals went, or that somebody wanted to run again. */
      const wokenSince = (time: number): number =>
        active.filter(({ clinkId, isRerun, startedAt }) => {
          const before = record
            .told(life, clinkId)
            .findLast((one) => one.at < startedAt && !one.event.event.startsWith('clink.renew'))
          return startedAt >= time && (isRerun === true || before?.event.event === 'clink.held')
        }).length
      // A hold that fell due while a slow poll was under way, or what is asked about its clinks, took the slot that the poll was for.
      const interval = Math.min(...configsIn(plan, record, life, at).map(({ poll }) => poll.interval))
      const claims = [...waiting].flatMap(([clinkId, claimedAt]) => {
        const grant = record.grantsOf(life, clinkId).findLast(({ at: granted, isNew }) => isNew && granted <= at)
        return grant === undefined ? [] : [{ begunAt: grant.request.begunAt, claimedAt }]
      })
      const isSlow = claims.some(({ begunAt, claimedAt }) => claimedAt - begunAt > interval)
      // What waited for a paused route takes its slots once that is open, also the one of a probe that is being claimed.
      const since = Math.min(...claims.map(({ begunAt }) => begunAt))
      const isOpened = events.some((one) => one.event.event === 'route.resumed' && one.at >= since && one.at <= at)
      // With fewer slots than there were, what has more in hand lets that come to its end.
      const slots = configsIn(plan, record, life, Math.min(since, at), at).map(({ concurrency }) => concurrency)
      const isClaiming = [...waiting.values()].includes(at)
      const heldByLimits = held.of(at, [...waiting.keys()])
      // What waits for its route has been claimed for slots that were free, and leaves them to what falls due meanwhile.
      const inLine = [...waiting.keys()].filter((id) => isClaiming || !heldByLimits.has(id)).length
      if (isSlow || isOpened || inLine + running - wokenSince(since - BEGINS) <= Math.max(...slots)) continue
      breaches.push({ rule: 'P6', at, life, text: `${inLine} claimed and waiting beside ${running} runs` })
    }
  }
  return breaches
}

/** P7: never two claiming polls at once, and none after a lost one before the service has answered again. */
export const pollsAreNotRepeated: Rule = ({ record, plan }) =>
  [...record.lives.keys()].flatMap((life) => {
    const inbox = record.requests.filter(
      (request) => request.life === life && (request.kind === 'poll' || request.kind === 'probe'),
    )
    return inbox.flatMap((request, index) => {
      const last = inbox[index - 1]
      const at = request.sentAt ?? request.endedAt
      if (request.kind !== 'poll' || last === undefined || at === undefined) return []
      if (last.kind === 'poll' && (last.endedAt ?? Infinity) > at) {
        return [{ rule: 'P7', at, life, text: `#${request.n} polls while #${last.n} is under way` }]
      }
      const wait = at - (last.endedAt ?? 0)
      if (last.kind !== 'poll' || !isLost(last) || wait > 0) return []
      const { interval } = configAt(workerOf(plan, life), at).poll
      return [
        {
          rule: 'P7',
          at,
          life,
          text: `#${request.n} polls ${wait} ms (interval ${interval}) after #${last.n} was lost`,
        },
      ]
    })
  })

/** Whether a poll may have claimed something that it did not tell. */
function isLost({ ended, sentAt, toldStatus, toldWell }: RequestRecord): boolean {
  if (ended !== 'answered') return sentAt !== undefined
  return (toldStatus === 200 && toldWell !== true) || toldStatus === 408 || (toldStatus ?? 0) >= 500
}
