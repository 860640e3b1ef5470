import { tryTo } from './try-to.ts'
import { asError, stackOf } from './coded-error.ts'
import { cutText, LONGEST } from './cut-text.ts'

/** Causes of causes, and the errors of one that holds several. */
const DEEPEST = 5
const MOST = 10
const FRAMES = 4_096
/** The fields of an error, beside its texts, that are of use. Nothing else of one is shown or kept. */
export const ERROR_FIELDS = ['code', 'status', 'operation', 'failure'] as const

/** An error as plain data: JSON holds all of it. */
export interface ErrorFact extends Readonly<Partial<Record<(typeof ERROR_FIELDS)[number], string | number>>> {
  readonly name: string
  readonly message: string
  readonly stack?: string
  readonly cause?: ErrorFact
  /** Of one that holds several. */
  readonly errors?: readonly ErrorFact[]
}

/**
 * What was thrown, as data that can be kept, sent and read as often as one likes, whatever the getters of the original do, and however
 * long it is. Its texts and those of its causes have at most `LONGEST.error` together. Never throws.
 */
export function errorFact(thrown: unknown): ErrorFact {
  return copy(thrown, { left: LONGEST.error }, 0)
}

function copy(thrown: unknown, room: { left: number }, depth: number): ErrorFact {
  const error = asError(thrown)
  const message = cutText(error.message, room.left)
  room.left = Math.max(0, room.left - message.length)
  const name = cutText(text(read(error, 'name')) ?? 'Error', 200)
  const isLast = depth === DEEPEST || room.left === 0
  const cause = isLast ? undefined : read(error, 'cause')
  const errors = isLast ? undefined : listed(read(error, 'errors'))
  const frames = /\n\s+at [^]*/.exec(stackOf(error).slice(0, 10 * LONGEST.error))?.[0] ?? ''
  return {
    name,
    message,
    stack: `${name}: ${message}${frames.slice(0, FRAMES)}`,
    ...Object.fromEntries(ERROR_FIELDS.flatMap((key) => kept(key, read(error, key)))),
    ...(cause === undefined ? {} : { cause: copy(cause, room, depth + 1) }),
    ...(errors === undefined ? {} : { errors: errors.map((one) => copy(one, room, depth + 1)) }),
  }
}

/** The error that is told of, for whoever shows errors. */
export function errorOf({ cause, errors, message, name, stack, ...fields }: ErrorFact): Error {
  const options = cause === undefined ? undefined : { cause: errorOf(cause) }
  const several = errors?.map((one) => errorOf(one))
  const error = several === undefined ? new Error(message, options) : new AggregateError(several, message, options)
  Object.defineProperty(error, 'name', { value: name, configurable: true, enumerable: false, writable: true })
  error.stack = stack ?? `${name}: ${message}`
  return Object.assign(error, fields)
}

function kept(key: string, value: unknown): readonly (readonly [string, string | number])[] {
  if (typeof value === 'number') return [[key, value]]
  return typeof value === 'string' ? [[key, cutText(value, 200)]] : []
}

/** The first of them, where there are any. */
function listed(several: unknown): readonly unknown[] | undefined {
  return tryTo(() => (Array.isArray(several) ? several.slice(0, MOST) : undefined))
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** Reads what may be a getter of somebody else's. */
function read(from: object, name: string): unknown {
  return tryTo<unknown>(() => Reflect.get(from, name))
}
