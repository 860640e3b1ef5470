import { z } from 'zod'
import { dotted, type ConfigIssue, type Path } from './issue.ts'
import { nearest } from '../base/nearest.ts'
import type { RawConfig } from './raw.ts'
import { relationProblems } from './relations.ts'
import { configSchema } from './schema.ts'
import { knownPaths, schemaAt, shapeOf, unwrap } from './schema-paths.ts'

/** Checks section by section, so that a mistake in one does not hide those in another, nor how other keys relate. */
export function checkConfig(raw: RawConfig): readonly ConfigIssue[] {
  const parsed: Record<string, unknown> = {}
  const issues: ConfigIssue[] = []
  for (const [name, schema] of Object.entries(configSchema.shape)) {
    const result = schema.safeParse(raw.root[name])
    if (result.success) parsed[name] = result.data
    else issues.push(...result.error.issues.flatMap((issue) => readIssue(issue, name, raw)))
  }
  for (const key of Object.keys(raw.root)) if (schemaAt([key]) === undefined) issues.push(unknownKey([key], raw))
  for (const { path, message } of relationProblems(parsed)) issues.push(raw.issue(path, message))
  return issues
}

function readIssue(issue: z.core.$ZodIssue, section: string, raw: RawConfig): ConfigIssue[] {
  const path = [section, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))]
  if (issue.code === 'invalid_union') {
    const meant = meantBy(issue, path)
    if (meant !== undefined) {
      return meant.flatMap((one) => readIssue({ ...one, path: [...issue.path, ...one.path] }, section, raw))
    }
  }
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...path, key], raw))
  const value = raw.get(path)
  return [raw.issue(path, issue.message, { suggestion: suggestValue(path, value) ?? suggestGroup(path, value) })]
}

/** What is wrong in a list or a group of several keys, where either may stand: the one that it is. */
function meantBy({ errors }: z.core.$ZodIssueInvalidUnion, path: Path): readonly z.core.$ZodIssue[] | undefined {
  const schema = schemaAt(path)
  if (schema === undefined || Object.keys(shapeOf(schema)).length < 2) return undefined
  return errors.find((issues) => issues.every(({ code, path }) => path.length > 0 || code !== 'invalid_type'))
}

/** A single value where a group belongs: most often it was meant for its first key. */
function suggestGroup(path: Path, value: unknown): string | undefined {
  const schema = schemaAt(path)
  const [first] = Object.keys(schema === undefined ? {} : shapeOf(schema))
  if (first === undefined || typeof value === 'object' || path.some((part) => typeof part === 'number'))
    return undefined
  return `write keys below it, such as ${dotted([...path, first])}`
}

function suggestValue(path: Path, value: unknown): string | undefined {
  const schema = schemaAt(path)
  const inner = schema === undefined ? undefined : unwrap(schema)
  if (!(inner instanceof z.ZodEnum) || typeof value !== 'string') return undefined
  const meant = nearest(value, inner.options.map(String))
  return meant === undefined ? undefined : `did you mean ${meant}?`
}

function unknownKey(path: Path, raw: RawConfig): ConfigIssue {
  return raw.issue(path, 'unknown key', { atKey: true, suggestion: suggestKey(path) })
}

/** The key that was probably meant: one of the same level, or one of another level with this name. */
function suggestKey(path: Path): string | undefined {
  const word = String(path.at(-1))
  const around = path.length === 1 ? configSchema : schemaAt(path.slice(0, -1))
  const meant = nearest(word, Object.keys(around === undefined ? {} : shapeOf(around)))
  if (meant !== undefined) return `did you mean ${meant}?`
  const known = CALLED_ELSEWHERE.get(word.toLowerCase().replaceAll(/[-_]/g, ''))
  return known === undefined ? elsewhere(word) : `did you mean ${known}?`
}

/** The names that other programs of this kind have for our keys, in lower case. */
const CALLED_ELSEWHERE: ReadonlyMap<string, string> = new Map(
  Object.entries({
    apikey: 'clink.key',
    token: 'clink.key',
    apikeyfile: 'clink.keyFile',
    baseurl: 'clink.url',
    apiurl: 'clink.url',
    endpoint: 'clink.url',
    host: 'clink.url',
    workers: 'concurrency',
    threads: 'concurrency',
    parallel: 'concurrency',
    maxattempts: 'retry.attempts',
    retries: 'retry.attempts',
    maxretries: 'retry.attempts',
    loglevel: 'log.level',
    handler: 'handlers.directory',
    database: 'state.directory',
  }),
)

/** The keys of any level that have this name. */
export function elsewhere(word: string): string | undefined {
  const known = knownPaths().filter((path) => path.at(-1) === word)
  return known.length === 0 ? undefined : `there is ${known.map((path) => path.join('.')).join(', ')}`
}
