import { dirname } from 'node:path'
import {
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Alias,
  type Document,
  type ErrorCode,
  type Range,
  type Scalar,
  type YAMLMap,
} from 'yaml'
import { cutText } from '../base/cut-text.ts'
import { isRecord } from '../base/record.ts'
import { ConfigError, dotted, isSecret, type ConfigIssue, type Path } from './issue.ts'
import { RawConfig, setOwn, type Place, type RawMap } from './raw.ts'
import { isBlank, substitute } from './substitute.ts'
import { meansNull } from './schema-paths.ts'

const NO_KEYS = 'the file must hold keys and values, as "concurrency: 10" (with a blank after the colon)'
/** Of the parser, in characters. */
const LONGEST_MESSAGE = 200
/** Aliases can make a small file enormous. */
const MOST_NODES = 20_000
const DEEPEST = 50
/** Of groups and lists. More than aliases lead through, so that one which holds itself is called that. */
const MOST_LEVELS = 2 * DEEPEST

/** What the parser says to programmers, for those who write configurations. */
const WORDS: { readonly [Code in ErrorCode]?: string } = {
  MULTIPLE_DOCS: 'the file must hold one document, without --- between parts',
  NON_STRING_KEY: 'a key must be text',
  TAB_AS_INDENT: 'a line must not begin with a tab; write spaces',
  BLOCK_AS_IMPLICIT_KEY:
    'this value is followed by another key; keys of one group begin in the same column, and a text with ": " in it needs quotes',
}
/** Said of each line behind the place where the parser has lost its way. */
const OUTSIDE = 'token in YAML stream'
const TOO_DEEP = 'lists or groups are nested too deeply'
const OVERFLOW: Readonly<Record<string, string>> = { 'Maximum call stack size exceeded': TOO_DEEP }

/** Reads the text of a configuration file. Values from the environment are put in after parsing, so they cannot add keys. */
export function readYaml(text: string, file: string, env: NodeJS.ProcessEnv) {
  const reader = new YamlReader(text, file, env)
  return { raw: reader.read(), issues: reader.issues, keyVariables: reader.keyVariables }
}

class YamlReader {
  readonly issues: ConfigIssue[] = []
  /** The variables that the API key is taken from. */
  readonly keyVariables: string[] = []
  readonly #lines = new LineCounter()
  readonly #document: Document.Parsed
  readonly #text: string
  readonly #file: string
  readonly #env: NodeJS.ProcessEnv
  readonly #raw: RawConfig
  #nodes = 0

  constructor(text: string, file: string, env: NodeJS.ProcessEnv) {
    this.#text = text
    this.#file = file
    this.#env = env
    this.#raw = new RawConfig(this.#place(undefined))
    // Pretty errors quote lines of the file, which may hold the key.
    // Keys that occur twice are found here: the parser compares each with all, which takes minutes in a large file, and does not name them.
    const options = { stringKeys: true, prettyErrors: false, uniqueKeys: false }
    this.#document = parseDocument(text, { ...options, lineCounter: this.#lines })
  }

  read(): RawConfig {
    const { contents, errors, warnings } = this.#document
    for (const { code, message, pos } of [...errors, ...warnings]) {
      const said = WORDS[code] ?? OVERFLOW[message] ?? unquoted(message)
      if (said.endsWith(OUTSIDE) && this.issues.length > 0) continue
      this.#issue(this.#place([pos[0], pos[1], pos[1]]), [], `${said}${this.#hint(pos[0])}`)
    }
    const root = contents === null ? {} : this.#value(contents, [])
    if (isRecord(root)) this.#raw.fill(root)
    else if (root !== null && root !== undefined) this.#issue(this.#place(contents?.range), [], NO_KEYS)
    return this.#raw
  }

  /** In a group in braces, the brace of a reference would begin another group. */
  #hint(position: number): string {
    const isReference = this.#text.startsWith('${', position - 1)
    return isReference ? '; inside { } a reference must be quoted, or the group written on lines of its own' : ''
  }

  #value(node: unknown, path: Path): unknown {
    this.#nodes += 1
    if (this.#nodes > MOST_NODES) {
      this.#issue(this.#place(rangeOf(node)), path, `the file has more than ${MOST_NODES} values, aliases included`)
      // What was not read is not wrong.
      throw new ConfigError(this.issues)
    }
    if (path.length === 0) this.#raw.locate([], { value: this.#place(rangeOf(node)) })
    if (isAlias(node)) return this.#alias(node, path)
    if (path.length > MOST_LEVELS && isCollection(node)) {
      this.#issue(this.#place(node.range), [], TOO_DEEP)
      return undefined
    }
    if (isMap(node)) return this.#map(node, path)
    if (isSeq(node)) {
      return node.items.map((item, index) => {
        this.#raw.locate([...path, index], { value: this.#place(rangeOf(item)) })
        return this.#value(item, [...path, index])
      })
    }
    return isScalar(node) ? this.#scalar(node, path) : undefined
  }

  #alias(alias: Alias, path: Path): unknown {
    const target = alias.resolve(this.#document)
    if (target !== undefined && path.length <= DEEPEST) return this.#value(target, path)
    const place = this.#place(alias.range)
    if (target === undefined) this.#issue(place, path, `the alias *${alias.source} has no anchor`)
    else this.#issue(place, [], `the alias *${alias.source} holds itself`)
    return undefined
  }

  #map(map: YAMLMap, path: Path): RawMap {
    const result: RawMap = {}
    const seen = new Set<string>()
    for (const { key, value } of map.items) {
      if (!isScalar(key)) continue
      const name = String(key.value)
      const at = [...path, name]
      const keyPlace = this.#place(key.range)
      if (seen.has(name)) this.#issue(keyPlace, [], `${dotted(at)} is there twice; keys must be unique`)
      seen.add(name)
      this.#raw.locate(at, { key: keyPlace, value: isNode(value) ? this.#place(value.range) : keyPlace })
      const read = this.#value(value, at)
      // An empty value means the default, except among the values that are passed on to a handler as they are.
      const isSaid = read !== null || path.includes('with') || (isWritten(value) && meansNull(at))
      if (read !== undefined && isSaid) setOwn(result, name, read)
    }
    return result
  }

  #scalar(scalar: Scalar, path: Path): unknown {
    const { type, value } = scalar
    if (typeof value !== 'string' || !value.includes('$')) return value
    if (isUnsetKey(path, value, this.#env)) return undefined
    const place = { ...this.#place(scalar.range), written: JSON.stringify(value) }
    const result = substitute(value, this.#env)
    if ('problem' in result) {
      this.#issue(place, path, result.problem, place.written)
      return undefined
    }
    if (result.variables.length > 0) this.#raw.locate(path, { value: place })
    if (isSecret(path)) this.keyVariables.push(...result.variables)
    return type === 'PLAIN' ? this.#typed(result.text.trim()) : result.text
  }

  /** What an unquoted scalar with this text means: a number, a truth value, nothing, or text. */
  #typed(text: string): unknown {
    for (const tag of this.#document.schema.tags) {
      if (tag.collection !== undefined || tag.default !== true || tag.test?.test(text) !== true) continue
      const value = tag.resolve?.(text, () => {}, this.#document.options)
      return isScalar(value) ? value.value : value
    }
    return text
  }

  #place(range: Range | null | undefined): Place {
    const base = dirname(this.#file)
    if (range === null || range === undefined) return { where: this.#file, base }
    const { line, col } = this.#lines.linePos(range[0])
    return { where: this.#file, line, column: col, base }
  }

  #issue({ where, line, column }: Place, path: Path, message: string, value?: string): void {
    const shown = isSecret(path) ? undefined : value
    this.issues.push({ where, line, column, key: dotted(path), value: shown, message })
  }
}

/** The parser ends with what it does not expect, which may be long, and hold a password. Where it stands is said anyway. */
function unquoted(message: string): string {
  return cutText(message.replace(/: .*$/s, ''), LONGEST_MESSAGE)
}

/** `null` or `~`, and not nothing. */
function isWritten(node: unknown): boolean {
  return isScalar(node) && node.source !== undefined && node.source !== ''
}

function rangeOf(node: unknown): Range | null | undefined {
  return isNode(node) ? node.range : undefined
}

/** The default key refers to a variable that may be missing: there are other ways to give a key. */
function isUnsetKey(path: Path, text: string, env: NodeJS.ProcessEnv): boolean {
  return path.join('.') === 'clink.key' && text === '${CLINK_API_KEY}' && isBlank(env['CLINK_API_KEY'])
}
