import { afterEach, describe, expect, it, vi } from 'vitest'
import type { RoutedClink } from '../../src/handlers/route.ts'
import type { Outcome } from '../../src/runners/outcome.ts'
import { CircuitBreaker } from '../../src/worker/capacity/circuit-breaker.ts'
import { Start } from '../../src/worker/execution/start.ts'
import { findBreach } from './broken-rules.ts'
import type { Breakage } from './life.ts'
import type { WordName } from './world.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

async function isNoticed(says: RegExp, breakage: Breakage = {}, ...words: readonly WordName[]): Promise<boolean> {
  const options = { vocabulary: ['absent', ...words], breakage } as const
  return (await findBreach(options, ({ rule, text }) => rule === 'P10' && says.test(text))) !== undefined
}

/** Takes what could not be begun for something else. */
function taking(other: Outcome): Breakage {
  return {
    parts: (real) => {
      const { runner } = real
      if (runner === undefined) return real
      const read = (outcome: Outcome): Outcome => (outcome.outcome === 'unavailable' ? other : outcome)
      return { ...real, runner: { start: (task) => ({ ended: runner.start(task).ended.then(read) }) } }
    },
  }
}

describe('the judge notices a worker', { timeout: 60_000 }, () => {
  it('that takes what could not be begun for a failure of the clink (§4)', async () => {
    const failed: Outcome = { outcome: 'failed', error: { name: 'Error', message: 'refused' } }
    expect(await isNoticed(/could not be begun, and its route is not paused/, taking(failed))).toBe(true)
  })

  it('that holds what could not be begun (§4)', async () => {
    expect(await isNoticed(/and what is told next is clink.held/, taking({ outcome: 'retry' }))).toBe(true)
  })

  it('that counts an attempt which could not be begun (§4)', async () => {
    vi.spyOn(Start.prototype, 'takeBack').mockResolvedValue()
    expect(await isNoticed(/could not be begun, and after attempt \d+ comes/)).toBe(true)
  })

  it('that opens a paused route without a run that was done (§4)', async () => {
    let generation = 1
    const parts: Breakage['parts'] = (real) => {
      const { router } = real
      const renewed = (routed: RoutedClink | undefined): RoutedClink | undefined =>
        routed && { ...routed, route: { ...routed.route, generation: (generation += 1) } }
      return {
        ...real,
        router: {
          ...router,
          find: (clink, identity) => {
            const found = router.find(clink, identity)
            return found instanceof Promise ? found.then(renewed) : renewed(found)
          },
        },
      }
    }
    expect(await isNoticed(/is not paused any more, and no run was done/, { parts })).toBe(true)
  })

  it('that probes a paused route with several clinks at once (§4)', async () => {
    vi.spyOn(CircuitBreaker.prototype, 'wait').mockReturnValue(0)
    vi.spyOn(CircuitBreaker.prototype, 'isOpen').mockReturnValue(true)
    expect(await isNoticed(/probes the paused route beside/)).toBe(true)
  })

  it('that does not wait between two probes of a paused route (§4)', async () => {
    vi.spyOn(CircuitBreaker.prototype, 'wait').mockReturnValue(0)
    vi.spyOn(CircuitBreaker.prototype, 'isOpen').mockReturnValue(true)
    expect(await isNoticed(/probes the paused route [\d.]+ ms after the last one/, {}, 'single')).toBe(true)
  })
})
