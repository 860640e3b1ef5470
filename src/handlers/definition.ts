import { z } from 'zod'
import { parseDuration } from '../base/duration.ts'
import { dotted, showValue } from '../config/issue.ts'
import { isRecord } from '../base/record.ts'
import { nearest } from '../base/nearest.ts'
import { flag, limitRules, matchRule, oneOf, regularExpression, retryRule, verbatim } from '../config/values.ts'
import { boundTo, defaultOf } from './exported.ts'
import type { HandleFunction } from './handler.ts'

/** What a handler file says, checked. Times in milliseconds. */
export type Definition = z.output<typeof schema>

/** What it says beside its function: plain data. */
export type Rules = Omit<Definition, 'handle'>

/** Without its function where only threads have loaded it. */
export type LoadedDefinition = Rules & Partial<Pick<Definition, 'handle'>>

export type Checked = { readonly definition: Definition } | { readonly problems: readonly string[] }

const DURATION = 'is not a duration; write 250ms, 30s, 5m, 1h, or milliseconds'
const EXAMPLE = 'write export default defineHandler({ async handle(clink, ctx) { … } })'

const duration = z.union([z.string(), z.number()], { error: DURATION }).transform((value, context) => {
  const ms = typeof value === 'string' ? parseDuration(value) : value
  if (ms !== undefined && Number.isFinite(ms) && ms > 0) return ms
  context.issues.push({ code: 'custom', input: value, message: DURATION })
  return z.NEVER
})

const content = z.union(
  [z.instanceof(RegExp), z.strictObject({ prefix: verbatim() }), z.strictObject({ regex: regularExpression() })],
  { error: 'is neither a regular expression nor { prefix } nor { regex }' },
)

const schema = z.strictObject({
  match: matchRule(content, "{ group: 'ops', content: /^deploy/ }").exactOptional(),
  timeout: duration.exactOptional(),
  idle: duration.exactOptional(),
  retry: retryRule(duration).exactOptional(),
  ...limitRules(),
  renewFirst: flag().exactOptional(),
  passKey: flag().exactOptional(),
  mark: oneOf(['auto', 'never']).exactOptional(),
  runner: oneOf(['inline', 'thread']).exactOptional(),
  handle: z.custom<HandleFunction>((value) => typeof value === 'function', { error: 'is not a function' }),
})

/** Checks the exports of a handler module. */
export function checkModule(module: unknown): Checked {
  const exports = new Map(Object.entries(Object(module)))
  if (!exports.has('default')) {
    const named = ['handler', 'handle'].find((name) => exports.has(name))
    if (named !== undefined)
      return { problems: [`has no default export (${named} is exported by its name); ${EXAMPLE}`] }
    return { problems: [`has no default export; ${EXAMPLE}, or begin its name with _ if it is there for other files`] }
  }
  return checkDefinition(defaultOf(exports.get('default')))
}

function checkDefinition(value: unknown): Checked {
  if (isHandle(value)) return { definition: { handle: value } }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Promise) {
    return { problems: [`the default export is ${kindOf(value)}, not a function or a definition; ${EXAMPLE}`] }
  }
  if (!('handle' in value)) return { problems: [`the definition has no handle${misspelt(value)}; ${EXAMPLE}`] }
  const result = schema.safeParse(value)
  if (!result.success) return { problems: result.error.issues.flatMap((issue) => problemsOf(issue, value)) }
  const { handle, ...settings } = result.data
  return { definition: { ...settings, handle: boundTo(value, handle) } }
}

function problemsOf(issue: z.core.$ZodIssue, definition: object): readonly string[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)))
  if (issue.code === 'invalid_union') {
    // The alternative that was meant is the one that came as far as looking at the text.
    const meant = issue.errors.flat().find(({ code, path }) => code === 'custom' && path.length > 0)
    if (meant === undefined && isRecord(Reflect.get(definition, String(path[0])))) {
      // Of a limit with a scope it is the group.
      const [, group] = issue.errors
      const of = path.length === 1 && ['rate', 'serial'].includes(String(path[0])) ? group : undefined
      if (of !== undefined)
        return of.flatMap((one) => problemsOf({ ...one, path: [...issue.path, ...one.path] }, definition))
    }
    if (meant !== undefined) return problemsOf({ ...meant, path: [...issue.path, ...meant.path] }, definition)
  }
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownField([...path, key]))
  let value: unknown = definition
  for (const part of path) value = Reflect.get(Object(value), part)
  return [`${dotted(path)}: ${value instanceof RegExp ? String(value) : showValue(value)} ${issue.message}`]
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(schema.shape),
  match: ['group', 'from', 'for', 'content'],
  retry: ['attempts', 'backoff', 'maxBackoff'],
  rate: ['limit', 'scope'],
  serial: ['by', 'scope'],
}

function unknownField(path: readonly (string | number)[]): string {
  const key = String(path.at(-1))
  const meant = nearest(key, FIELDS[dotted(path.slice(0, -1))] ?? [])
  return `${dotted(path)}: unknown field${meant === undefined ? '' : `; did you mean ${meant}?`}`
}

function misspelt(value: object): string {
  const meant = Object.keys(value).find((key) => nearest(key, ['handle']) !== undefined)
  return meant === undefined ? '' : `, but ${meant}`
}

function isHandle(value: unknown): value is HandleFunction {
  return typeof value === 'function' && !isClass(value)
}

function isClass(value: unknown): boolean {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value))
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (isClass(value)) return 'a class'
  if (value instanceof Promise) return 'a promise'
  if (Array.isArray(value)) return 'a list'
  return `${typeof value === 'object' ? 'an object' : `a ${typeof value}`} (${showValue(value)})`
}
