import { readFileSync, realpathSync } from 'node:fs'
import { registerHooks, type ResolveFnOutput } from 'node:module'
import { dirname, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const TAG = 'clink-worker'
const INSTALLED = Symbol.for('clink-worker.module-hooks')
/** The running worker's own entry, from source or built. */
const INDEX = new URL(`../index${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url).href
const OWN = new URL('.', INDEX).href

interface FailedImport {
  readonly specifier: string
  readonly importer: string | undefined
}

/** One loading of handlers: all modules that it imports are new, and are noted. */
export class ModuleLoad {
  readonly #tag: string
  readonly #files = new Set<string>()
  readonly #failed = new WeakMap<object, FailedImport>()

  constructor(tag: string) {
    this.#tag = tag
  }

  /** Address under which a file is loaded anew. */
  urlOf(file: string): string {
    // Node remembers for good where a link led to.
    const url = pathToFileURL(realpathSync(file))
    url.searchParams.set(TAG, this.#tag)
    return url.href
  }

  /** Whether a stack leads through code of this loading. */
  isIn(stack: string): boolean {
    return new RegExp(`\\?${TAG}=${this.#tag}\\b`).test(stack)
  }

  /** Absolute paths of the modules that were imported, without packages. */
  get files(): readonly string[] {
    return [...this.#files]
  }

  note(file: string): void {
    this.#files.add(file)
  }

  noteFailed(error: unknown, failed: FailedImport): void {
    if (typeof error !== 'object' || error === null) return
    this.#failed.set(error, failed)
    // A file that is missing takes part too: it may come.
    if ('url' in error && typeof error.url === 'string' && isOfHandlers(error.url)) this.note(fileURLToPath(error.url))
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
    const load = new ModuleLoad(tag)
    this.#loads.set(tag, load)
    return load
  }

  resolve(specifier: string, importer: string | undefined, next: () => ResolveFnOutput): ResolveFnOutput {
    const tag = tagOf(specifier) ?? tagOf(importer)
    let resolved: ResolveFnOutput
    try {
      resolved = next()
    } catch (error) {
      if (tag !== undefined) this.#loads.get(tag)?.noteFailed(error, { specifier, importer })
      throw error
    }
    if (tag === undefined || !isOfHandlers(resolved.url)) return resolved
    const url = new URL(resolved.url)
    url.searchParams.set(TAG, tag)
    const file = fileURLToPath(url)
    this.#loads.get(tag)?.note(file)
    return {
      ...resolved,
      url: url.href,
      format: this.#isInside(file) ? formatOf(file, resolved.format) : formatByText(file, resolved.format),
    }
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
  return url.startsWith('file:') && !url.includes('/node_modules/') && !url.startsWith(OWN)
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
