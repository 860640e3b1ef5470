import { tryTo } from '../base/try-to.ts'

/** Deeper than anything that the worker itself writes, in a clink or beside it. */
const DEEPEST = 64
/** The longest text in a row that could not be written whole. */
const LONGEST = 1_048_576

/** A row as it is written. What JSON does not take is cut where it is too deep or too long; undefined: nothing helps. */
export function rowText(row: unknown): string | undefined {
  return tryTo(() => JSON.stringify(row)) ?? tryTo(() => JSON.stringify(cut(row, 0)))
}

function cut(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.slice(0, LONGEST)
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'function') return undefined
  if (typeof value !== 'object' || value === null) return value
  if (depth === DEEPEST) return null
  if (Array.isArray(value)) return value.map((item) => cut(item, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, cut(item, depth + 1)]))
}
