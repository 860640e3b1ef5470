import { afterEach, describe, expect, it, vi } from 'vitest'
import { Undecided } from '../../src/worker/admission/undecided.ts'
import { findBreach } from './broken-rules.ts'
import { SAYS } from './world.ts'
import type { Plan } from './plan.ts'
import { GROUP } from './plan-scope.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** Many clinks whose routes are known late, and nothing else. */
function plannedSlow(plan: Plan): Plan {
  const clinks = Array.from({ length: 40 }, (_, index) => ({
    group: GROUP,
    at: index * 1_000,
    text: `${SAYS.quick} ${index}`,
    from: 'alice',
  }))
  const slowest = 0.9 * plan.lease
  return { ...plan, clinks, world: { ...plan.world, patterns: { part: 1, slowest, failing: 0, until: plan.calmAt } } }
}

const options = { vocabulary: ['patterns'] as const, planned: plannedSlow }

describe('the judge notices a worker', () => {
  it('whose stop forgets the claims whose routes are being found (P8)', async () => {
    vi.spyOn(Undecided.prototype, 'hurry').mockReturnValue()
    vi.spyOn(Undecided.prototype, 'over').mockResolvedValue()
    vi.spyOn(Undecided.prototype, 'ids', 'get').mockReturnValue([])
    expect(await findBreach(options, ({ rule }) => rule === 'P8', 70)).toBeDefined()
  })
})
