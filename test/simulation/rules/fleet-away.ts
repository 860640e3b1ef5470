import type { Breach, Rule } from '../judge.ts'
import type { Record } from '../record.ts'

/** Milliseconds in which what was begun before goes on. */
const UNDER_WAY = 1_000

/** Fleet: while the store is away nothing starts, and nothing is claimed; the member says that it is not ready. */
export const nothingStartsWhileAway: Rule = ({ plan, record }) => {
  if (plan.world.fleet === undefined) return []
  const starts = record.runs.flatMap(({ clinkId, life, startedAt: at }): readonly Breach[] =>
    awaySince(record, life, at) === undefined
      ? []
      : [{ rule: 'fleet', at, life, text: `${clinkId} starts while the store is away` }],
  )
  const claims = record.requests.flatMap(({ begunAt: at, kind, life, n }): readonly Breach[] => {
    const since = awaySince(record, life, at)
    if (kind !== 'poll' || since === undefined || at - since < UNDER_WAY) return []
    return [{ rule: 'fleet', at, life, text: `#${n} polls while the store is away` }]
  })
  const ready = record.readiness.flatMap(({ at, isReady, isStoreAway, life }): readonly Breach[] =>
    isReady && isStoreAway ? [{ rule: 'fleet', at, life, text: 'is ready while the store is away' }] : [],
  )
  return [...starts, ...claims, ...ready]
}

/** Since when a process knows that its store is away, or was not reached yet; undefined: it has reached it last. */
function awaySince(record: Record, life: string, at: number): number | undefined {
  const last = record.fleet.lastOf(life, at)
  if (last === undefined) return record.life(life).startedAt
  return last.hasFailed === true ? last.endedAt : undefined
}
