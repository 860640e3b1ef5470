import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, extname, relative } from 'node:path'
import { asError } from '../base/coded-error.ts'
import type { Clink } from '../clink/records.ts'
import type { Config, ExecConfig, HttpConfig, Place, RouteConfig } from '../config/config.ts'
import { echoHandler } from './builtin.ts'
import type { LoadedDefinition } from './definition.ts'
import { discover, isModule, usedFiles, type Discovered } from './discover.ts'
import { NO_FILES } from './files-read.ts'
import { HandlerError, type HandlerIssue } from './handler-error.ts'
import { HandlerLoader, type LoaderOptions } from './handler-loader.ts'
import { HandlerSet } from './handler-set.ts'
import { makeRoutes, placeText, type LoadedHandler, type Shown } from './make-routes.ts'
import { whyNotExecutable } from './programs.ts'
import { installModuleHooks } from './module-hooks.ts'
import type { Route, Router, Routing } from './route.ts'
import type { IdPattern } from './sender-match.ts'
import { readSecrets } from './webhook-secrets.ts'

export { HandlerSet } from './handler-set.ts'

export interface LoadHandlersOptions extends LoaderOptions {
  readonly config: Config
  readonly cwd: string
  readonly generation: number
  /** A built-in handler that answers with the clink's own text stands in where there is no handler at all. */
  readonly echoWhenEmpty?: boolean
  /** Where `handlers.directory` was written, as messages show it; undefined: nowhere. */
  readonly directoryAt?: string | undefined
}

/**
 * Loads all handlers anew, beside those of earlier calls.
 *
 * @throws {HandlerError} naming every file that is not in order.
 */
export async function loadHandlers(options: LoadHandlersOptions): Promise<HandlerSet> {
  const { config, cwd, echoWhenEmpty = false, generation, inline } = options
  const found = await discover(config.handlers.directory)
  const paths = [...new Set([...found.files, ...usedFiles(config)])]
  const programs = config.routes.flatMap(({ exec }) => exec ?? [])
  const applications = config.routes.flatMap(({ http }) => http ?? [])
  const shown = (path: string): string => relative(cwd, path) || '.'
  const directory = options.directoryAt ?? shown(config.handlers.directory)
  if (found.problem !== undefined && !found.isMissing) {
    throw new HandlerError([{ file: directory, message: found.problem }], NO_FILES)
  }
  const isEmpty = paths.length + programs.length + applications.length === 0
  if (isEmpty && echoWhenEmpty) return echoSet(config, generation)
  if (isEmpty) throw new HandlerError([nothing(directory, found)], NO_FILES)

  const { present, issues } = await missingFiles(paths, config.routes, shown)
  const hooks = installModuleHooks()
  const load = hooks.begin(present)
  const loader = new HandlerLoader(hooks, load, options)
  const loaded: { readonly path: string; readonly definition: LoadedDefinition }[] = []
  for (const path of present) {
    const result = await loader.load(path, shown(path))
    if ('definition' in result) loaded.push({ path, definition: result.definition })
    else issues.push(...result.failures.map(({ file, ...rest }) => ({ ...rest, file: shown(file ?? path) })))
  }
  loader.end()
  const modules = hooks.end(load)
  const handlers = loaded.map(({ path, definition }): LoadedHandler => ({
    path,
    file: shown(path),
    name: basename(path, extname(path)),
    definition: { runner: config.handlers.runner, ...definition },
    ...(inline !== true && { inThread: { is: 'thread', url: load.urlOf(path), modules } }),
  }))
  const files = new Map([...paths.map((path) => [path, load.digestOf(path)] as const), ...load.files])
  const made = makeRoutes(handlers, config, generation, shown)
  issues.push(...made.issues, ...(await programIssues(programs, shown)), ...(await secretIssues(applications, shown)))
  if (issues.length > 0) throw new HandlerError(issues, files)
  return new HandlerSet(generation, made.entries, files, made.warnings)
}

/** What is missing is named where it is used. */
async function missingFiles(paths: readonly string[], routes: readonly RouteConfig[], shown: Shown) {
  const present: string[] = []
  const issues: HandlerIssue[] = []
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined)
    if (found?.isFile() === true && isModule(path)) present.push(path)
    else issues.push(...whyNoModules(path, found, routes, shown))
  }
  return { present, issues }
}

function whyNoModules(
  path: string,
  found: Stats | undefined,
  routes: readonly RouteConfig[],
  shown: Shown,
): readonly HandlerIssue[] {
  const why = whyNoModule(found)
  const places = routes.flatMap(({ place, use }) => (use === path ? (place ?? []) : []))
  if (places.length === 0) return [{ file: shown(path), message: why }]
  return places.map((place) => ({ file: placeText(place, shown), message: `${place.key}: ${shown(path)} ${why}` }))
}

/** Programs that cannot be started, where they were written. */
async function programIssues(programs: readonly ExecConfig[], shown: Shown) {
  const found = programs.map(async (program): Promise<readonly HandlerIssue[]> => {
    const why = await whyNotExecutable(program)
    return why === undefined ? [] : [issueAt(program.place, program.written, why, shown)]
  })
  return (await Promise.all(found)).flat()
}

/** Secrets that cannot be used, where their files were written. */
async function secretIssues(applications: readonly HttpConfig[], shown: Shown) {
  const found = applications.map(async ({ secret }): Promise<readonly HandlerIssue[]> => {
    if (secret === undefined) return []
    const why = await readSecrets(secret.file).then(() => undefined, asError)
    return why === undefined ? [] : [issueAt(secret.place, secret.written, why.message, shown)]
  })
  return (await Promise.all(found)).flat()
}

function issueAt(place: Place, written: string, why: string, shown: Shown): HandlerIssue {
  return { file: placeText(place, shown), message: `${place.key}: ${JSON.stringify(written)} ${why}` }
}

function whyNoModule(found: Stats | undefined): string {
  if (found === undefined) return 'does not exist'
  return found.isFile() ? 'is not a .ts, .mts, .js or .mjs file' : 'is not a file'
}

function nothing(directory: string, { others, problem }: Discovered): HandlerIssue {
  const seen = nearlyHandlers(others)
  const why = problem ?? `there is no handler in it${seen}`
  return {
    file: directory,
    message: `${why}; put a file into it, such as answer.ts with a default export, or set routes`,
  }
}

/** What somebody may have taken for a handler. */
function nearlyHandlers(names: readonly string[]): string {
  const cjs = names.find((name) => /\.c[jt]s$/.test(name))
  if (cjs !== undefined) {
    const name = cjs.replace(/c([jt]s)$/, '$1')
    return ` (${cjs} is CommonJS, and handlers are ES modules: call it ${name} and write export default in place of module.exports)`
  }
  const [first, ...rest] = names
  if (first === undefined) return ''
  const more = rest.length > 0 ? ` and ${rest.length} more` : ''
  return ` (${first}${more} is in it: handlers are .ts, .mts, .js and .mjs files, and not looked for in directories below)`
}

function echoSet(config: Config, generation: number): HandlerSet {
  const handler = { path: '', file: 'built-in', name: 'echo', definition: { handle: echoHandler } }
  return new HandlerSet(generation, makeRoutes([handler], config, generation).entries, NO_FILES)
}

/** The handlers in use. Reloading exchanges them as a whole; what runs keeps what it began with. */
export class HandlerRegistry implements Router {
  readonly #before: HandlerSet | undefined
  #current: HandlerSet

  /** @param before routes that are tried before those of the handlers, and never change. */
  constructor(first: HandlerSet, before?: HandlerSet) {
    this.#current = first
    this.#before = before
  }

  get current(): HandlerSet {
    return this.#current
  }

  get generation(): number {
    return this.#current.generation
  }

  replace(set: HandlerSet): void {
    this.#current = set
  }

  get routes(): readonly Route[] {
    return [...(this.#before?.routes ?? []), ...this.#current.routes]
  }

  get idPatterns(): readonly IdPattern[] {
    return this.#current.idPatterns
  }

  get namesGroups(): boolean {
    return this.#current.namesGroups
  }

  get takesAll(): boolean {
    return this.#before?.takesAll === true || this.#current.takesAll
  }

  find(clink: Clink, identity: string | undefined): Routing {
    const first = this.#before?.find(clink, identity)
    if (first instanceof Promise) return first.then((found) => found ?? this.#current.find(clink, identity))
    return first ?? this.#current.find(clink, identity)
  }

  /** One line a route, for people. */
  describe(): readonly string[] {
    return this.#current.routes.map(({ name, file }) => `${name} (${file})`)
  }
}
