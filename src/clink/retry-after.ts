/**
 * The wait that `Retry-After` asks for, in milliseconds, from seconds or a date. A date is compared with the answer's own
 * `Date` where there is one, so that a service whose clock differs from ours is not misread.
 */
export function retryAfter(headers: Readonly<Record<string, string>>, wall: number): number | undefined {
  const value = headers['retry-after']?.trim()
  if (value === undefined) return undefined
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1_000
  const until = httpDate(value)
  return until === undefined ? undefined : Math.max(0, until - (httpDate(headers['date']) ?? wall))
}

/** `Date.parse` takes nearly everything for a date (`-5`, `v1`), so the shape is checked first. */
function httpDate(value: string | undefined): number | undefined {
  if (value === undefined || !/^[A-Z][a-z]{2,8},? .*\d\d:\d\d:\d\d/.test(value)) return undefined
  const time = Date.parse(value)
  return Number.isNaN(time) ? undefined : time
}
