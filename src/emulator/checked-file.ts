import { LineCounter, parseDocument, type Document, type Node } from 'yaml'
import type { z } from 'zod'
import { CodedError } from '../base/coded-error.ts'
import { didYouMean } from './suggest.ts'

type Path = readonly PropertyKey[]

/** Where a problem is: the key itself for an unknown key, otherwise the nearest thing that exists. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: Path): number | undefined {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true) as Partial<Node> | undefined
    const start = node?.range?.[0]
    if (start !== undefined) return lines.linePos(start).line
  }
  return undefined
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

function pathText(path: Path): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '')
}

function knownKeys(schema: z.ZodType): readonly string[] {
  return 'shape' in schema && typeof schema.shape === 'object' && schema.shape !== null ? Object.keys(schema.shape) : []
}

/** A text of YAML or JSON as the schema says, or a CodedError with a line for each problem: file, line, place, value. */
export function checkedFile<T>(text: string, file: string, schema: z.ZodType<T>): T {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, stringKeys: true })
  if (document.errors.length > 0) {
    const problems = document.errors.map(
      (error) =>
        `${file}:${lines.linePos(error.pos[0]).line}: ${error.message.split('\n')[0]?.replace(/ at line.*$/, '')}`,
    )
    throw new CodedError('FILE_INVALID', problems.join('\n'))
  }
  const data = document.toJS() as unknown
  return checkedValue(data, file, schema, (path) => lineOf(document, lines, path))
}

/** The same for a value that came from code or from a request. */
export function checkedValue<T>(
  data: unknown,
  source: string,
  schema: z.ZodType<T>,
  line: (path: Path) => number | undefined = () => undefined,
): T {
  const result = schema.safeParse(data)
  if (result.success) return result.data
  const problems = result.error.issues.flatMap((issue) => {
    const say = (path: Path, words: string): string => {
      const at = line(path)
      return `${source}${at === undefined ? '' : `:${at}`}: ${pathText(path) || 'the whole'}: ${words}`
    }
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) =>
        say([...issue.path, key], `unknown key${didYouMean(key, knownKeys(schemaAt(schema, issue.path)))}`),
      )
    }
    return say(issue.path, `${issue.message} (got ${shown(valueAt(data, issue.path))})`)
  })
  throw new CodedError('FILE_INVALID', problems.join('\n'))
}

function valueAt(data: unknown, path: Path): unknown {
  let value = data
  for (const step of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[step]
  return value
}

/** The schema of a place inside, through lists and optional parts. */
function schemaAt(schema: z.ZodType, path: Path): z.ZodType {
  let at: unknown = schema
  const inner = (): void => {
    while (at !== undefined && at !== null && !('shape' in (at as object)) && !('element' in (at as object))) {
      const definition = (at as { def?: { innerType?: unknown } }).def
      if (definition?.innerType === undefined) return
      at = definition.innerType
    }
  }
  for (const step of path) {
    inner()
    const place = at as { shape?: Record<PropertyKey, unknown>; element?: unknown } | undefined
    at = typeof step === 'number' ? place?.element : place?.shape?.[step]
  }
  inner()
  return at as z.ZodType
}
