import type { Config } from '../../src/config/config.ts'
import { workerOf, type Plan, type WorkerPlan } from './plan.ts'
import type { Record } from './record.ts'

/** What a process begins with. */
export function configAt({ changes, config }: WorkerPlan, time: number): Config {
  return changes.findLast(({ at }) => at <= time)?.config ?? config
}

/** All that the processes of a worker have had until then. */
export function configsUntil({ changes, config }: WorkerPlan, time: number): readonly Config[] {
  return [config, ...changes.flatMap((change) => (change.at <= time ? [change.config] : []))]
}

/** The configurations that a process has in a time, in order. In the moment of a change it may go by either. */
export function configsIn(plan: Plan, record: Record, life: string, from: number, to = from): readonly Config[] {
  const { config: first } = workerOf(plan, life)
  const { changes } = record.life(life)
  if (changes.length === 0) return [first]
  const all = [{ at: -Infinity, config: first }, ...changes]
  return all.filter(({ at }, index) => at <= to && (all[index + 1]?.at ?? Infinity) >= from).map(({ config }) => config)
}

/**
 * What the run of a clink goes by from its beginning to its end: what its process had when it took the clink in hand. Of one without a claim
 * that is not told; it was taken in hand some time before.
 */
export function configsKept(
  plan: Plan,
  record: Record,
  { clinkId, isRerun, life, startedAt }: { clinkId: string; isRerun?: boolean; life: string; startedAt: number },
): readonly Config[] {
  const claimed = record.told(life, clinkId).findLast(({ at, event, life: by }) => {
    return by === life && event.event === 'clink.claimed' && at <= startedAt
  })
  const isTold = claimed !== undefined && isRerun !== true
  return configsIn(plan, record, life, isTold ? claimed.at : 0, isTold ? claimed.at : startedAt)
}

/**
 * Milliseconds by which the wall clock of a process was at most ahead, from `since` until `at`, of what that of another one, or of itself, was then: its
 * times come so much sooner.
 */
export function aheadOf(
  plan: Plan,
  record: Record,
  { at, life }: { readonly life: string; readonly at: number },
  other: { readonly life: string; readonly since: number },
): number {
  const wall = (name: string, until: number): number => {
    const { wallSkew, name: worker } = workerOf(plan, name)
    const lives = [...record.lives.values()].filter((one) => one.worker === worker)
    const jumps = lives.flatMap((one) => one.jumps).filter((jump) => jump.at <= until)
    const setBacks = lives.flatMap((one) => one.setBacks).filter((jump) => jump.at <= other.since)
    return [...jumps, ...setBacks].reduce((sum, { ms }) => sum + ms, wallSkew)
  }
  return Math.max(0, wall(life, at) - wall(other.life, other.since))
}
