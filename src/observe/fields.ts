import { cutText, LONGEST } from '../base/cut-text.ts'
import { ERROR_FIELDS } from '../base/error-fact.ts'
import { Secret } from '../base/secret.ts'
import { tryTo } from '../base/try-to.ts'

export interface FieldOptions {
  /** Whether errors are shown with their stacks. */
  readonly stacks: boolean
}

const DEEPEST = 6
/** What a value costs beside its text. */
const EACH = 4

/**
 * A value as a log line may show it: a JSON value without cycles, bytes, functions and getters that throw. Errors at any depth
 * are cut down to a list of allowed fields, since those of HTTP libraries carry whole requests with their keys. Never throws.
 */
export function loggable(value: unknown, options: FieldOptions): unknown {
  return limited(value, { ...options, room: { left: LONGEST.result } }, 0)
}

interface Limits extends FieldOptions {
  /** Characters that the line may still have, near enough. */
  readonly room: { left: number }
}

function limited(value: unknown, options: Limits, depth: number): unknown {
  const { room } = options
  if (room.left <= 0) return '[cut]'
  room.left -= EACH
  try {
    return shown(value, options, depth)
  } catch {
    return '[unreadable]'
  }
}

function shown(value: unknown, options: Limits, depth: number): unknown {
  if (typeof value === 'string') return cut(value, options)
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value)
  if (typeof value === 'function') return '[function]'
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return errorFields(value, options, depth)
  if (value instanceof Secret) return value.toJSON()
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
  if (depth >= DEEPEST) return '[deeper]'
  if (value instanceof Map) return limited(Object.fromEntries(value), options, depth)
  if (value instanceof Set || Array.isArray(value)) return items(value, options, depth)
  const fields: [string, unknown][] = []
  for (const name of Object.keys(value)) {
    const item = read(value, name)
    if (item !== undefined) fields.push([cut(name, options), limited(item, options, depth + 1)])
    if (options.room.left <= 0) break
  }
  return Object.fromEntries(fields)
}

/** The last says that more are left out. */
function items(values: Iterable<unknown>, options: Limits, depth: number): readonly unknown[] {
  const list: unknown[] = []
  for (const item of values) {
    const isFull = options.room.left <= 0
    list.push(limited(item, options, depth + 1))
    if (isFull) break
  }
  return list
}

function cut(text: string, { room }: Limits): string {
  const kept = cutText(text, Math.max(0, room.left))
  room.left -= kept.length
  return kept
}

function errorFields(error: Error, options: Limits, depth = 0): Record<string, unknown> {
  const fields: Record<string, unknown> = {
    name: cut(textOf(error, 'name'), options),
    message: cut(textOf(error, 'message'), options),
  }
  for (const name of ERROR_FIELDS) {
    const value = read(error, name)
    if (typeof value === 'number') fields[name] = value
    if (typeof value === 'string') fields[name] = cut(value, options)
  }
  if (options.stacks) fields['stack'] = cut(textOf(error, 'stack'), options)
  if (depth >= DEEPEST) return fields
  const cause = read(error, 'cause')
  if (isError(cause)) fields['cause'] = errorFields(cause, options, depth + 1)
  const several = read(error, 'errors')
  if (error instanceof AggregateError && Array.isArray(several)) {
    fields['errors'] = several.map((one) => limited(one, options, depth + 1))
  }
  return fields
}

/** A proxy may refuse to say. */
const isError = (value: unknown): value is Error => tryTo(() => value instanceof Error) === true

function textOf(error: Error, name: string): string {
  const value = read(error, name)
  return typeof value === 'string' ? value : typeof value
}

/** Reads what may be a getter of somebody else's. */
function read(from: object, name: string): unknown {
  try {
    return Reflect.get(from, name)
  } catch {
    return '[unreadable]'
  }
}
