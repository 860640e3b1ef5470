import { describe, expect, it } from 'vitest'
import { equalJitter, fullJitter, waitAsAsked } from '../../src/base/backoff.ts'

const policy = { base: 1_000, max: 60_000 }
const low = (): number => 0
const half = (): number => 0.5
const high = (): number => 1
const counts = [1, 2, 3, 7, 1_000]

describe('P10: waits between tries', () => {
  it('double up to the longest, at random from nothing', () => {
    expect(counts.map((count) => fullJitter(count, policy, high))).toEqual([1_000, 2_000, 4_000, 60_000, 60_000])
    expect(counts.map((count) => fullJitter(count, policy, half))).toEqual([500, 1_000, 2_000, 30_000, 30_000])
    expect(counts.map((count) => fullJitter(count, policy, low))).toEqual([0, 0, 0, 0, 0])
  })

  it('are at least half of that where they must not be next to nothing', () => {
    expect(counts.map((count) => equalJitter(count, policy, high))).toEqual([1_000, 2_000, 4_000, 60_000, 60_000])
    expect(counts.map((count) => equalJitter(count, policy, low))).toEqual([500, 1_000, 2_000, 30_000, 30_000])
  })

  it('are as long as the service asks for where that is longer, and an hour at most', () => {
    expect(waitAsAsked(2_000, undefined)).toBe(2_000)
    expect(waitAsAsked(2_000, 1_000)).toBe(2_000)
    expect(waitAsAsked(2_000, 5_000)).toBe(5_000)
    expect(waitAsAsked(2_000, 86_400_000)).toBe(3_600_000)
    expect(waitAsAsked(7_200_000, 86_400_000)).toBe(7_200_000)
  })
})
