import type { Operation, Parameter } from '../../clink/contract.ts'
import { Refusal } from '../refusal.ts'

/** The parameters of a request, already of the types that the operation's row states. */
export class Input {
  readonly #values: ReadonlyMap<string, unknown>

  constructor(values: ReadonlyMap<string, unknown>) {
    this.#values = values
  }

  /** A required text; the row guarantees it. */
  text(name: string): string {
    return this.maybeText(name) ?? ''
  }

  maybeText(name: string): string | undefined {
    const value = this.#values.get(name)
    return typeof value === 'string' ? value : undefined
  }

  integer(name: string): number | undefined {
    const value = this.#values.get(name)
    return typeof value === 'number' ? value : undefined
  }

  flag(name: string): boolean | undefined {
    const value = this.#values.get(name)
    return typeof value === 'boolean' ? value : undefined
  }

  list(name: string): readonly unknown[] | undefined {
    const value = this.#values.get(name)
    return Array.isArray(value) ? value : undefined
  }

  texts(name: string): readonly string[] | undefined {
    return this.list(name)?.filter((item) => typeof item === 'string')
  }

  object(name: string): Readonly<Record<string, unknown>> | undefined {
    const value = this.#values.get(name)
    return isObject(value) ? value : undefined
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads and checks one parameter at a time by the row; the first that does not fit is a 400 that names it and its value. */
export function readInput(
  operation: Operation,
  given: { readonly path: ReadonlyMap<string, string>; readonly query: URLSearchParams; readonly body: unknown },
): Input {
  const body = given.body ?? {}
  if (!isObject(body)) throw new Refusal(400, `The body must be a JSON object, not ${show(body)}`)
  const values = new Map<string, unknown>()
  for (const [name, parameter] of Object.entries(operation.parameters)) {
    const raw =
      parameter.in === 'path' ? given.path.get(name) : parameter.in === 'query' ? given.query.get(name) : body[name]
    if (raw === undefined || raw === null) {
      if (parameter.required) throw new Refusal(400, `"${name}" is required`)
      continue
    }
    values.set(name, check(name, parameter, raw))
  }
  return new Input(values)
}

function check(name: string, parameter: Parameter, raw: unknown): unknown {
  const value = parameter.in === 'body' ? raw : fromText(parameter, raw)
  const wanted = wants(parameter, value)
  if (wanted !== undefined) throw new Refusal(400, `"${name}" must be ${wanted}, not ${show(raw)}`)
  if (parameter.values !== undefined && !parameter.values.includes(String(value))) {
    throw new Refusal(400, `"${name}" must be one of ${parameter.values.join(', ')}, not ${show(raw)}`)
  }
  if (parameter.required && value === '') throw new Refusal(400, `"${name}" must not be empty`)
  return value
}

/** Paths and queries carry texts only. */
function fromText(parameter: Parameter, raw: unknown): unknown {
  if (parameter.type === 'integer') return /^-?\d{1,15}$/.test(String(raw)) ? Number(raw) : undefined
  if (parameter.type === 'boolean') return raw === 'true' ? true : raw === 'false' ? false : undefined
  return raw
}

/** What a value should have been, when it is not. */
function wants(parameter: Parameter, value: unknown): string | undefined {
  switch (parameter.type) {
    case 'string':
      return typeof value === 'string' ? undefined : 'a text'
    case 'integer':
      return Number.isSafeInteger(value) ? undefined : 'a whole number'
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'true or false'
    case 'strings':
      return Array.isArray(value) && value.every((item) => typeof item === 'string') ? undefined : 'a list of texts'
    case 'object':
      return isObject(value) ? undefined : 'an object'
    case 'list':
      return Array.isArray(value) ? undefined : 'a list'
  }
}

/** A value for an error message, short enough to be one. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined'
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

/** An integer within bounds, or the fallback where none is given; 400 outside of them. */
export function within(input: Input, name: string, bounds: { min: number; max?: number; otherwise: number }): number {
  const value = input.integer(name) ?? bounds.otherwise
  if (value < bounds.min || value > (bounds.max ?? Infinity)) {
    const range = bounds.max === undefined ? `at least ${bounds.min}` : `from ${bounds.min} to ${bounds.max}`
    throw new Refusal(400, `"${name}" must be ${range}, not ${value}`)
  }
  return value
}
