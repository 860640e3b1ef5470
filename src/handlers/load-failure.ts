import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, extname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { EndedWhileLoading } from './load-exit.ts'
import { withoutTags, type ModuleLoad } from './module-hooks.ts'

/** Why a module could not be loaded, in the words of somebody who knows the way out. */
export interface LoadFailure {
  /** Absolute path; undefined: the handler file itself. */
  readonly file?: string
  /** From 1. */
  readonly line?: number
  readonly message: string
}

type Place = Omit<LoadFailure, 'message'>

/** @param load the loading that threw; it knows which files took part. */
export function explainFailure(thrown: unknown, load: ModuleLoad): LoadFailure {
  if (!(thrown instanceof Error)) return { message: `threw ${inspect(thrown, { depth: 1 })} while it was loaded` }
  const failed = load.failedImport(thrown)
  if (failed !== undefined) return notFound(thrown, failed.specifier, failed.importer)
  const place = placeOf(thrown)
  const told = (message: string): LoadFailure => ({ ...place, message })
  if (thrown instanceof EndedWhileLoading) return told(thrown.message)
  const code = 'code' in thrown ? thrown.code : undefined
  const message = withoutTags(thrown.message).replaceAll('file://', '').trim()
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') return told(unsupported(message))
  if (code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING') {
    return told(`${message}; packages must be built to JavaScript before a handler can import them`)
  }
  if (code === 'ERR_IMPORT_ATTRIBUTE_MISSING') {
    return told(`${message}; write import data from './file.json' with { type: 'json' }`)
  }
  const [, from, name] = /requested module '([^']*)' does not provide an export named '([^']*)'/.exec(message) ?? []
  if (from !== undefined && name !== undefined) return told(noExport(from, name, place.file))
  const [, hidden, common] =
    /^Named export '([^']*)' not found. The requested module '([^']*)' is a CommonJS module/.exec(message) ?? []
  if (hidden !== undefined && common !== undefined) return told(notShown(common, hidden))
  if (thrown instanceof SyntaxError) return syntaxError(thrown, place, load)
  if (
    thrown instanceof ReferenceError &&
    /^(require|module|exports|__dirname|__filename) is not defined/.test(message)
  ) {
    const [, member = ''] = /^__(\w+)/.exec(message) ?? []
    const instead = member === '' ? 'import … from and export default' : `import.meta.${member}`
    return told(`${message}; handlers are ES modules: write ${instead}`)
  }
  return told(`threw while it was loaded: ${thrown.name}: ${message}${causeOf(thrown)}`)
}

/** `fetch failed` alone helps nobody. */
function causeOf({ cause }: Error): string {
  return cause instanceof Error ? ` (${cause.message === '' ? cause.name : withoutTags(cause.message)})` : ''
}

function unsupported(message: string): string {
  const instead = /enum/.test(message)
    ? "write const Color = { red: 'red', blue: 'blue' } as const"
    : /parameter property/.test(message)
      ? 'declare the field in the class and assign it in the constructor'
      : /namespace|module/.test(message)
        ? 'put its content into a file of its own and import that'
        : 'write what is left when the types are taken away'
  return `${message.replace(' in strip-only mode', '')}: Node only takes types away; ${instead}`
}

function notShown(from: string, name: string): string {
  return `${from} is CommonJS and does not show its export ${name}; write import all from '${from}' and const { ${name} } = all`
}

/** Where something looks on at what is loaded, Node says this of CommonJS as well. */
function noExport(from: string, name: string, importer: string | undefined): string {
  if (from.endsWith('.cjs')) return notShown(from, name)
  const what = `${from} has no export ${name}`
  const target = importer !== undefined && from.startsWith('.') ? resolve(dirname(importer), from) : undefined
  const source = target !== undefined && existsSync(target) ? readFileSync(target, 'utf8') : undefined
  if (source !== undefined && /\bmodule\.exports\b|^exports\./m.test(source)) {
    return `${what}: it is CommonJS, and files beside handlers are ES modules; write export in it, or call it .cjs`
  }
  const isType =
    source !== undefined &&
    RegExp(String.raw`\b(?:type|interface)\s+${name.replaceAll('$', String.raw`\$`)}\b`).test(source)
  if (isType) return `${what} at run time, it is a type; write import type { ${name} } from '${from}'`
  return `${what}; if it is a type, write import type { ${name} } from '${from}'`
}

function notFound(error: Error, specifier: string, importer: string | undefined): LoadFailure {
  const file = importer?.startsWith('file:') === true ? fileURLToPath(importer) : undefined
  const line = file === undefined ? undefined : lineOf(file, specifier)
  const place = { ...(file !== undefined && { file }), ...(line !== undefined && { line }) }
  const told = (message: string): LoadFailure => ({ ...place, message })
  const code = 'code' in error ? error.code : undefined
  const isRelative = /^\.{0,2}\//.test(specifier)
  if (code === 'ERR_UNSUPPORTED_DIR_IMPORT') {
    return told(`imports the directory ${specifier}; name the file in it, as ${specifier}/index.ts`)
  }
  if (code !== 'ERR_MODULE_NOT_FOUND') return told(`import of ${specifier}: ${withoutTags(error.message)}`)
  if (!isRelative) {
    if (/^[@~#]\//.test(specifier)) {
      const advice = 'write the relative path, with its ending, as ./lib.ts'
      return told(`imports ${specifier}, a path that only tsconfig.json knows, and Node does not; ${advice}`)
    }
    const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
    return told(`imports ${specifier}, which is not installed; run npm install ${name} beside the handlers`)
  }
  const meant = file === undefined ? undefined : existing(resolve(dirname(file), specifier))
  const advice = meant === undefined ? 'there is no such file' : `write ${specifier.replace(/\.m?js$/, '')}${meant}`
  return told(`imports ${specifier}, which is not found; ${advice}`)
}

/** The ending that the file really has. */
function existing(path: string): string | undefined {
  const stem = /\.m?js$/.test(path) ? path.slice(0, -extname(path).length) : path
  return ['.ts', '.mts', '.js', '.mjs', '/index.ts', '/index.js'].find((ending) => existsSync(stem + ending))
}

function lineOf(file: string, specifier: string): number | undefined {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  const index = lines.findIndex((line) => line.includes(`'${specifier}'`) || line.includes(`"${specifier}"`))
  return index < 0 ? undefined : index + 1
}

/** Node puts the place above the stack for some errors, and into its first frame for the others. */
function placeOf({ stack = '' }: Error): Place {
  const [, url, line] =
    /^(file:\S+?):(\d+)\n/.exec(stack) ?? /\(?(file:\S*\?clink-worker=\d+):(\d+):\d+\)?$/m.exec(stack) ?? []
  return url === undefined ? {} : { file: fileURLToPath(url), line: Number(line) }
}

/** V8 does not say where a syntax error is that is left when the types are taken away; `node --check` does. */
function syntaxError(error: Error, place: Place, load: ModuleLoad): LoadFailure {
  const message = `syntax error: ${error.message.trim()}`
  if (place.file !== undefined) return { ...place, message }
  for (const file of [...load.files.keys()].filter((path) => /\.m?[jt]s$/.test(path) && existsSync(path))) {
    const text = readFileSync(file, 'utf8')
    const plain = file.endsWith('ts') ? node(['--no-warnings', '--eval', STRIP], text).stdout : text
    const [, line] = /^\[stdin\]:(\d+)$/m.exec(node(['--check', '--input-type=module', '-'], plain).stderr) ?? []
    if (line === undefined) continue
    const isDecorated = /^\s*@\w/.test(text.split('\n')[Number(line) - 1] ?? '')
    return { file, line: Number(line), message: isDecorated ? `${message}; Node knows no decorators` : message }
  }
  return { message }
}

const STRIP = `process.stdout.write(require('node:module').stripTypeScriptTypes(require('node:fs').readFileSync(0, 'utf8')))`

function node(args: readonly string[], input: string): { readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, args, { input, env: {}, encoding: 'utf8', timeout: 5_000 })
}
