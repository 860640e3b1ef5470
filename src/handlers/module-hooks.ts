import { readFileSync, realpathSync } from 'node:fs'
import { registerHooks, type LoadFnOutput, type ResolveFnOutput } from 'node:module'
import { dirname, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { entryModule, OWN_CODE } from '../base/installed.ts'
import { digest, type FilesRead } from './files-read.ts'
import { importKey, type ModuleSnapshot, type Resolved, type Source } from './module-snapshot.ts'

const TAG = 'clink-worker'
const INSTALLED = Symbol.for('clink-worker.module-hooks')
/** The running worker's own entry, from source or built. */
const INDEX = entryModule('index').href

interface FailedImport {
  readonly specifier: string
  readonly importer: string | undefined
}

/** What a loading comes across, as plain data. */
export type Met =
  | { readonly is: 'file'; readonly file: string }
  | { readonly is: 'import'; readonly key: string; readonly found: Resolved }
  | { readonly is: 'source'; readonly url: string; readonly source: Source }

/** One loading of handlers: all modules that it imports are new, and are noted. */
export class ModuleLoad {
  readonly tag: string
  readonly #files = new Map<string, string | undefined>()
  /** Where the links led to that were to be loaded. */
  readonly #real = new Map<string, string>()
  readonly #failed = new WeakMap<object, FailedImport>()
  #found: { resolved: Map<string, Resolved>; sources: Map<string, Source> } | undefined = {
    resolved: new Map(),
    sources: new Map(),
  }
  /** Its modules are to be those of another thread's loading. */
  readonly #before: ModuleSnapshot | undefined
  readonly #tell: ((met: Met) => void) | undefined

  /** @param tell is told of all that is noted. */
  constructor(tag: string, before?: ModuleSnapshot, tell?: (met: Met) => void) {
    this.tag = tag
    this.#before = before
    this.#tell = tell
  }

  /** Address under which a file is loaded anew. */
  urlOf(file: string): string {
    // Node remembers for good where a link led to.
    const real = realpathSync(file)
    this.#real.set(file, real)
    const url = pathToFileURL(real)
    url.searchParams.set(TAG, this.tag)
    return url.href
  }

  /** Whether a stack leads through code of this loading. */
  isIn(stack: string): boolean {
    return new RegExp(`\\?${TAG}=${this.tag}\\b`).test(stack)
  }

  /** The modules that were imported, without packages. */
  get files(): FilesRead {
    return this.#files
  }

  /** What was read of a file that was to be loaded. */
  digestOf(file: string): string | undefined {
    return this.#files.get(this.#real.get(file) ?? file)
  }

  /** What it has imported. It keeps none of that from then on: loadings are many. @param roots as its hooks have them. */
  end(roots: readonly string[]): ModuleSnapshot {
    const { resolved = new Map<string, Resolved>(), sources = new Map<string, Source>() } = this.#found ?? {}
    this.#found = undefined
    return { tag: this.tag, roots, resolved, sources }
  }

  /** Also what another thread has come across, which has a part in this loading. */
  note(met: Met): void {
    this.#tell?.(met)
    if (met.is === 'file') {
      if (!this.#files.has(met.file)) this.#files.set(met.file, undefined)
    } else if (met.is === 'import') {
      this.#found?.resolved.set(met.key, met.found)
    } else {
      this.#files.set(fileURLToPath(met.url), digest(met.source.source ?? ''))
      this.#found?.sources.set(met.url, met.source)
    }
  }

  noteFile(file: string): void {
    this.note({ is: 'file', file })
  }

  noteResolved(specifier: string, importer: string | undefined, { format, importAttributes, url }: Resolved): void {
    const found = { url, format, ...(importAttributes && { importAttributes }) }
    this.note({ is: 'import', key: importKey(specifier, importer), found })
  }

  noteSource(url: string, { format, source }: Source): void {
    if (source !== undefined && source !== null) this.note({ is: 'source', url, source: { format, source } })
  }

  resolvedBefore(specifier: string, importer: string | undefined): Resolved | undefined {
    return this.#before?.resolved.get(importKey(specifier, importer))
  }

  sourceBefore(url: string): Source | undefined {
    return this.#before?.sources.get(url)
  }

  noteFailed(error: unknown, failed: FailedImport): void {
    if (typeof error !== 'object' || error === null) return
    this.#failed.set(error, failed)
    // A file that is missing takes part too: it may come.
    if ('url' in error && typeof error.url === 'string' && isOfHandlers(error.url))
      this.noteFile(fileURLToPath(error.url))
  }

  /** The import that could not be resolved and so threw this. */
  failedImport(error: unknown): FailedImport | undefined {
    return typeof error === 'object' && error !== null ? this.#failed.get(error) : undefined
  }
}

/**
 * What handlers need of Node's module loading: `clink-worker` is the running worker, files in handler directories are ES
 * modules whatever a package.json says, and the tag of a load goes from parent to child, so that edits in imported files count.
 */
export class ModuleHooks {
  readonly #loads = new Map<string, ModuleLoad>()
  readonly #roots = new Set<string>()
  #count = 0

  /** @param files in whose directories all modules are ES modules from now on. */
  begin(files: readonly string[]): ModuleLoad {
    for (const file of files) this.#roots.add(realpathSync(dirname(file)) + sep)
    this.#count += 1
    const tag = String(this.#count)
    return this.#add(tag, new ModuleLoad(tag))
  }

  /** As a loading of another thread, from what that has found so far. @param tell is told of all else. */
  repeat(before: ModuleSnapshot, tell?: (met: Met) => void): ModuleLoad {
    for (const root of before.roots) this.#roots.add(root)
    return this.#add(before.tag, new ModuleLoad(before.tag, before, tell))
  }

  /** A loading of which nothing is found yet: with it another thread takes part in it. */
  beginningOf(load: ModuleLoad): ModuleSnapshot {
    return { tag: load.tag, roots: [...this.#roots], resolved: new Map(), sources: new Map() }
  }

  /** What is imported later on, while a handler runs, still carries its tag. */
  end(load: ModuleLoad): ModuleSnapshot {
    this.#loads.delete(load.tag)
    return load.end([...this.#roots])
  }

  resolve(specifier: string, importer: string | undefined, next: () => ResolveFnOutput): ResolveFnOutput {
    const tag = tagOf(specifier) ?? tagOf(importer)
    const load = tag === undefined ? undefined : this.#loads.get(tag)
    const before = load?.resolvedBefore(specifier, importer)
    if (before !== undefined) return { ...before, shortCircuit: true }
    let resolved: ResolveFnOutput
    try {
      resolved = next()
    } catch (error) {
      load?.noteFailed(error, { specifier, importer })
      throw error
    }
    if (tag === undefined || !isOfHandlers(resolved.url)) return resolved
    const url = new URL(resolved.url)
    url.searchParams.set(TAG, tag)
    const file = fileURLToPath(url)
    load?.noteFile(file)
    const format = this.#isInside(file) ? formatOf(file, resolved.format) : formatByText(file, resolved.format)
    const found = { ...resolved, url: url.href, format }
    load?.noteResolved(specifier, importer, found)
    return found
  }

  load(url: string, next: () => LoadFnOutput): LoadFnOutput {
    const tag = tagOf(url)
    const load = tag === undefined ? undefined : this.#loads.get(tag)
    const before = load?.sourceBefore(url)
    if (before !== undefined) return { ...before, shortCircuit: true }
    const loaded = next()
    load?.noteSource(url, loaded)
    return loaded
  }

  #add(tag: string, load: ModuleLoad): ModuleLoad {
    this.#loads.set(tag, load)
    return load
  }

  #isInside(file: string): boolean {
    return [...this.#roots].some((root) => file.startsWith(root))
  }
}

/** Hooks belong to the process, so what says that they are there does too. */
export function installModuleHooks(): ModuleHooks {
  const present: unknown = Reflect.get(globalThis, INSTALLED)
  if (present instanceof ModuleHooks) return present
  const hooks = new ModuleHooks()
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'clink-worker') return next(INDEX, context)
      if (specifier.startsWith('clink-worker/')) return next(specifier, { ...context, parentURL: INDEX })
      // What `require` finds has no address that could carry a tag.
      if (!context.conditions.includes('import')) return next(specifier, context)
      return hooks.resolve(specifier, context.parentURL, () => next(specifier, context))
    },
    load: (url, context, next) => hooks.load(url, () => next(url, context)),
  })
  Reflect.set(globalThis, INSTALLED, hooks)
  return hooks
}

/** The text without the tags of loads: what people know their files as. */
export function withoutTags(text: string): string {
  return text.replaceAll(/\?clink-worker=\d+/g, '')
}

function tagOf(url: string | undefined): string | undefined {
  return url?.startsWith('file:') === true ? (URL.parse(url)?.searchParams.get(TAG) ?? undefined) : undefined
}

function isOfHandlers(url: string): boolean {
  return url.startsWith('file:') && !url.includes('/node_modules/') && !url.startsWith(OWN_CODE.href)
}

function formatOf(file: string, format: ResolveFnOutput['format']): ResolveFnOutput['format'] {
  if (/\.m?ts$/.test(file)) return 'module-typescript'
  return /\.m?js$/.test(file) ? 'module' : format
}

const COMMON: Readonly<Record<string, string>> = { commonjs: 'module', 'commonjs-typescript': 'module-typescript' }
const ES_SYNTAX = /^(?:import|export)[\s{*]/m
const COMMON_SYNTAX = /\bmodule\.exports\b|\bexports\.\w+\s*=/

/**
 * A file outside of handler directories is what it is written as: in TypeScript, a package of `"type": "commonjs"` is mostly written
 * with `import` and `export`, and compiled where it is not run by Node itself.
 */
function formatByText(file: string, format: ResolveFnOutput['format']): ResolveFnOutput['format'] {
  const instead = COMMON[format ?? '']
  if (instead === undefined || /\.c[jt]s$/.test(file)) return format
  const text = readFileSync(file, 'utf8')
  return ES_SYNTAX.test(text) && !COMMON_SYNTAX.test(text) ? instead : format
}
