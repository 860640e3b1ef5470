import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { watch, type FSWatcher } from 'chokidar'
import { sleep, systemClock } from '../base/clock.ts'
import { asError } from '../base/coded-error.ts'
import type { Service } from '../base/service.ts'
import type { Config } from '../config/config.ts'
import type { Settings } from '../config/settings.ts'
import { discover } from './discover.ts'
import { HandlerError } from './handler-error.ts'
import type { HandlerSet } from './handler-set.ts'
import { loadHandlers, type LoadHandlersOptions } from './registry.ts'

export interface WatchOptions extends Omit<LoadHandlersOptions, 'config' | 'generation'> {
  readonly settings: Settings
  /** What is in use at the start. */
  readonly first: HandlerSet
  /** A change was loaded whole: from now on this is to be used. @param next the configuration by which it was loaded, where that is another one. */
  loaded(set: HandlerSet, next: Config | undefined): void
  /** A change could not be loaded, or the files cannot be watched: the set in use stays. */
  failed(error: Error): void
}

/** Editors and deployments write several files in a row: this many milliseconds of quiet come first. */
const QUIET = 50
const SETTINGS = {
  ignoreInitial: true,
  depth: 0,
  awaitWriteFinish: { stabilityThreshold: 60, pollInterval: 15 },
} as const

/**
 * Loads handlers anew when their files change, or files that they import. `start` resolves when changes are seen.
 *
 * Remembers a fingerprint of all files that matter. An event of the file system only says that it may be time to
 * compare: the same content written again is no change. Loadings follow each other, never overlap.
 */
export class HandlerWatch implements Service {
  readonly #options: WatchOptions
  readonly #stopping = new AbortController()
  #watcher: FSWatcher | undefined
  #files: readonly string[]
  #generation: number
  #fingerprint = ''
  #isPending = false
  /** Another configuration, by which the handlers could not be loaded yet. */
  #next: Config | undefined
  #work: Promise<void> = Promise.resolve()

  constructor(options: WatchOptions) {
    this.#options = options
    this.#files = options.first.files
    this.#generation = options.first.generation
  }

  async start(): Promise<void> {
    if (this.#stopping.signal.aborted || this.#watcher !== undefined) return
    const watcher = watch(this.#watched(), SETTINGS)
    this.#watcher = watcher
    watcher.on('all', () => this.#changed())
    watcher.on('error', (error) => this.#options.failed(asError(error)))
    const ready = new Promise<void>((resolve) => {
      watcher.once('ready', resolve)
      this.#stopping.signal.addEventListener('abort', () => resolve())
    })
    this.#fingerprint = await this.#takeFingerprint()
    await ready
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#watcher?.close()
    await this.#work
  }

  /** Loads all handlers anew, changed or not. Resolves when that has been reported. @param other another configuration: it goes by that. */
  async reload(other?: Config): Promise<void> {
    this.#work = this.#work.then(async () => await this.#load(other))
    await this.#work
  }

  #changed(): void {
    if (this.#isPending) return
    this.#isPending = true
    this.#work = this.#work.then(async () => await this.#compare())
  }

  async #compare(): Promise<void> {
    await sleep(this.#options.clock ?? systemClock(), QUIET, this.#stopping.signal)
    this.#isPending = false
    if ((await this.#takeFingerprint()) !== this.#fingerprint) await this.#load()
  }

  async #load(other?: Config): Promise<void> {
    const next = other ?? this.#next
    this.#next = next
    if (this.#stopping.signal.aborted) return
    const options = this.#options
    // Before the files are read: what changes in the meantime is another change.
    const before = await this.#takeFingerprint()
    const known = this.#files
    let report: () => void
    try {
      const set = await loadHandlers({
        ...options,
        config: next ?? options.settings.current,
        generation: this.#generation + 1,
        signal: this.#stopping.signal,
      })
      this.#generation = set.generation
      this.#files = set.files
      this.#next = undefined
      report = () => options.loaded(set, next)
    } catch (error) {
      // The broken file may be one that the set in use does not know.
      if (error instanceof HandlerError) this.#files = [...new Set([...this.#files, ...error.files])]
      report = () => options.failed(asError(error))
    }
    const isSame = this.#files.length === known.length && this.#files.every((file) => known.includes(file))
    // What is to be looked at from now on goes by another configuration, where it is one.
    if (next !== undefined && !this.#stopping.signal.aborted) report()
    this.#fingerprint = isSame && next === undefined ? before : await this.#takeFingerprint()
    this.#watcher?.add(this.#watched())
    if (next === undefined && !this.#stopping.signal.aborted) report()
  }

  #watched(): string[] {
    const config = this.#options.settings.current
    return [config.handlers.directory, ...config.routes.flatMap(({ use }) => use ?? []), ...this.#files]
  }

  async #takeFingerprint(): Promise<string> {
    const config = this.#options.settings.current
    const { files: found } = await discover(config.handlers.directory)
    const files = new Set([...found, ...config.routes.flatMap(({ use }) => use ?? []), ...this.#files])
    const fingerprint = createHash('sha256')
    for (const file of [...files].sort()) {
      const content = await readFile(file).catch(() => 'missing')
      fingerprint.update(JSON.stringify([file, createHash('sha256').update(content).digest('hex')]))
    }
    return fingerprint.digest('hex')
  }
}
