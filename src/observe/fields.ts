import { Secret } from '../base/secret.ts'

export interface FieldOptions {
  /** Whether errors are shown with their stacks. */
  readonly stacks: boolean
}

const DEEPEST = 6
/** Beside the name and the message, and the stack where it is asked for. Nothing else of an error is shown. */
const ERROR_FIELDS = ['code', 'status', 'operation', 'failure'] as const

/**
 * A value as a log line may show it: a JSON value without cycles, bytes, functions and getters that throw. Errors at any depth
 * are cut down to a list of allowed fields, since those of HTTP libraries carry whole requests with their keys. Never throws.
 */
export function loggable(value: unknown, options: FieldOptions, depth = 0): unknown {
  try {
    return shown(value, options, depth)
  } catch {
    return '[unreadable]'
  }
}

function shown(value: unknown, options: FieldOptions, depth: number): unknown {
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value)
  if (typeof value === 'function') return '[function]'
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return errorFields(value, options, depth)
  if (value instanceof Secret) return value.toJSON()
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
  if (depth >= DEEPEST) return '[deeper]'
  if (value instanceof Map) return loggable(Object.fromEntries(value), options, depth)
  if (value instanceof Set || Array.isArray(value)) return [...value].map((item) => loggable(item, options, depth + 1))
  return Object.fromEntries(
    Object.keys(value).flatMap((name) => {
      const item = read(value, name)
      return item === undefined ? [] : [[name, loggable(item, options, depth + 1)]]
    }),
  )
}

function errorFields(error: Error, options: FieldOptions, depth = 0): Record<string, unknown> {
  const fields: Record<string, unknown> = { name: textOf(error, 'name'), message: textOf(error, 'message') }
  for (const name of ERROR_FIELDS) {
    const value = read(error, name)
    if (typeof value === 'string' || typeof value === 'number') fields[name] = value
  }
  if (options.stacks) fields['stack'] = textOf(error, 'stack')
  if (depth >= DEEPEST) return fields
  const cause = read(error, 'cause')
  if (isError(cause)) fields['cause'] = errorFields(cause, options, depth + 1)
  const several = read(error, 'errors')
  if (error instanceof AggregateError && Array.isArray(several)) {
    fields['errors'] = several.map((one) => loggable(one, options, depth + 1))
  }
  return fields
}

/** A proxy may refuse to say. */
function isError(value: unknown): value is Error {
  try {
    return value instanceof Error
  } catch {
    return false
  }
}

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
