import { afterEach, describe, expect, it, vi } from 'vitest'
import { CircuitBreaker } from '../../src/worker/capacity/circuit-breaker.ts'
import { Start } from '../../src/worker/execution/start.ts'
import { findBreach } from './broken-rules.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const notices = async (says: RegExp): Promise<boolean> =>
  (await findBreach({ vocabulary: ['absent'] }, ({ rule, text }) => rule === 'P10' && says.test(text))) !== undefined

describe('where what runs handlers is away for a while, the judge notices a worker', () => {
  it('that goes on as if the clinks were at fault (P10, §4)', async () => {
    // oxlint-disable-next-line typescript/unbound-method -- it is called with its object
    const real = CircuitBreaker.prototype.ended
    vi.spyOn(CircuitBreaker.prototype, 'ended').mockImplementation(function (this: CircuitBreaker, route, id, verdict) {
      const isUnavailable = typeof verdict === 'object' && !(verdict instanceof Error)
      return real.call(this, route, id, isUnavailable ? 'other' : verdict)
    })
    expect(await notices(/its route is not paused/)).toBe(true)
  })

  it('that counts a start which could not be made as an attempt (P10, §4)', async () => {
    vi.spyOn(Start.prototype, 'takeBack').mockResolvedValue()
    expect(await notices(/starts as attempt/)).toBe(true)
  })
})
