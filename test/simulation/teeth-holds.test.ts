import { describe, expect, it } from 'vitest'
import { findBreach } from './broken-rules.ts'
import type { Breach } from './judge.ts'
import { misread } from './altered.ts'
import type { Plan } from './plan.ts'
import { playSeed } from './run-seed.ts'

/** Each worker is paused for a good while, is started anew in the midst of that, and nobody loses a disk. */
function paused(plan: Plan): Plan {
  const { calmAt } = plan
  const holds = plan.workers.map(({ name: worker }) => ({
    at: calmAt * 0.1,
    worker,
    what: 'pause' as const,
    ms: calmAt * 0.6,
  }))
  const turns = [{ at: calmAt * 0.3, what: 'crash' as const, ms: 500 }]
  const workers = plan.workers.map((worker) => ({ ...worker, turns }))
  return { ...plan, workers, restarts: { ...plan.restarts, newState: 0 }, world: { ...plan.world, holds } }
}

/** Each worker sleeps when somebody wants to drain it, and ends in its sleep: the next one is reached before it would have woken. */
function asleep(plan: Plan): Plan {
  const { calmAt } = plan
  const holds = plan.workers.map(({ name: worker }) => ({
    at: calmAt * 0.2,
    worker,
    what: 'drain' as const,
    ms: calmAt * 0.3,
  }))
  const turns = [
    { at: calmAt * 0.1, what: 'sleep' as const, ms: calmAt * 0.8 },
    { at: calmAt * 0.3, what: 'crash' as const, ms: 500 },
  ]
  const workers = plan.workers.map((worker) => ({ ...worker, turns }))
  return { ...plan, workers, world: { ...plan.world, holds } }
}

const isHold = ({ rule, text }: Breach): boolean => rule === '§6' && text.includes('although it is held')

describe('the judge notices a worker', () => {
  it('that forgets with its process that it is paused', async () => {
    const breakage = {
      tables: (real) => ({
        ...real,
        facts: misread(real.facts, (fact) => (fact?.startsWith('[{"by"') === true ? undefined : fact)),
      }),
    } satisfies Parameters<typeof findBreach>[0]['breakage']
    expect(await findBreach({ planned: paused, breakage }, isHold)).toBeDefined()
  })
})

it('whoever drains a worker late has it go on after that', async () => {
  const { record } = await playSeed(1, { planned: asleep, vocabulary: [] })
  const late = record.holds.filter(({ what }) => what === 'drain')
  expect(late.length).toBeGreaterThan(0)
  for (const { askedAt, to } of late) expect(to).toBeGreaterThanOrEqual(askedAt)
})
