import { describe, expect, it } from 'vitest'
import { formatDuration, humanDuration, parseDuration } from '../../src/base/duration.ts'

describe('durations', () => {
  it.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['1h', 3_600_000],
    ['14d', 1_209_600_000],
    ['0s', 0],
  ])('%s is read as milliseconds', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each(['', '5', '5 s', 's', '-5s', '5S', '1h30m', '5sec', 'Infinitys', '5constructor'])('%j is not one', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })

  it.each([
    [0, '0ms'],
    [250, '250ms'],
    [90_000, '90s'],
    [3_600_000, '1h'],
    [1_209_600_000, '14d'],
  ])('%d ms is written so that it reads the same', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
    expect(parseDuration(text)).toBe(ms)
  })

  it.each([
    [12, '12ms'],
    [1_234, '1.2s'],
    [245_000, '4m 05s'],
    [11_520_000, '3h 12m'],
  ])('%d ms is shown to people as %s', (ms, text) => {
    expect(humanDuration(ms)).toBe(text)
  })
})
