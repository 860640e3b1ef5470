type Unit = 'ms' | 's' | 'm' | 'h' | 'd'

const UNITS: Readonly<Record<string, number>> & Readonly<Record<Unit, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
const PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/

/** `250ms`, `30s`, `5m`, `1h`, `14d`. */
export type Duration = `${number}${Unit}`

/** Milliseconds of a duration text, or `undefined` when it is not one. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit = ''] = PATTERN.exec(text) ?? []
  const size = UNITS[unit]
  return size === undefined ? undefined : Number(amount) * size
}

/** The shortest exact text for milliseconds: 90_000 is `90s`, 3_600_000 is `1h`. */
export function formatDuration(ms: number): Duration {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms !== 0 && ms % UNITS[unit] === 0) return `${ms / UNITS[unit]}${unit}`
  }
  return `${ms}ms`
}

/** For people: two significant parts at most, `1.2s`, `4m 05s`, `3h 12m`. */
export function humanDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)}s`
  const seconds = Math.round(ms / 1_000)
  const two = (n: number): string => String(n).padStart(2, '0')
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`
  return `${Math.floor(seconds / 3_600)}h ${two(Math.floor((seconds % 3_600) / 60))}m`
}
