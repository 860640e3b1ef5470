import { tryTo } from '../../base/try-to.ts'
import { isRecord } from '../../base/record.ts'
import { parsedOnce } from '../../base/repeated-key.ts'
import { CodedError } from '../../base/coded-error.ts'
import type { ParamsOf } from '../../clink/client.ts'
import { operations, type OperationName, type Parameter, type ParameterType } from '../../clink/contract.ts'
import { nearest } from '../../base/nearest.ts'

type Read = (text: string) => unknown

const jsonThat =
  (fits: (value: unknown) => boolean): Read =>
  (text) => {
    const value = tryTo<unknown>(() => parsedOnce(text))
    return fits(value) ? value : undefined
  }
const readTexts = jsonThat((value) => Array.isArray(value) && value.every((item) => typeof item === 'string'))

const readers: Readonly<Record<ParameterType, { readonly read: Read; readonly wanted: string }>> = {
  string: { read: (text) => text, wanted: 'text' },
  integer: { read: (text) => (/^-?\d{1,15}$/.test(text) ? Number(text) : undefined), wanted: 'a whole number' },
  boolean: { read: (text) => (text === 'true' ? true : text === 'false' ? false : undefined), wanted: 'true or false' },
  strings: {
    read: (text) => (text.startsWith('[') ? readTexts(text) : text.split(',').map((part) => part.trim())),
    wanted: 'a list: a,b or ["a","b"]',
  },
  object: { read: jsonThat(isRecord), wanted: 'a JSON object with each key once, as in {"tool":"cli"}' },
  list: { read: jsonThat(Array.isArray), wanted: 'a JSON list, as in [1,2]' },
}

/**
 * The parameters of an operation from `key=value` texts, each read as its row says.
 *
 * @throws {CodedError} USAGE with every problem, one a line.
 */
export function readParameters<N extends OperationName>(operation: N, pairs: readonly string[]): ParamsOf<N> {
  const { parameters } = operations[operation]
  const given = new Map<string, unknown>()
  const problems: string[] = []
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    const name = at < 0 ? pair : pair.slice(0, at)
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined
    if (parameter === undefined) problems.push(unknown(name, Object.keys(parameters)))
    else if (at < 0) problems.push(`${name} has no value: write ${name}=…`)
    else if (given.has(name)) problems.push(`${name} is given twice`)
    else {
      const value = valueOf(parameter, pair.slice(at + 1))
      if (value instanceof CodedError) problems.push(`${name}: ${value.message}`)
      given.set(name, value)
    }
  }
  for (const [name, { required, about }] of Object.entries(parameters)) {
    if (required === true && !given.has(name)) problems.push(`${name} is missing: ${about}`)
  }
  if (problems.length > 0) throw new CodedError('USAGE', problems.map((line) => `${operation}: ${line}`).join('\n'))
  // The rows and the types are held together by the client's tests; each value was read as its row says.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.fromEntries(given) as ParamsOf<N>
}

function valueOf({ type, values }: Parameter, text: string): unknown {
  if (values !== undefined && !values.includes(text)) {
    return new CodedError('USAGE', `${JSON.stringify(text)} is none of ${values.join(', ')}`)
  }
  const { read, wanted } = readers[type]
  return read(text) ?? new CodedError('USAGE', `${JSON.stringify(text)} is not ${wanted}`)
}

function unknown(name: string, known: readonly string[]): string {
  if (known.length === 0) return `it takes no parameters, and ${JSON.stringify(name)} was given`
  const suggestion = nearest(name, known)
  const hint = suggestion === undefined ? `it takes ${known.join(', ')}` : `did you mean ${suggestion}?`
  return `there is no parameter ${JSON.stringify(name)}; ${hint}`
}
