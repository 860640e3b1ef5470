import { isNode, LineCounter, parseDocument, type Document } from 'yaml'
import { z } from 'zod'
import { CodedError } from '../base/coded-error.ts'
import { show } from './intake/input.ts'
import { didYouMean } from '../base/nearest.ts'

type Path = readonly PropertyKey[]
type LineOf = (path: Path) => number | undefined

/** A text of YAML or JSON as the schema says, or a CodedError with a line for each problem: file, line, place, value. */
export function checkedFile<T>(text: string, file: string, schema: z.ZodType<T>): T {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, stringKeys: true, prettyErrors: false })
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ pos, message }) => `${file}:${lines.linePos(pos[0]).line}: ${message}`)
    throw new CodedError('FILE_INVALID', problems.join('\n'))
  }
  return checkedValue(document.toJS(), file, schema, (path) => lineOf(document, lines, path))
}

/** The same for a value that came from code or from a request. */
export function checkedValue<T>(
  data: unknown,
  source: string,
  schema: z.ZodType<T>,
  line: LineOf = () => undefined,
): T {
  const result = schema.safeParse(data)
  if (result.success) return result.data
  const problems = result.error.issues.flatMap((issue) => {
    const say = (path: Path, words: string): string => {
      const at = line(path)
      return `${source}${at === undefined ? '' : `:${at}`}: ${pathText(path)}: ${words}`
    }
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => say([...issue.path, key], `unknown key${didYouMean(key, keysOf(schema))}`))
    }
    const value = valueAt(data, issue.path)
    if (issue.code === 'invalid_value' && typeof value === 'string') {
      const known = issue.values.map(String)
      return say(
        issue.path,
        `${show(value)} is not known${didYouMean(value, known) || `: it takes ${known.join(', ')}`}`,
      )
    }
    if (issue.code === 'invalid_type' && value === undefined) return say(issue.path, 'is missing')
    return say(issue.path, `${issue.message} (got ${show(value)})`)
  })
  throw new CodedError('FILE_INVALID', problems.join('\n'))
}

/** The line of the nearest thing that exists. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: Path): number | undefined {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
  }
  return undefined
}

function pathText(path: Path): string {
  const text = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
  return text.replace(/^\./, '') || 'the whole'
}

function valueAt(data: unknown, path: Path): unknown {
  let value = data
  for (const step of path) value = typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined
  return value
}

/** All keys that occur anywhere in a schema. */
function keysOf(schema: z.ZodType): readonly string[] {
  const keys: string[] = []
  const look = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return
    if ('properties' in part) keys.push(...Object.keys(Object(part.properties)))
    for (const inner of Object.values(part)) look(inner)
  }
  look(z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' }))
  return keys
}
