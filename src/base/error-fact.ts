import { asError, stackOf } from './coded-error.ts'
import { cutText, LONGEST } from './cut-text.ts'

/** Causes of causes, and the errors of one that holds several. */
const DEEPEST = 5
const MOST = 10
const FRAMES = 4_096
/** The fields of an error, beside its texts, that are of use. */
const KEPT = ['code', 'status', 'operation', 'failure'] as const

/**
 * Copies what was thrown into an error of our own. The copy can be kept, copied and read as often as one likes,
 * whatever the getters of the original do, and however long it is. Its texts and those of its causes have at most
 * `LONGEST.error` together. Never throws.
 */
export function errorFact(thrown: unknown): Error {
  return copy(thrown, { left: LONGEST.error }, 0)
}

function copy(thrown: unknown, room: { left: number }, depth: number): Error {
  const error = asError(thrown)
  const message = cutText(error.message, room.left)
  room.left = Math.max(0, room.left - message.length)
  const name = cutText(text(read(error, 'name')) ?? 'Error', 200)
  const isLast = depth === DEEPEST || room.left === 0
  const cause = isLast ? undefined : read(error, 'cause')
  const several = isLast ? undefined : read(error, 'errors')
  const options = cause === undefined ? undefined : { cause: copy(cause, room, depth + 1) }
  const errors = listed(several)
  const made =
    errors === undefined
      ? new Error(message, options)
      : new AggregateError(
          errors.map((one) => copy(one, room, depth + 1)),
          message,
          options,
        )
  for (const key of KEPT) {
    const value = read(error, key)
    if (typeof value === 'number') Object.assign(made, { [key]: value })
    else if (typeof value === 'string') Object.assign(made, { [key]: cutText(value, 200) })
  }
  const frames = /\n\s+at [^]*/.exec(stackOf(error).slice(0, 10 * LONGEST.error))?.[0] ?? ''
  Object.defineProperty(made, 'name', { value: name, configurable: true, enumerable: false, writable: true })
  made.stack = `${name}: ${message}${frames.slice(0, FRAMES)}`
  return made
}

/** The first of them, where there are any. */
function listed(several: unknown): readonly unknown[] | undefined {
  try {
    return Array.isArray(several) ? several.slice(0, MOST) : undefined
  } catch {
    return undefined
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** Reads what may be a getter of somebody else's. */
function read(from: object, name: string): unknown {
  try {
    return Reflect.get(from, name)
  } catch {
    return undefined
  }
}
