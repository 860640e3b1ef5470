import type { Breach, Evidence, Rule } from '../judge.ts'
import type { RunRecord } from '../record.ts'
import { claimEnd, endOf } from './leases.ts'

/** P3: one run of a clink at a time; elsewhere only when a claim had ended or a process was stopped. */
export const oneRunAtATime: Rule = (evidence) => {
  const { record, plan } = evidence
  const overlaps = [...record.runsByClink.values()].flatMap((runs) =>
    runs.flatMap((run, index) => runs.slice(0, index).flatMap((earlier) => overlap(evidence, earlier, run) ?? [])),
  )
  const crowded = plan.workers.flatMap(({ name, config }) =>
    [...record.lives.values()]
      .filter(({ worker }) => worker === name)
      .flatMap((life) => {
        const runs = record.runs.filter((run) => run.life === life.name)
        return runs.flatMap(({ startedAt }, index) => {
          const active = runs
            .slice(0, index + 1)
            .filter((run) => (run.endedAt ?? Infinity) > startedAt || run === runs[index])
          if (active.length <= config.concurrency) return []
          return [{ rule: 'P11', at: startedAt, life: life.name, text: `${active.length} runs at once` }]
        })
      }),
  )
  return [...overlaps, ...crowded]
}

function overlap({ record }: Evidence, earlier: RunRecord, later: RunRecord): Breach | undefined {
  const owner = record.life(earlier.life)
  const { startedAt: at, clinkId } = later
  if (Math.min(earlier.endedAt ?? Infinity, endOf(owner)) <= at) return undefined
  const breach = {
    rule: 'P3',
    at,
    life: later.life,
    text: `${clinkId} also runs in ${earlier.life} since ${earlier.startedAt}`,
  }
  if (earlier.life === later.life) return breach
  if ((owner.stopAskedAt ?? Infinity) <= at) return undefined
  // Either may act in good faith on a claim that has ended where the service does not say when.
  const ends = [earlier, later].map((run) => claimEnd(record, run.life, clinkId, at))
  if (ends.some((end) => end <= at)) return undefined
  // Somebody else ended the claim: a person, or a sibling that the service does not tell apart from its holder.
  const given = record.requests.some(
    (request) =>
      request.clinkId === clinkId &&
      (request.kind === 'release' || request.kind === 'complete') &&
      request.life !== earlier.life &&
      request.arrivedAt !== undefined &&
      request.arrivedAt <= at &&
      request.arrivedAt >= earlier.startedAt,
  )
  const acted = record.acts.some((act) => act.clinkId === clinkId && act.at <= at)
  return given || acted ? undefined : breach
}
