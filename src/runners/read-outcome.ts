import { types } from 'node:util'
import { asError, isError } from '../base/coded-error.ts'
import { errorFact } from '../base/error-fact.ts'
import { isControl, type Control } from '../handlers/handler.ts'
import type { Outcome } from './outcome.ts'

/** How the code of a handler in JavaScript ended. */
export type RunEnd =
  { readonly ended: 'returned'; readonly value: unknown } | { readonly ended: 'threw'; readonly error: unknown }

/**
 * The one place where what a handler returned or threw becomes an outcome.
 *
 * @param made the controls that the handler's context made during the run.
 */
export function readOutcome(end: RunEnd, made: readonly Control[]): Outcome {
  try {
    return read(end, made)
  } catch (error) {
    return failed(`what the handler ${end.ended} cannot be read: ${asError(error).message}`, error)
  }
}

function read(end: RunEnd, made: readonly Control[]): Outcome {
  const result = end.ended === 'returned' ? end.value : end.error
  if (isControl(result)) return fromControl(result)
  if (end.ended === 'threw') return { outcome: 'failed', error: errorFact(end.error) }
  const [unused] = made
  if (unused !== undefined) {
    const call = unused.kind === 'retry' ? 'retryAfter' : unused.kind
    return failed(`ctx.${call}() was called and its result neither returned nor thrown: write "return ctx.${call}(…)"`)
  }
  return fromValue(result)
}

function fromControl(control: Control): Outcome {
  switch (control.kind) {
    case 'release':
      return { outcome: 'release', ...reasonOf(control) }
    case 'reject':
      return { outcome: 'reject', reason: 'rejected by the handler', ...reasonOf(control) }
    case 'retry':
      return { outcome: 'retry', after: control.after ?? 0, ...reasonOf(control) }
  }
}

/** An error that is returned counts as thrown: whoever collects what others threw hands it on so. */
function fromValue(value: unknown): Outcome {
  const isWrapped = typeof value === 'object' && value !== null && !isError(value) && 'response' in value
  const answer = isWrapped ? value.response : value
  if (isError(answer)) return { outcome: 'failed', error: errorFact(answer) }
  try {
    const response = answerText(answer)
    return response === undefined ? { outcome: 'done' } : { outcome: 'done', response }
  } catch (error) {
    return failed(`the handler returned what cannot be sent as JSON: ${asError(error).message}`, error)
  }
}

function failed(message: string, cause?: unknown): Outcome {
  return { outcome: 'failed', error: errorFact(new Error(message, cause === undefined ? undefined : { cause })) }
}

/** Handlers need not be checked by a compiler, and an error is a reason as good as its text. What is kept has to be text. */
function reasonOf({ reason }: { readonly reason?: unknown }): { readonly reason?: string } {
  if (reason === undefined || reason === null) return {}
  return { reason: typeof reason === 'string' ? reason : asError(reason).message }
}

/**
 * What a handler answers, as the text that is sent: text as it is, everything else as JSON; undefined: nothing. What JSON would turn into
 * `{}` or `null` without a word is refused: whoever asked would take that for the answer.
 *
 * @throws {Error} that says what cannot be sent, and where it stands.
 */
function answerText(answer: unknown): string | undefined {
  if (answer === undefined || answer === null || answer === '') return undefined
  if (typeof answer === 'string') return answer
  const json: unknown = JSON.stringify(answer, refuseEmptied())
  if (typeof json !== 'string') throw new Error(`a ${typeof answer}: return text, or what JSON can hold`)
  if (json === 'null') throw new Error(`${nameOf(answer)}: in JSON it is null`)
  return json
}

/** To be called with each value after its own `toJSON`: what says itself how it reads in JSON is taken at its word. */
function refuseEmptied(): (this: object, key: string, value: unknown) => unknown {
  const paths = new WeakMap<object, string>()
  return function refuse(key, value) {
    if (typeof value !== 'object' || value === null) return value
    const parent = paths.get(this) ?? ''
    const part = key.slice(0, 100)
    const path = Array.isArray(this) ? `${parent}[${part}]` : parent === '' ? part : `${parent}.${part}`
    paths.set(value, path)
    if (!isEmptied(value)) return value
    const place = path === '' ? '' : ` at ${JSON.stringify(path.slice(0, 300))}`
    throw new Error(`${nameOf(value)}${place}: in JSON it is empty; ${adviceOn(value)}`)
  }
}

/** Whether JSON keeps nothing of what an object holds, because it does not stand in properties of its own. */
function isEmptied(value: object): boolean {
  if (isError(value)) return true
  if (Array.isArray(value) || types.isBoxedPrimitive(value) || Object.keys(value).length > 0) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // A plain object of whatever realm is meant to be empty.
  return typeof prototype === 'object' && prototype !== null && Object.getPrototypeOf(prototype) !== null
}

function adviceOn(value: object): string {
  if (types.isPromise(value)) return 'await it first'
  if (types.isMap(value)) return 'return Object.fromEntries(map)'
  if (types.isSet(value)) return 'return [...set]'
  return 'return text, or a plain object with what is to be read'
}

function nameOf(value: unknown): string {
  if (typeof value === 'number') return String(value)
  const maker: unknown = typeof value === 'object' && value !== null ? value.constructor : undefined
  return typeof maker === 'function' && maker.name !== '' ? `an object of the class ${maker.name}` : 'an object'
}
