import { afterEach, describe, expect, it, vi } from 'vitest'
import { TransportError, type Transport } from '../../src/clink/transport.ts'
import { FleetLedger } from '../../src/fleet/fleet-ledger.ts'
import { SharedSteps } from '../../src/fleet/shared-steps.ts'
import type { SharedStore } from '../../src/fleet/store.ts'
import { Memory } from '../../src/ledger/memory.ts'
import { findBreach } from './broken-rules.ts'
import type { Plan } from './plan.ts'
import type { SeedOptions } from './run-seed.ts'
import { FLEET, type WordName } from './world.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** @param words beside the fleet. @param first where earlier seeds do not show it. */
async function notices(
  says: RegExp,
  options: SeedOptions = {},
  words: readonly WordName[] = [],
  first = 1,
): Promise<boolean> {
  const isIt = ({ text }: { readonly text: string }): boolean => says.test(text)
  return (await findBreach({ vocabulary: [FLEET, ...words], ...options }, isIt, first)) !== undefined
}

const over = (change: (real: SharedStore) => Partial<SharedStore>): SeedOptions => ({
  breakage: { store: (real) => ({ ...real, ...change(real) }) },
})

/** The store answers, and processes end in the middle of what they write. */
function restless(plan: Plan): Plan {
  const { fleet } = plan.world
  if (fleet === undefined) return plan
  return { ...plan, world: { ...plan.world, fleet: { ...fleet, failing: 0, outages: [], killing: 0.1 } } }
}

/** Whoever fails once is given up, and given back. */
function hasty(plan: Plan): Plan {
  const workers = plan.workers.map((worker) => {
    const retry = { ...worker.config.retry, attempts: 1, onExhausted: 'release' as const }
    return { ...worker, config: { ...worker.config, retry } }
  })
  return { ...plan, workers }
}

/** Somebody has all letters run again, by one member or another, and discards all a moment later. */
function tended(plan: Plan): Plan {
  const letters = Array.from({ length: 40 }, (_, n) => {
    const worker = `w${(n % 3) + 1}`
    return { at: (plan.calmAt * (n + 1)) / 41, worker, which: 'all', what: n % 2 === 0 ? 'retry' : 'discard' } as const
  })
  return { ...restless(plan), letters }
}

/** Handlers are started twice, and give back for a moment. */
function lenient(plan: Plan): Plan {
  const workers = plan.workers.map((worker) => {
    const retry = { ...worker.config.retry, attempts: 2, cooldown: 1_000, onExhausted: 'release' as const }
    return { ...worker, turns: [], config: { ...worker.config, retry } }
  })
  return { ...plan, workers, letters: [] }
}

/** Clink takes no result. */
const unsent = (real: Transport): Transport => ({
  send: async (request) => {
    if (request.path.endsWith('/complete')) throw new TransportError('refused', 'no', 'it is not taken')
    return await real.send(request)
  },
})

describe('the judge notices a fleet', { timeout: 120_000 }, () => {
  it('in which a start is not waited for', async () => {
    vi.spyOn(FleetLedger.prototype, 'begun').mockImplementation(async (_, here) => await here)
    expect(await notices(/starts, and its fleet does not know/)).toBe(true)
  })

  it('in which a member does not know what the others have started', async () => {
    const options = over((real) => ({
      recall: async (ids) => {
        const { parts, ...more } = await real.recall(ids)
        return { ...more, parts: parts.map((part) => ({ ...part, attempts: null })) }
      },
    }))
    expect(await notices(/failures in the fleet|starts that count/, { ...options, planned: restless })).toBe(true)
  })

  it('in which a result is computed again that the store holds', async () => {
    const options = over((real) => ({
      recall: async (ids) => {
        const { parts, ...more } = await real.recall(ids)
        return { ...more, parts: parts.map((part) => ({ ...part, result: null })) }
      },
    }))
    const breakage = { ...options.breakage, transport: unsent }
    expect(await notices(/though its fleet holds a result/, { breakage, planned: restless }, [], 16)).toBe(true)
  })

  it('in which what was known before a claim counts', async () => {
    vi.spyOn(FleetLedger.prototype, 'recall').mockResolvedValue()
    vi.spyOn(FleetLedger.prototype, 'of').mockReturnValue('none')
    expect(
      await notices(/though its fleet has given it up|though its fleet holds a result|failures in the fleet/),
    ).toBe(true)
  })

  it('in which a clink is given back as given up before the others know', async () => {
    const options = over((real) => ({
      write: async (batch) =>
        await real.write({ ...batch, notes: batch.notes.filter(({ kind }) => kind !== 'letters') }),
    }))
    const says = /given back as given up, and its fleet does not know/
    expect(await notices(says, { ...options, planned: hasty, calm: 30_000 }, [], 4)).toBe(true)
  })

  it('in which who changes a letter overwrites what others have done about it', async () => {
    let born = 0
    const options = over((real) => ({
      write: async (batch) => {
        const notes = batch.notes.map((note) => ({ ...note, edit: { born: `${(born += 1)}`, keys: [], was: [] } }))
        return await real.write({ ...batch, notes })
      },
    }))
    expect(await notices(/though its letter was discarded/, { ...options, planned: tended })).toBe(true)
  })

  it('in which what handlers have given back is given up', async () => {
    vi.spyOn(Memory.prototype, 'startsInFleet', 'get').mockImplementation(function (this: Memory) {
      return this.tried.starts - this.tried.excused
    })
    expect(await notices(/is pending, and .* could run it/, { planned: lenient }, [], 20)).toBe(true)
  })

  it('in which what one has given back the others take at once', async () => {
    const options = over((real) => ({
      write: async (batch) =>
        await real.write({ ...batch, notes: batch.notes.filter(({ kind }) => kind !== 'cooling') }),
    }))
    expect(await notices(/ms after \S+ has given it back/, options)).toBe(true)
  })

  it('whose members start handlers while the store is away', async () => {
    vi.spyOn(FleetLedger.prototype, 'isHealthy', 'get').mockReturnValue(true)
    expect(await notices(/starts while the store is away/)).toBe(true)
  })

  it('whose members are ready while the store is away', async () => {
    const readiness = (): { ready: boolean; reasons: readonly string[] } => ({ ready: true, reasons: [] })
    expect(await notices(/is ready while the store is away/, { breakage: { readiness } })).toBe(true)
  })

  it('in which a step is done again that another member has done', async () => {
    vi.spyOn(SharedSteps.prototype, 'of').mockResolvedValue([])
    expect(await notices(/is done again/, { planned: restless }, ['steps'])).toBe(true)
  })

  it('of which a member does not see that it is paused', async () => {
    const blind = over((real) => ({ changes: async (after) => ({ ...(await real.changes(after)), pauses: [] }) }))
    expect(await notices(/although it is held \(pause\)/, blind, ['paused-fleet'])).toBe(true)
  })
})
