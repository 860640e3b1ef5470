import { inspect } from 'node:util'
import { CodedError } from '../base/coded-error.ts'
import { operations, type OperationName, type Parameter, type ParameterType } from './contract.ts'
import type { Operation } from './operation.ts'
import { isPathPart } from './path-part.ts'
import type { TransportRequest } from './transport.ts'

/** A call in the form in which it travels, and what asking again would mean. */
export interface WireCall extends Pick<TransportRequest, 'method' | 'path' | 'body' | 'line'> {
  readonly operation: OperationName | 'health'
  /** `always`: repeating has the same effect; `unsent`: only what surely was not done; `no`: not even that. */
  readonly repeat: 'always' | 'unsent' | 'no'
  /** It changes something at the service. */
  readonly changes: boolean
}

const accepts: Readonly<Record<ParameterType, readonly [name: string, test: (value: unknown) => boolean]>> = {
  string: ['a text', (value) => typeof value === 'string'],
  integer: ['a whole number', Number.isSafeInteger],
  boolean: ['true or false', (value) => typeof value === 'boolean'],
  strings: ['a list of texts', (value) => Array.isArray(value) && value.every((item) => typeof item === 'string')],
  object: ['an object', (value) => typeof value === 'object' && !Array.isArray(value)],
  list: ['a list', Array.isArray],
}

/**
 * The request of an operation. Undefined and null parameters are left out.
 *
 * @throws {CodedError} USAGE for unknown, missing and unusable parameters, with their names and values.
 */
export function wireCall(operation: OperationName, params: Readonly<Record<string, unknown>>): WireCall {
  if (!Object.hasOwn(operations, operation)) throw new CodedError('USAGE', `there is no operation ${operation}`)
  const row = rowOf(operation)
  const given = check(operation, row, params)
  let path = row.start
  for (const { after, name } of row.places) path += segment(operation, name, given[name]) + after
  let query = ''
  const body: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    const parameter = row.parameters[name]
    if (parameter?.in === 'body') body[name] = value
    if (parameter?.in === 'query' && !isDefaultFalse(parameter, value))
      query += `${query === '' ? '?' : '&'}${name}=${encode(operation, name, value)}`
  }
  const writes = row.writesWhen !== undefined && given[row.writesWhen] === true
  const repeat = row.repeat === 'safe' || row.repeat === 'idempotent' ? 'always' : 'unsent'
  return {
    operation,
    method: row.method,
    path: path + query,
    ...(row.method === 'GET' || row.body === false ? {} : { body: json(operation, body) }),
    repeat: writes ? 'no' : repeat,
    changes: writes || row.repeat !== 'safe',
    ...lineOf(operation, writes),
  }
}

/** A row of the contract with what each of its calls needs. */
interface Row extends Operation {
  /** The path up to its first parameter, and each with what stands between it and the next. */
  readonly start: string
  readonly places: readonly { readonly name: string; readonly after: string }[]
  readonly required: readonly string[]
}

const rows = new Map<OperationName, Row>()

function rowOf(operation: OperationName): Row {
  const known = rows.get(operation)
  if (known !== undefined) return known
  const row: Operation = operations[operation]
  const [start = '', ...parts] = row.path.split('{')
  const places = parts.map((part) => {
    const [name = '', after = ''] = part.split('}')
    return { name, after }
  })
  const required = Object.entries(row.parameters).flatMap(([name, one]) => (one.required === true ? [name] : []))
  const made = { ...row, start, places, required }
  rows.set(operation, made)
  return made
}

/** Whether the call is one of those that a worker's work is made of. */
function lineOf(operation: OperationName, claims: boolean): Pick<WireCall, 'line'> {
  if (operation === 'check_inbox') return { line: claims ? 'poll' : 'look' }
  const line = LINES[operation]
  return line === undefined ? {} : { line }
}

const LINES: { readonly [Name in OperationName]?: NonNullable<WireCall['line']> } = {
  claim_clink: 'claim',
  complete_clink: 'complete',
  release_clink: 'release',
}

function check(
  operation: OperationName,
  { parameters, required }: Row,
  params: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const given: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(params ?? {})) {
    if (value === undefined || value === null) continue
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined
    if (parameter === undefined) throw refuse(operation, name, value, 'is not a parameter of it')
    const [type, test] = accepts[parameter.type]
    if (!test(value)) throw refuse(operation, name, value, `must be ${type}`)
    given[name] = value
  }
  for (const name of required) {
    if (!Object.hasOwn(given, name)) throw new CodedError('USAGE', `${operation}: the parameter ${name} is missing`)
    // An empty id would name another resource, an empty slug all groups.
    if (parameters[name]?.in !== 'body' && given[name] === '') throw refuse(operation, name, '', 'must not be empty')
  }
  return given
}

/** The service takes a flag that is left out as false, unless its row says otherwise. */
function isDefaultFalse(parameter: Parameter, value: unknown): boolean {
  return value === false && parameter.default !== 'true'
}

function segment(operation: OperationName, name: string, value: unknown): string {
  if (!isPathPart(String(value))) throw refuse(operation, name, value, 'is not an id')
  return encode(operation, name, value)
}

function encode(operation: OperationName, name: string, value: unknown): string {
  const text = String(value)
  if (!text.isWellFormed()) throw refuse(operation, name, value, 'is not well-formed text')
  return encodeURIComponent(text)
}

function json(operation: OperationName, body: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(body)
  } catch (cause) {
    throw new CodedError('USAGE', `${operation}: the parameters cannot be written as JSON`, { cause })
  }
}

function refuse(operation: OperationName, name: string, value: unknown, why: string): CodedError {
  const shown = typeof value === 'string' ? JSON.stringify(value) : inspect(value, { depth: 1, breakLength: Infinity })
  const short = shown.length > 80 ? `${shown.slice(0, 79)}…` : shown
  return new CodedError('USAGE', `${operation}: the parameter ${name} ${why}: ${short}`)
}
