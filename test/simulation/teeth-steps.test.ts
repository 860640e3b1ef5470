import { afterEach, describe, expect, it, vi } from 'vitest'
import { sleep, type Clock } from '../../src/base/clock.ts'
import { Steps } from '../../src/ledger/steps.ts'
import type { StepTable } from '../../src/ledger/step-table.ts'
import { HandlerSteps } from '../../src/runners/handler-steps.ts'
import { RunSteps } from '../../src/worker/execution/run-steps.ts'
import { crashing, findBreach } from './broken-rules.ts'
import type { SeedOptions } from './run-seed.ts'
import { FLEET } from './world.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const STEPPING: SeedOptions = { vocabulary: ['steps', 'sleeps'] }

const notices = async (rule: string, says: RegExp, options = STEPPING): Promise<boolean> =>
  (await findBreach(options, (breach) => breach.rule === rule && says.test(breach.text))) !== undefined

describe('the judge notices a worker', { timeout: 60_000 }, () => {
  it('that does a step again which was kept (§4)', async () => {
    // Without sleeps: by this it would sleep for ever.
    vi.spyOn(Steps.prototype, 'of').mockResolvedValue(new Map())
    expect(await notices('P5', /is done again/, { vocabulary: ['steps'] })).toBe(true)
  })

  it('that lets a handler go on before its step is written (P5)', async () => {
    const hasty = (real: StepTable): StepTable => ({
      of: async (id) => await real.of(id),
      drop: async (id) => await real.drop(id),
      delete: async (id, step) => await real.delete(id, step),
      set: async (id, step) => {
        void real.set(id, step)
        await Promise.resolve()
      },
    })
    const tables: SeedOptions['breakage'] = { tables: (real) => ({ ...real, steps: hasty(real.steps) }) }
    const options = { ...STEPPING, vocabulary: ['steps', 'slow-store'], planned: crashing, breakage: tables } as const
    expect(await notices('P5', /is done again/, options)).toBe(true)
  })

  it('that forgets steps when the sender is told that a clink has failed (§4)', async () => {
    const { Ledger } = await import('../../src/ledger/ledger.ts')
    // oxlint-disable-next-line typescript/unbound-method -- it is called on what it belongs to
    const { settled } = Ledger.prototype
    vi.spyOn(Ledger.prototype, 'settled').mockImplementation(async function (
      this: InstanceType<typeof Ledger>,
      clink,
      how,
    ) {
      const kept = await this.steps.of(clink)
      await settled.call(this, clink, how)
      await Promise.all([...kept.values()].map(async (step) => await this.steps.forget(clink, step)))
    })
    expect(await notices('P5', /is done again/)).toBe(true)
  })

  it('that gives a handler something else than before (§4)', async () => {
    // oxlint-disable-next-line typescript/unbound-method -- it is called on what it belongs to
    const { of } = Steps.prototype
    vi.spyOn(Steps.prototype, 'of').mockImplementation(async function (this: Steps, clink) {
      const kept = [...(await of.call(this, clink))]
      return new Map(kept.map(([key, step]) => [key, step.is === 'step' ? { ...step, value: '"another"' } : step]))
    })
    expect(await notices('P5', /gives another|gave .* before/)).toBe(true)
  })

  it('whose run ends while code of its steps goes on (P3)', async () => {
    vi.spyOn(HandlerSteps.prototype, 'over').mockResolvedValue([])
    expect(await notices('P3', /goes on while another run starts/)).toBe(true)
  })

  it('that sends again what a step has sent (§4)', async () => {
    vi.spyOn(RunSteps.prototype, 'once').mockImplementation(async (_, send) => await send())
    expect(await notices('P5', /sends what/)).toBe(true)
  })

  it('that wakes too early (§4)', async () => {
    // oxlint-disable-next-line typescript/unbound-method -- it is called on what it belongs to
    const { endOf } = Steps.prototype
    vi.spyOn(Steps.prototype, 'endOf').mockImplementation(function (this: Steps, ...given) {
      return endOf.apply(this, given) - 200
    })
    expect(await notices('P10', /too early/)).toBe(true)
  })

  it.each([
    ['', STEPPING],
    ['of a fleet ', { vocabulary: [FLEET, 'sleeps'] }],
  ] as const)('%sthat waits for the end of a sleep in its slot (§4)', async (_, options) => {
    let clock: Clock | undefined
    const waiting: SeedOptions['breakage'] = {
      parts: (real) => {
        clock = real.clock
        return real
      },
      handle: (real) => async (clink, ctx) => {
        const sleeping = async (_: string, ms: unknown): Promise<void> => {
          if (clock !== undefined) await sleep(clock, Number(ms), ctx.signal)
        }
        return await real(clink, Object.create(ctx, { sleep: { value: sleeping } }))
      },
    }
    expect(await notices('P6', /in its slot/, { ...options, breakage: waiting })).toBe(true)
  })
})
