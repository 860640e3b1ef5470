import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Transport } from '../../src/clink/transport.ts'
import type { Limits } from '../../src/handlers/route.ts'
import { SeatLine } from '../../src/worker/capacity/seat-line.ts'
import { Place } from '../../src/worker/capacity/place.ts'
import { RouteLimits } from '../../src/worker/capacity/route-limits.ts'
import { findBreach } from './broken-rules.ts'
import type { Breach } from './judge.ts'
import type { Plan } from './plan.ts'
import type { SeedOptions } from './run-seed.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const under = (limits: Limits, claim: 'auto' | 'batch' | 'select' = 'auto'): SeedOptions => ({
  vocabulary: ['limits'],
  planned: (plan: Plan) => ({
    ...plan,
    workers: plan.workers.map((worker) => ({
      ...worker,
      config: { ...worker.config, concurrency: 8, inbox: { ...worker.config.inbox, claim } },
    })),
    world: { ...plan.world, limits },
  }),
})

/** Claims whatever there is, however much the worker wants. */
const insatiable = (real: Transport): Transport => ({
  send: async (request) => await real.send({ ...request, path: request.path.replace(/limit=\d+/, 'limit=50') }),
})

const notices = async (options: SeedOptions, says: RegExp): Promise<boolean> =>
  (await findBreach(options, ({ rule, text }) => rule === 'limits' && says.test(text))) !== undefined

describe('the judge notices a worker', () => {
  it('that starts more of a route at once than its concurrency (§4)', async () => {
    vi.spyOn(Place.prototype, 'ready').mockResolvedValue()
    expect(await notices(under({ concurrency: 1 }), /run at once/)).toBe(true)
  })

  it('whose heavy clinks take one seat each (§4)', async () => {
    // oxlint-disable-next-line typescript/unbound-method -- it is called with its object
    const real = SeatLine.prototype.run
    vi.spyOn(SeatLine.prototype, 'run').mockImplementation(async function (this: SeatLine, work, wish) {
      await real.call(this, work, { ...wish, weight: 1 })
    })
    expect(await notices(under({ weight: 8 }), /run at once/)).toBe(true)
  })

  it('that starts more often than the rate of a route allows (§4)', async () => {
    vi.spyOn(RouteLimits.prototype, 'started').mockReturnValue(true)
    expect(await notices(under({ rate: { count: 1, window: 5_000 } }), /starts in/)).toBe(true)
  })

  it('whose process begins with an unused window (§4)', async () => {
    vi.spyOn(Place.prototype, 'ready').mockResolvedValue()
    expect(await notices(under({ rate: { count: 1, window: 5_000 } }), /first window/)).toBe(true)
  })

  it('that gives a serial key away while its clink backs off (§4)', async () => {
    vi.spyOn(Place.prototype, 'rest').mockImplementation(function (this: Place) {
      this.end()
    })
    expect(await notices(under({ serial: 'group' }), /starts beside/)).toBe(true)
  })

  it('that claims what its route has no place for (P6, §3)', async () => {
    vi.spyOn(RouteLimits.prototype, 'reserve').mockReturnValue(true)
    expect(await notices(under({ concurrency: 1 }, 'select'), /claims .* in hand/)).toBe(true)
  })

  it('that claims more than it has slots because its route is at its limit (P6, §3)', async () => {
    const options = { ...under({ concurrency: 1 }, 'batch'), breakage: { transport: insatiable } }
    const says = ({ rule, text }: Breach): boolean => rule === 'P6' && text.includes('claimed and waiting beside')
    expect(await findBreach(options, says)).toBeDefined()
  })
})
