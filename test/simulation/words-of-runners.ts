import type { Config } from '../../src/config/config.ts'
import type { Plan } from './plan.ts'
import type { Word } from './words.ts'
import type { RunnerPlan, World } from './world.ts'

/** What runs handlers, how their runs begin, and how they end. */
export const runnerWords = {
  /** What runs the handlers is away now and then, as an application that does not answer, or a program that is missing. */
  absent: {
    part: 0.06,
    spoken: (plan, chance) => {
      const times = Array.from({ length: chance.integer(1, 2) }, () => {
        const from = chance.between(0, plan.calmAt * 0.7)
        return { from, to: from + chance.logarithmic(2_000, 600_000) }
      })
      const calmAt = Math.max(plan.calmAt, ...times.map(({ to }) => to + 1))
      return { ...withRunner(plan, { away: { times, slowest: chance.pick([1, 50, 4_000]) } }), calmAt }
    },
  },
  /** Runs are ended in the middle of what they do: by a signal, or by the limit of their memory. */
  killed: {
    part: 0.06,
    spoken: (plan, chance) => withRunner(plan, { killed: { part: chance.pick([0.1, 0.3, 0.6]) } }),
  },
  /** What is aborted takes its time, for longer than its grace as well: it is ended then, whatever it does. */
  'slow-end': {
    part: 0.06,
    spoken: (plan, chance) => {
      const [timeout, grace] = [chance.logarithmic(5_000, 60_000), chance.logarithmic(1_000, 30_000)].map(Math.round)
      const hurried = configured(plan, (config) => ({
        ...config,
        handlers: { ...config.handlers, timeout: Math.min(config.handlers.timeout, timeout ?? 0), grace: grace ?? 0 },
      }))
      return withRunner(hurried, { isSlowToEnd: true })
    },
  },
  /** What runs the handlers takes long to start, up to a few claims: these run on meanwhile, and may be lost. */
  'late-begun': {
    part: 0.06,
    spoken: (plan, chance) => {
      const slowest = Math.min(120_000, plan.lease * chance.pick([0.3, 1, 3]))
      return withRunner(plan, { late: { part: chance.pick([0.2, 0.7]), slowest } })
    },
  },
  /** Runs may be silent for so long and no longer: some show that they go on, and some do not. */
  idle: {
    part: 0.06,
    spoken: (plan, chance) => withWorld(plan, { idle: Math.round(chance.logarithmic(1_000, 60_000)) }),
  },
} as const satisfies { readonly [name: string]: Word }

/** Also what they change to. */
function configured(plan: Plan, change: (config: Config) => Config): Plan {
  const workers = plan.workers.map((worker) => ({
    ...worker,
    config: change(worker.config),
    changes: worker.changes.map(({ at, config }) => ({ at, config: change(config) })),
  }))
  return { ...plan, workers }
}

function withRunner(plan: Plan, change: RunnerPlan): Plan {
  return withWorld(plan, { runner: { ...plan.world.runner, ...change } })
}

function withWorld(plan: Plan, change: Partial<World>): Plan {
  return { ...plan, world: { ...plan.world, ...change } }
}
