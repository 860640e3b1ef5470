import { expect, it } from 'vitest'
import { retryAfter } from '../../src/clink/retry-after.ts'

const wall = Date.UTC(2026, 10, 1, 9, 0, 0)

const cases: readonly (readonly [value: string | undefined, date: string | undefined, expected: number | undefined])[] =
  [
    [undefined, undefined, undefined],
    ['0', undefined, 0],
    ['7', undefined, 7_000],
    [' 1.5 ', undefined, 1_500],
    ['Sun, 01 Nov 2026 09:00:20 GMT', undefined, 20_000],
    ['Sun, 01 Nov 2026 09:00:20 GMT', 'Sun, 01 Nov 2026 09:00:05 GMT', 15_000],
    ['Sun, 01 Nov 2026 09:00:20 GMT', 'nonsense', 20_000],
    ['Sunday, 01-Nov-26 09:00:20 GMT', undefined, 20_000],
    ['Sun Nov  1 09:00:20 2026 GMT', undefined, 20_000],
    ['Sun, 01 Nov 2026 08:00:00 GMT', undefined, 0],
    ['-5', undefined, undefined],
    ['soon', undefined, undefined],
    ['v1', undefined, undefined],
    ['', undefined, undefined],
    ['1e3', undefined, undefined],
  ]

it.each(cases)('Retry-After %j with Date %j means %j ms', (value, date, expected) => {
  const headers = { ...(value === undefined ? {} : { 'retry-after': value }), ...(date === undefined ? {} : { date }) }
  expect(retryAfter(headers, wall)).toBe(expected)
})
