import type { StoredClink } from '../../../src/emulator/emulator.ts'
import { canSee, isFailure } from '../explained.ts'
import type { Evidence, Rule } from '../judge.ts'
import { workerOf, KILLER, NO_ROUTE } from '../plan.ts'
import { endOf } from './leases.ts'
import { isKeyTaken } from './limits.ts'

/** Milliseconds that a fresh clink had been waiting when one that had failed probed: far more than a look at the inbox takes. */
const SEEN = 60_000

/** §4: the next probe of a paused route is a clink that has never failed, where there is one. */
export const freshOnesProbe: Rule = (evidence) => {
  const { record } = evidence
  return [...record.eventsByLife].flatMap(([life, events]) =>
    events.flatMap(({ at: from, event }) => {
      if (event.event !== 'route.paused' || isDisturbed(evidence, life, from)) return []
      const resumed = events.find(({ at, event: later }) => at >= from && later.event === 'route.resumed')
      const to = Math.min(resumed?.at ?? Infinity, endOf(record.life(life)), from + outageOf(evidence, life))
      return record.runs.flatMap(({ clinkId, life: of, startedAt: at, isRerun }) => {
        if (of !== life || isRerun === true || at <= from || at >= to) return []
        if (!hasFailed(evidence, life, clinkId, at)) return []
        const fresh = evidence.emulator.clinks().find((clink) => isWaiting(evidence, life, clink, at))
        if (fresh === undefined) return []
        const text = `${clinkId}, which has failed, probes the paused route, and ${fresh.clink_id} was waiting`
        return [{ rule: 'P10', at, life, text }]
      })
    }),
  )
}

function outageOf({ plan }: Evidence, life: string): number {
  return workerOf(plan, life).config.retry.outage
}

/** While requests get lost a look at the inbox takes as long as it takes. */
function isDisturbed({ plan, record }: Evidence, life: string, from: number): boolean {
  const { faults, switches, world } = plan
  const { jumps, sleeps } = record.life(life)
  const isCalm = from > plan.calmAt || (faults.rate === 0 && faults.outages.length === 0 && world.pages.length === 0)
  const isOdd = world.field !== undefined || world.times !== undefined || world.refusals !== 'envelope'
  return !isCalm || isOdd || switches.rateLimit !== 'none' || jumps.length + sleeps.length > 0 || plan.keys.length > 0
}

/** Of what was retried by hand nothing is known any more that was before. */
function hasFailed({ record }: Evidence, life: string, clinkId: string, at: number): boolean {
  return record.runsThatCount(life, clinkId, at).some((run) => {
    return (run.endedAt ?? Infinity) <= at && isFailure({ ...run, isFree: false })
  })
}

/** It has been pending for a while, this worker wants it and has nothing against it, its serial key included. */
function isWaiting(evidence: Evidence, life: string, clink: StoredClink, at: number): boolean {
  const { plan, record, emulator } = evidence
  const { clink_id: id, content } = clink
  const since = pendingSince(evidence, clink, at)
  if (since === undefined || since > at - SEEN || content === KILLER || content.startsWith(NO_ROUTE)) return false
  if (record.acts.some((act) => act.clinkId === id) || record.told(life, id).length > 0) return false
  if (!canSee({ plan, record, emulator, lives: [life] }, workerOf(plan, life), clink)) return false
  if (isKeyTaken(evidence, life, clink, at) || isOutOfReach(evidence, life, clink, at)) return false
  return clink.sender_id !== workerOf(plan, life).owner && record.knownRunsOf(life, id).length === 0
}

/** Since when it has been pending at that time; undefined: it was not. */
function pendingSince({ record, emulator }: Evidence, { clink_id: id }: StoredClink, at: number): number | undefined {
  const offset = record.now - emulator.now()
  const last = emulator.history(id).findLast((entry) => entry.at + offset <= at)
  const isPending = last !== undefined && ['created', 'released', 'expired'].includes(last.what)
  return isPending ? last.at + offset : undefined
}

/**
 * So many others come before it that they may fill a page, and nothing can be asked for behind them: those of its own millisecond where the
 * oldest come first, all that are as new where the newest do, and any where there is no order. A poll that claims asks for one.
 */
function isOutOfReach(evidence: Evidence, life: string, clink: StoredClink, at: number): boolean {
  const { emulator, plan, record } = evidence
  const { inboxOrder, maxLimit } = plan.switches
  const [, page = '100'] = String(maxLimit).split(':')
  const look = record.requests.findLast(
    ({ begunAt, kind, life: of }) => of === life && begunAt <= at && (kind === 'poll' || kind === 'probe'),
  )
  const isPolled = look?.kind === 'poll'
  const isBefore = (other: StoredClink): boolean => {
    if (inboxOrder === 'oldest' && !isPolled) return other.created === clink.created
    const isFirst = inboxOrder === 'oldest' ? other.created <= clink.created : other.created >= clink.created
    return (inboxOrder === 'random' || isFirst) && pendingSince(evidence, other, at) !== undefined
  }
  return emulator.clinks().filter(isBefore).length > (isPolled ? 1 : Number(page))
}
