import { types } from 'node:util'
import { isError } from '../base/coded-error.ts'

/**
 * A value of a handler as JSON. What JSON would turn into `{}` or `null` without a word is refused: whoever reads it would take that for the
 * value.
 *
 * @throws {Error} that says what JSON cannot hold, and where it stands.
 */
export function jsonText(value: unknown): string {
  const json: unknown = JSON.stringify(value, refuseEmptied())
  if (typeof json !== 'string') throw new Error(`a ${typeof value}: return text, or what JSON can hold`)
  if (json === 'null' && value !== null) throw new Error(`${nameOf(value)}: in JSON it is null`)
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
