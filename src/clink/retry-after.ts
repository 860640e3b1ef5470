import { readHttpDate } from '../base/time-text.ts'

/**
 * The wait that `Retry-After` asks for, in milliseconds, from seconds or a date. A date is compared with the answer's own
 * `Date` where there is one, so that a service whose clock differs from ours is not misread.
 */
export function retryAfter(headers: Readonly<Record<string, string>>, wall: number): number | undefined {
  const value = headers['retry-after']?.trim()
  if (value === undefined) return undefined
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1_000
  const until = readHttpDate(value)
  return until === undefined ? undefined : Math.max(0, until - (readHttpDate(headers['date']) ?? wall))
}
