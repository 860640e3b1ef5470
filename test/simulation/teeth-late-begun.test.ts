import { afterEach, describe, expect, it, vi } from 'vitest'
import { Start } from '../../src/worker/execution/start.ts'
import { TimeLimits } from '../../src/worker/execution/time-limits.ts'
import { findBreach } from './broken-rules.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** @param first where earlier seeds do not show it. */
async function isNoticed(rule: string, says: RegExp, first = 1): Promise<boolean> {
  const options = { vocabulary: ['late-begun'] } as const
  return (await findBreach(options, (breach) => breach.rule === rule && says.test(breach.text), first)) !== undefined
}

describe('the judge notices a worker', { timeout: 60_000 }, () => {
  it('that lets a run begin whose claim is lost (P2)', async () => {
    vi.spyOn(Start.prototype, 'lost').mockReturnValue()
    expect(await isNoticed('P2', /begins though its claim was lost before/, 30)).toBe(true)
  })

  it('that takes the time until a run has begun for time of the run (P4)', async () => {
    // oxlint-disable-next-line typescript/unbound-method -- it is called on what it belongs to
    const { begin } = TimeLimits.prototype
    vi.spyOn(TimeLimits.prototype, 'begin').mockImplementation(function (this: TimeLimits, _, exceeded) {
      begin.call(this, undefined, exceeded)
    })
    expect(await isNoticed('P4', /is aborted after [\d.]+ ms, not/)).toBe(true)
  })
})
