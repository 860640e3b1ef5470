import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { Settings } from '../../src/config/settings.ts'
import type * as Policies from '../../src/handlers/policy.ts'
import { findBreach } from './broken-rules.ts'

/** Each configuration by the one that it has replaced. */
const { newer } = vi.hoisted(() => ({ newer: new Map<Config, Config>() }))

/** As they are now, and not as they were when a clink was taken in hand; the same where nobody follows the changes. */
vi.mock('../../src/handlers/policy.ts', async (original) => {
  const { policyOf } = await original<typeof Policies>()
  const live: typeof policyOf = (route, config) => {
    const now = (): ReturnType<typeof policyOf> => {
      let last = config
      for (let next = newer.get(last); next !== undefined; next = newer.get(next)) last = next
      return policyOf(route, last)
    }
    return {
      maxHold: config.claim.maxHold,
      get retry() {
        return now().retry
      },
      get timeout() {
        return now().timeout
      },
      get idle() {
        return now().idle
      },
      get grace() {
        return now().grace
      },
    }
  }
  return { policyOf: live }
})

afterEach(() => {
  vi.restoreAllMocks()
  newer.clear()
})

describe('the judge notices a worker', { timeout: 60_000 }, () => {
  const vocabulary = ['settings'] as const

  it('that goes on by the settings of its start (P6)', async () => {
    vi.spyOn(Settings.prototype, 'change').mockReturnValue({ 'at-once': [], 'new-deliveries': [], restart: [] })
    expect(await findBreach({ vocabulary }, ({ rule }) => rule === 'P6')).toBeDefined()
    expect(await findBreach({ vocabulary }, ({ rule }) => rule === 'P11')).toBeDefined()
  })

  it('that has other rules for what is in hand than those that it began with (P10)', async () => {
    // oxlint-disable-next-line typescript/unbound-method -- called with its settings below
    const { change: real } = Settings.prototype
    vi.spyOn(Settings.prototype, 'change').mockImplementation(function (this: Settings, next) {
      const before = this.current
      const changes = real.call(this, next)
      newer.set(before, this.current)
      return changes
    })
    expect(await findBreach({ vocabulary }, ({ rule }) => rule === 'P10')).toBeDefined()
  })

  it.for([
    ['longer', 0.5],
    ['shorter', 2],
  ] as const)('that lets handlers run %s than their settings say (P4)', async ([, part]) => {
    const told = (config: Config): Config => {
      const { handlers } = config
      return { ...config, handlers: { ...handlers, timeout: handlers.timeout * part } }
    }
    const breach = await findBreach(
      {
        vocabulary: 'old',
        told: (plan) => ({
          ...plan,
          workers: plan.workers.map((worker) => ({ ...worker, config: told(worker.config) })),
        }),
      },
      ({ rule }) => rule === 'P4',
    )
    expect(breach).toBeDefined()
  })
})
