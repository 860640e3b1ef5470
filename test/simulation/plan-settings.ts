import type { Config } from '../../src/config/config.ts'
import type { Chance } from './chance.ts'
import type { ConfigChange, WorkerPlan } from './plan.ts'

/** Other values for what takes effect without a restart, within the bounds of the seed. */
function changed(config: Config, chance: Chance): Config {
  const { claim, concurrency, handlers, poll, retry, shutdown } = config
  const scaled = (value: number, least: number, most: number): number => Math.round(value * chance.between(least, most))
  const interval = scaled(poll.interval, 0.5, 2)
  const backoff = scaled(retry.backoff, 0.5, 2)
  const timeout = scaled(shutdown.timeout, 1, 2)
  const other = {
    concurrency: { concurrency: chance.is(0.5) ? chance.integer(1, concurrency) : chance.integer(concurrency, 10) },
    poll: { poll: { ...poll, interval, maxInterval: scaled(interval, 1, 8) } },
    claim: { claim: { ...claim, timeout: scaled(claim.timeout / 1_000, 1, 2) * 1_000 } },
    handlers: {
      handlers: { ...handlers, timeout: scaled(handlers.timeout, 0.3, 2), grace: scaled(handlers.grace, 0.5, 2) },
    },
    retry: {
      retry: {
        ...retry,
        attempts: chance.integer(1, 5),
        backoff,
        maxBackoff: scaled(backoff, 1, 6),
        cooldown: scaled(retry.cooldown, 0.3, 2),
      },
    },
    shutdown: { shutdown: { timeout, drain: scaled(timeout, 0.3, 0.8) } },
  }
  const isTurned = (name: string): boolean => name === 'concurrency' || chance.is(0.4)
  const turned = Object.entries(other).flatMap(([name, section]) => (isTurned(name) ? [section] : []))
  return Object.assign({ ...config }, ...turned) as Config
}

/** Configurations for a worker while the seed disturbs it, each made from the one before. */
export function makeChanges({ config }: WorkerPlan, chance: Chance, until: number): readonly ConfigChange[] {
  const times = Array.from({ length: chance.integer(1, 5) }, () => chance.between(0, until)).sort((a, b) => a - b)
  let last = config
  return times.map((at) => ({ at, config: (last = changed(last, chance)) }))
}
