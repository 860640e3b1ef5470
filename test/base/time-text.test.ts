import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readHttpDate, readMoment, readTime } from '../../src/base/time-text.ts'

const NOON = Date.UTC(2026, 0, 5, 12)

describe('times of the service (§0)', () => {
  const zone = process.env['TZ']
  beforeAll(() => {
    process.env['TZ'] = 'Asia/Kolkata'
    expect(new Date(NOON).getTimezoneOffset()).toBe(-330)
  })
  afterAll(() => {
    process.env['TZ'] = zone ?? 'UTC'
  })

  it.each([
    ['2026-01-05T12:00:00Z', NOON],
    ['2026-01-05T12:00:00.000Z', NOON],
    ['2026-01-05t12:00:00z', NOON],
    ['2026-01-05T12:00:00', NOON],
    ['2026-01-05 12:00:00', NOON],
    ['2026-01-05T12:00', NOON],
    ['2026-01-05T12:00:00.123456', NOON + 123],
    ['2026-01-05T12:00:00,5', NOON + 500],
    ['2026-01-05 12:00:00.25+00:00', NOON + 250],
    ['2026-01-05T14:00:00+02:00', NOON],
    ['2026-01-05T06:30:00-0530', NOON],
    ['2026-01-05T14:00:00+02', NOON],
    ['2026-01-06T02:00:00+14:00', NOON],
    ['2026-01-05', NOON - 12 * 3_600_000],
    [' 2026-01-05T12:00:00Z ', NOON],
  ])('%s is read as one moment, whatever the zone of this machine', (text, at) => {
    expect(readTime(text)).toBe(at)
  })

  it.each([
    null,
    undefined,
    '',
    'soon',
    '5',
    'v1',
    '1767614400',
    '2026-02-30T12:00:00Z',
    '2026-01-05T24:00:00Z',
    '2026-01-05T12:60:00Z',
    '2026-13-05',
    '2026-01-05T12:00:00 local',
  ])('%s is no time', (text) => {
    expect(readTime(text)).toBeUndefined()
  })

  it.each([
    ['2026-01-05T12:00:00.123456Z', 1],
    ['2026-01-05T12:00:00.5Z', 100],
    ['2026-01-05T12:00:00Z', 1_000],
    ['2026-01-05T12:00Z', 60_000],
  ])('%s may be off by what it leaves out', (text, grain) => {
    expect(readMoment(text)?.grain).toBe(grain)
  })

  it('of HTTP are read only where they have its shape', () => {
    expect(readHttpDate('Mon, 05 Jan 2026 12:00:00 GMT')).toBe(NOON)
    expect(readHttpDate('-5')).toBeUndefined()
  })
})
