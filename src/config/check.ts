import { z } from 'zod'
import { dotted, type ConfigIssue, type Path } from './issue.ts'
import { nearest } from '../base/nearest.ts'
import { isRecord } from '../base/record.ts'
import { RawConfig } from './raw.ts'
import { relationProblems } from './relations.ts'
import { configSchema } from './schema.ts'
import { knownPaths, schemaAt, shapeOf, unwrap } from './schema-paths.ts'

/** Groups within groups. */
const MOST_LEVELS = 8

/**
 * Checks section by section, so that a mistake in one does not hide those in another, nor how correct keys relate.
 *
 * @param isShared the address of a shared store comes from elsewhere.
 */
export function checkConfig(raw: RawConfig, isShared = false): readonly ConfigIssue[] {
  const parsed: Record<string, unknown> = {}
  const issues: ConfigIssue[] = []
  const wrong: Path[] = []
  for (const [name, schema] of Object.entries(configSchema.shape)) {
    const result = schema.safeParse(raw.root[name])
    if (result.success) parsed[name] = result.data
    else {
      const correct = correctPart(schema, raw.root[name], name)
      wrong.push(...correct.wrong)
      parsed[name] = correct.data
      issues.push(...result.error.issues.flatMap((issue) => readIssue(issue, name, raw)))
    }
  }
  for (const key of Object.keys(raw.root)) if (schemaAt([key]) === undefined) issues.push(unknownKey([key], raw))
  for (const { about, path, message } of relationProblems(parsed, isShared))
    if (!about.some((one) => wrong.some((other) => isWithin(one, other)))) issues.push(raw.issue(path, message))
  return issues
}

/** What is wrong, as far as it can be left out: an item of a list takes the list with it. */
function wrongPaths(issue: z.core.$ZodIssue, section: string): Path[] {
  const path: Path = [section, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))]
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => [...path, key])
  const end = path.findLastIndex((part) => typeof part === 'string')
  return [path.slice(0, end + 1)]
}

/** With the defaults in place of what is wrong, so that the rest can be looked at. What is left of a group may be wrong as well. */
function correctPart(schema: z.ZodType, section: unknown, name: string) {
  const wrong: Path[] = []
  for (let tries = 0; tries < MOST_LEVELS; tries += 1) {
    const { data, error } = schema.safeParse(without(wrong, section, name))
    if (error === undefined) return { data, wrong }
    wrong.push(...error.issues.flatMap((issue) => wrongPaths(issue, name)))
  }
  return { data: undefined, wrong }
}

function without(paths: readonly Path[], section: unknown, name: string): unknown {
  if (paths.some((path) => path.length === 1)) return undefined
  const nowhere = { where: '', base: '' }
  const copy = new RawConfig(nowhere)
  copy.override([name], structuredClone(section), nowhere)
  for (const path of paths) {
    const parent = copy.get(path.slice(0, -1))
    if (typeof parent === 'object' && parent !== null) Reflect.deleteProperty(parent, path.at(-1) ?? '')
  }
  return copy.root[name]
}

/** Whether one of them is the other, or stands in it. */
function isWithin(one: Path, other: Path): boolean {
  const length = Math.min(one.length, other.length)
  return one.slice(0, length).every((part, index) => part === other[index])
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
  // Of a word in whose place a group may stand: what is wrong with the group.
  const inGroup = issue.code === 'invalid_value' && isRecord(value) ? groupAt(path)?.safeParse(value).error?.issues : []
  if (inGroup !== undefined && inGroup.length > 0)
    return inGroup.flatMap((one) => readIssue({ ...one, path: [...issue.path, ...one.path] }, section, raw))
  return [raw.issue(path, issue.message, { suggestion: suggestValue(path, value) ?? suggestGroup(path, value) })]
}

function groupAt(path: Path): z.ZodObject | undefined {
  const schema = schemaAt(path)
  const outer = schema === undefined ? undefined : unwrap(schema)
  return outer instanceof z.ZodUnion ? outer.options.find((one) => one instanceof z.ZodObject) : undefined
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
  const outer = schema === undefined ? undefined : unwrap(schema)
  const inner = outer instanceof z.ZodUnion ? outer.options.find((one) => one instanceof z.ZodEnum) : outer
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
