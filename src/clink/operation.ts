/**
 * What a repeated request means when the answer to the first did not arrive.
 *
 * - `safe`: a read; ask again.
 * - `idempotent`: has the same effect twice; ask again.
 * - `session`: idempotent for one session at best; only the caller can know whether to ask again.
 * - `never`: repeating may do it twice; the caller is told that it may have happened.
 */
export type Repeat = 'safe' | 'idempotent' | 'session' | 'never'

/** `object` and `list` are given as JSON on the command line, `strings` also comma-separated. */
export type ParameterType = 'string' | 'integer' | 'boolean' | 'strings' | 'object' | 'list'

export interface Parameter {
  readonly in: 'path' | 'query' | 'body'
  readonly type: ParameterType
  readonly required?: true
  /** What the service takes where the parameter is left out, for people. */
  readonly default?: string
  /** The values that the service knows, where it knows a closed list. */
  readonly values?: readonly string[]
  /** Largest length of a text in characters. */
  readonly maxLength?: number
  readonly about: string
}

export interface Operation {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** `{name}` is replaced by the percent-encoded path parameter of that name. */
  readonly path: string
  readonly parameters: Readonly<Record<string, Parameter>>
  readonly repeat: Repeat
  /** A query parameter that turns this read into one that must never be asked again by itself. */
  readonly writesWhen?: string
  /** False: the request carries no body at all, not even `{}`. */
  readonly body?: false
  readonly about: string
}

type Parameters = Operation['parameters']

/** The ids in a path, and the place of a checkpoint. */
function parametersOf(path: string): Parameters {
  const names = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = '']) => name)
  return Object.fromEntries(names.map((name) => [name, name === 'order' ? order : id(name.replace('_id', ''))]))
}

const id = (what: string): Parameter => ({ in: 'path', type: 'string', required: true, about: `Id of the ${what}.` })
const order: Parameter = { in: 'path', type: 'integer', required: true, about: 'Position of the checkpoint, from 1.' }

/** A row. The parameters in its path are not said again: what they are is in their names. */
function operation(
  method: Operation['method'],
  path: string,
  repeat: Repeat,
  about: string,
  parameters: Parameters = {},
): Operation {
  return { method, path, parameters: { ...parametersOf(path), ...parameters }, repeat, about }
}

export const get = (path: string, about: string, parameters?: Parameters): Operation =>
  operation('GET', path, 'safe', about, parameters)
export const post = (path: string, repeat: Repeat, about: string, parameters?: Parameters): Operation =>
  operation('POST', path, repeat, about, parameters)
export const patch = (path: string, about: string, parameters?: Parameters): Operation =>
  operation('PATCH', path, 'idempotent', about, parameters)
/** Removes what the path names, without a body. */
export const remove = (path: string, about: string): Operation => ({
  ...operation('DELETE', path, 'never', about),
  body: false,
})

export const query = (about: string, type: ParameterType = 'string', fallback?: string): Parameter =>
  fallback === undefined ? { in: 'query', type, about } : { in: 'query', type, about, default: fallback }
export const body = (about: string, type: ParameterType = 'string'): Parameter => ({ in: 'body', type, about })
export const need = (about: string, type: ParameterType = 'string'): Parameter => ({
  in: 'body',
  type,
  about,
  required: true,
})
export const oneOf = (where: 'query' | 'body', values: readonly string[], about: string): Parameter => ({
  in: where,
  type: 'string',
  values,
  about,
})
export const hilExpiry = body('Seconds that a human approver has, 60 to 172800 (300).', 'integer')
export const listLimit = (fallback: string) => query('How many at most.', 'integer', fallback)
