import { afterEach, describe, expect, it, vi } from 'vitest'
import type { LimitStore } from '../../src/ledger/fleet-limits.ts'
import type { Limits } from '../../src/handlers/route.ts'
import { KeyRenewals } from '../../src/worker/capacity/fleet-renewals.ts'
import { FleetPermits } from '../../src/worker/capacity/fleet-permits.ts'
import { findBreach } from './broken-rules.ts'
import type { Plan } from './plan.ts'
import type { SeedOptions } from './run-seed.ts'
import { FLEET } from './world.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const RATE: Limits = { rate: { count: 1, window: 5_000, scope: 'fleet' } }
const SERIAL: Limits = { serial: 'sender', serialScope: 'fleet' }

/** All members have these limits. */
const under = (limits: Limits, change: (plan: Plan) => Plan = (plan) => plan): SeedOptions => ({
  vocabulary: [FLEET, 'fleet-limits'],
  planned: (plan) => change({ ...plan, world: { ...plan.world, limits } }),
})

const asking = (ask: (real: LimitStore) => LimitStore['ask']): NonNullable<SeedOptions['breakage']> => ({
  store: (real) => ({ ...real, limits: { ...real.limits, ask: ask(real.limits) } }),
})

async function notices(options: SeedOptions, says: RegExp): Promise<boolean> {
  return (await findBreach(options, ({ rule, text }) => rule === 'limits' && says.test(text))) !== undefined
}

/** The store cannot be reached for half a minute, again and again. */
function cutOff(plan: Plan): Plan {
  const { fleet } = plan.world
  if (fleet === undefined) return plan
  const outages = Array.from({ length: 5 }, (_, n) => {
    const from = (plan.calmAt * (n + 1)) / 6
    return { from, to: Math.min(plan.calmAt, from + 30_000), kind: 'refused', worker: `w${(n % 3) + 1}` } as const
  })
  const workers = plan.workers.map((worker) => {
    const claim = { ...worker.config.claim, timeout: 5_000 }
    return { ...worker, turns: [], config: { ...worker.config, claim } }
  })
  return { ...plan, workers, world: { ...plan.world, fleet: { ...fleet, outages } } }
}

describe('the judge notices a fleet', { timeout: 120_000 }, () => {
  it('whose store gives every permit that is asked for', async () => {
    const breakage = asking((real) => async (wish, length) => {
      const { granted, ...answer } = await real.ask(wish, length)
      return { ...answer, granted: new Set([...granted, ...wish.rates.flatMap(({ wanted }) => wanted)]) }
    })
    expect(await notices({ ...under(RATE), breakage }, /starts in 5000 ms, not 1, in the fleet/)).toBe(true)
  })

  it('that starts without a permit', async () => {
    vi.spyOn(FleetPermits.prototype, 'has').mockReturnValue(true)
    vi.spyOn(FleetPermits.prototype, 'started').mockReturnValue(true)
    expect(await notices(under(RATE), /starts in 5000 ms, not 1, in the fleet/)).toBe(true)
  })

  it('that says of no permit that it has started something', async () => {
    const breakage = asking((real) => async (wish, length) => {
      const rates = wish.rates.map((rate) => ({
        ...rate,
        ended: Object.fromEntries(Object.keys(rate.ended).map((id) => [id, null])),
      }))
      return await real.ask({ ...wish, rates }, length)
    })
    expect(await notices({ ...under(RATE), breakage }, /starts in 5000 ms, not 1, in the fleet/)).toBe(true)
  })

  it('whose store gives a key to all that ask for it', async () => {
    const breakage = asking((real) => async (wish, length) => {
      const answer = await real.ask(wish, length)
      return {
        ...answer,
        granted: new Set([...answer.granted, ...wish.keys.map(({ token }) => token)]),
        holders: new Map(),
      }
    })
    expect(await notices({ ...under(SERIAL), breakage }, /starts beside .* in the fleet/)).toBe(true)
  })

  it('that trusts a right for longer than its store does', async () => {
    vi.spyOn(KeyRenewals.prototype, 'add').mockImplementation(function (this: KeyRenewals, given, grantedAt) {
      return real.call(this, given, grantedAt + 3_600_000)
    })
    expect(await notices(under(SERIAL, cutOff), /starts beside .* in the fleet/)).toBe(true)
  })
})

// oxlint-disable-next-line typescript/unbound-method -- it is called with its object
const real = KeyRenewals.prototype.add
