import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { ConfigError } from '../../src/config/issue.ts'
import { loadConfig, stateDirectory, type LoadOptions } from '../../src/config/load.ts'
import { TempDir } from '../support/temp-dir.ts'
import type { Note, Part } from './part.ts'

const EXAMPLE = readFileSync(new URL('../../config.example.yaml', import.meta.url), 'utf8')
/** As somebody writes one: without comments, and with the routes that the comments tell of. */
const ROUTES = `
routes:
  - name: deploy
    match: { group: [ops, ops-*], from: user_alice, for: me, content: { regex: '^deploy (?<target>\\w+)' } }
    use: ./handlers/deploy.ts
    with: { environment: staging }
    retry: { attempts: 3, backoff: 30s, maxBackoff: 5m }
    rate: 60/1m
    serial: sender
  - exec: [python3, ./answer.py]
  - name: deployments
    http: { url: http://127.0.0.1:8080/deployments, timeout: 20m, maxResponse: 1MiB, allowHosts: [] }
`
const WRITTEN = EXAMPLE.split('\n').filter((line) => !/^\s*(#|$)/.test(line))
const BASE: readonly string[] = [...WRITTEN.filter((line) => line !== 'routes: []'), ...ROUTES.split('\n')]

const KEY = 'sk_live_0123456789abcdef0123456789abcdef'
const ODD = [
  '',
  '~',
  'null',
  '-1',
  '0',
  '1e999',
  '.inf',
  '.nan',
  '0x10',
  '1_000',
  '5 secs',
  '99999999999999999999d',
  '-5s',
  '[',
  ']',
  '{',
  '}',
  '[]',
  '{}',
  '[[[[]]]]',
  '- x',
  '? a',
  ': b',
  '|',
  '>',
  '"',
  "'",
  '%',
  '@',
  '`',
  '---',
  '...',
  '&a',
  '*a',
  '*nobody',
  '&a [*a]',
  '<<: *a',
  '!!binary x',
  '!!js/function x',
  '!<x> y',
  '#',
  ' #',
  '\t',
  '\0',
  '${',
  '${X',
  '${X:-',
  '${X:-${Y}}',
  '${CLINK_API_KEY}',
  '$$',
  '$',
  '${}',
  '${PATH}',
  '__proto__',
  'constructor',
  '\uFEFF',
  '\u2028',
  '\uD800',
  '\u0085',
  '\r',
  '🦀',
  'true',
  'yes',
  'on',
  '2026-01-01',
  '12:30:45',
  'é',
  '['.repeat(3_000),
  '{a: '.repeat(3_000),
  'x'.repeat(20_000),
  '- '.repeat(2_000),
  '(a+)+$',
  '{ regex: "(" }',
]
const line = fc.nat(BASE.length * 4)
const text = fc.oneof(fc.constantFrom(...ODD), fc.string({ unit: 'binary', maxLength: 12 }))
/** What is done to one line. */
const edit = fc.oneof(
  fc.record({ is: fc.constant('value' as const), line, text }),
  fc.record({ is: fc.constant('value' as const), line, text: fc.constantFrom(...WRITTEN.map(valueOf)) }),
  fc.record({ is: fc.constant('key' as const), line, text }),
  fc.record({ is: fc.constantFrom('drop' as const, 'twice' as const, 'deeper' as const, 'flatter' as const), line }),
  fc.record({ is: fc.constant('swap' as const), line, other: line }),
  fc.record({ is: fc.constant('insert' as const), line, at: fc.nat(80), text }),
  fc.record({ is: fc.constant('cut' as const), line, at: fc.nat(80) }),
)
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never
const written = fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => edits.reduce(edited, BASE).join('\n'))

/** Milliseconds of processor time: anybody would take a load that needs more for a hang. */
const LONGEST = 3_000

/** Configurations that somebody got wrong: each is read, or refused with where in the file it is wrong. */
export const configurations: Part = {
  name: 'configurations',
  open: async (note) => {
    const directory = new TempDir()
    const file = join(directory.path, 'clink-worker.yaml')
    const property = fc.asyncProperty(written, async (config) => {
      await writeFile(file, config)
      const began = process.threadCpuUsage()
      await load({ file, cwd: directory.path, env: { CLINK_API_KEY: KEY } }, config, note)
      const { user } = process.threadCpuUsage(began)
      if (user > LONGEST * 1_000) throw new Error(`${user / 1_000} ms of the processor`)
    })
    return await Promise.resolve({ property, end: () => directory[Symbol.dispose]() })
  },
}

async function load(options: LoadOptions & { readonly file: string }, text: string, note: Note): Promise<void> {
  try {
    await loadConfig(options)
    note('valid')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    checkError(error, options.file, text)
    note('refused')
  }
  await stateDirectory(options).catch((error: unknown) => {
    if (!(error instanceof ConfigError)) throw error
  })
}

function checkError(error: ConfigError, file: string, text: string): void {
  const lines = text.split(/\r\n|\n/).length
  if (error.message.includes(KEY)) throw new Error('the key is shown', { cause: error })
  if (error.issues.length === 0) throw new Error('nothing is said', { cause: error })
  for (const { column = 1, line, message, where } of error.issues) {
    if (where !== file || line === undefined || line < 1 || line > lines || column < 1)
      throw new Error(`a problem at ${where}:${line}:${column} of ${lines} lines: ${message}`, { cause: error })
    if (message === '') throw new Error('an empty message', { cause: error })
  }
}

function edited(lines: readonly string[], edit: Edit): readonly string[] {
  const at = edit.line % Math.max(1, lines.length)
  const old = lines[at] ?? ''
  switch (edit.is) {
    case 'value':
      return lines.with(
        at,
        old.replace(/:( .*)?$|$/, () => `: ${edit.text}`),
      )
    case 'key':
      return lines.with(
        at,
        old.replace(/[\w-]+(?=:|$)/, () => edit.text),
      )
    case 'drop':
      return lines.toSpliced(at, 1)
    case 'twice':
      return lines.toSpliced(at, 0, old)
    case 'deeper':
      return lines.with(at, `  ${old}`)
    case 'flatter':
      return lines.with(at, old.replace(/^ {1,2}/, ''))
    case 'swap': {
      const other = edit.other % Math.max(1, lines.length)
      return lines.with(at, lines[other] ?? '').with(other, old)
    }
    case 'insert':
      return lines.with(at, old.slice(0, edit.at) + edit.text + old.slice(edit.at))
    case 'cut':
      return lines.with(at, old.slice(0, edit.at))
  }
}

function valueOf(line: string): string {
  return line.replace(/^[^:]*: ?/, '')
}
