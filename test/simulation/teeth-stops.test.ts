import { afterEach, describe, expect, it, vi } from 'vitest'
import { Shutdown } from '../../src/worker/shutdown.ts'
import { findBreach } from './broken-rules.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

describe('the judge notices a worker', { timeout: 60_000 }, () => {
  it('that takes longer for its stop than it may, also over a slow store (P8)', async () => {
    // oxlint-disable-next-line typescript/unbound-method -- called with its worker below
    const { stop: real } = Shutdown.prototype
    vi.spyOn(Shutdown.prototype, 'stop').mockImplementation(async function (this: Shutdown, timeout) {
      return await real.call(this, timeout + 10_000)
    })
    const breach = await findBreach(
      { vocabulary: ['slow-store'] },
      ({ rule, text }) => rule === 'live' && text.startsWith('the stop took'),
    )
    expect(breach).toBeDefined()
  })
})
