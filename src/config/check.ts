import { z } from 'zod'
import type { ConfigIssue, Path } from './issue.ts'
import { nearest } from '../base/nearest.ts'
import type { RawConfig } from './raw.ts'
import { relationProblems } from './relations.ts'
import { configSchema, knownPaths, schemaAt, shapeOf, unwrap } from './schema.ts'

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
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...path, key], raw))
  return [raw.issue(path, issue.message, { ...suggestValue(path, raw.get(path)) })]
}

function suggestValue(path: Path, value: unknown): { readonly suggestion?: string } {
  const schema = schemaAt(path)
  const inner = schema === undefined ? undefined : unwrap(schema)
  if (!(inner instanceof z.ZodEnum) || typeof value !== 'string') return {}
  const meant = nearest(value, inner.options.map(String))
  return meant === undefined ? {} : { suggestion: `did you mean ${meant}?` }
}

function unknownKey(path: Path, raw: RawConfig): ConfigIssue {
  const suggestion = suggestKey(path)
  return raw.issue(path, 'unknown key', { atKey: true, ...(suggestion !== undefined && { suggestion }) })
}

/** The key that was probably meant: one of the same level, or one of another level with this name. */
function suggestKey(path: Path): string | undefined {
  const word = String(path.at(-1))
  const around = path.length === 1 ? configSchema : schemaAt(path.slice(0, -1))
  const meant = nearest(word, Object.keys(around === undefined ? {} : shapeOf(around)))
  return meant === undefined ? elsewhere(word) : `did you mean ${meant}?`
}

/** The keys of any level that have this name. */
export function elsewhere(word: string): string | undefined {
  const known = knownPaths().filter((path) => path.at(-1) === word)
  return known.length === 0 ? undefined : `there is ${known.map((path) => path.join('.')).join(', ')}`
}
