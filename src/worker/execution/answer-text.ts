import { types } from 'node:util'
import { isError } from '../../base/coded-error.ts'

/**
 * What a handler answers, as the text that is sent: text as it is, everything else as JSON; undefined: nothing. What JSON would turn into
 * `{}` or `null` without a word is refused: whoever asked would take that for the answer.
 *
 * @throws {Error} that says what cannot be sent, and where it stands.
 */
export function answerText(answer: unknown): string | undefined {
  if (answer === undefined || answer === null || answer === '') return undefined
  if (typeof answer === 'string') return answer
  const json: unknown = JSON.stringify(answer, refuseEmptied)
  if (typeof json !== 'string') throw new Error(`a ${typeof answer}: return text, or what JSON can hold`)
  if (json === 'null') throw new Error(`${nameOf(answer)}: in JSON it is null`)
  return json
}

/** Called with each value after its own `toJSON`: what says itself how it reads in JSON is taken at its word. */
function refuseEmptied(key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !isEmptied(value)) return value
  const place = key === '' ? '' : ` at ${JSON.stringify(key.slice(0, 100))}`
  throw new Error(`${nameOf(value)}${place}: in JSON it is empty; ${adviceOn(value)}`)
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
