import type { Stats } from 'node:fs'
import { readFile, realpath, stat } from 'node:fs/promises'
import type { FSWatcher } from 'chokidar'
import { sleep, systemClock } from '../base/clock.ts'
import { asError } from '../base/coded-error.ts'
import type { Service } from '../base/service.ts'
import type { Config } from '../config/config.ts'
import type { Settings } from '../config/settings.ts'
import { discover, usedFiles } from './discover.ts'
import { digest, NO_FILES, type FilesRead } from './files-read.ts'
import { HandlerError } from './handler-error.ts'
import type { HandlerSet } from './handler-set.ts'
import { loadHandlers, type LoadHandlersOptions } from './registry.ts'

export interface WatchOptions extends Omit<LoadHandlersOptions, 'config' | 'generation' | 'inUse'> {
  readonly settings: Settings
  /** What is in use at the start. */
  readonly first: HandlerSet
  /** A change was loaded whole: from now on this is to be used. @param next the configuration by which it was loaded, where that is another one. */
  loaded(set: HandlerSet, next: Config | undefined): void
  /** A change could not be loaded, or the files cannot be watched: the set in use stays. */
  failed(error: Error): void
  /** Milliseconds between two looks at what no event may tell of. */
  readonly interval?: number
}

/** By absolute path: where it leads, and a digest. */
type Contents = ReadonlyMap<string, string>

/** Editors and deployments write several files in a row, and each in pieces: for this many milliseconds all have to stay as they are. */
const QUIET = 60
const INTERVAL = 1_000
const MISSING = 'missing'

/**
 * Loads handlers anew when their files change, or files that they import. `start` resolves when changes are seen.
 *
 * Remembers what was loaded of all files that matter. An event of the file system only says that it may be time to
 * compare: the same content written again is no change, and one written before anybody watched is. None tells that a link on the way to
 * the files was exchanged, as by a deployment, none comes from many network and container mounts, and one may be lost where a directory
 * goes and comes. So what the file system knows of the files is looked at again and again, and events only make it soon. Loadings follow
 * each other, never overlap.
 */
export class HandlerWatch implements Service {
  readonly #options: WatchOptions
  readonly #stopping = new AbortController()
  #watcher: FSWatcher | undefined
  #inUse: HandlerSet
  #files: FilesRead
  /** What is in use, or could not be loaded, of each file. */
  #seen: Contents = new Map()
  /** What the file system knew of the files before their contents were last read. */
  #states = ''
  #isPending = false
  #isStarted = false
  /** Another configuration, by which the handlers could not be loaded yet. */
  #next: Config | undefined
  #work: Promise<void> = Promise.resolve()
  #looking: Promise<void> = Promise.resolve()

  constructor(options: WatchOptions) {
    this.#options = options
    this.#inUse = options.first
    this.#files = options.first.files
  }

  async start(): Promise<void> {
    if (this.#stopping.signal.aborted || this.#isStarted) return
    this.#isStarted = true
    this.#work = this.#work.then(async () => void (this.#seen = await this.#asRead(this.#files)))
    const { promise: watched, resolve } = Promise.withResolvers<void>()
    this.#looking = this.#watch(resolve).finally(resolve)
    await Promise.all([this.#work, watched])
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all([this.#looking, this.#work])
    await this.#watcher?.close()
  }

  /** Loads all handlers anew, changed or not. Resolves when that has been reported. @param other another configuration: it goes by that. */
  async reload(other?: Config): Promise<void> {
    this.#work = this.#work.then(async () => await this.#load(other))
    await this.#work
  }

  /** A watcher stays with what it has found behind a link: when that leads elsewhere another one is needed. */
  async #watch(opened: () => void): Promise<void> {
    const { signal } = this.#stopping
    let last: string | undefined
    while (!signal.aborted) {
      const now = await this.#places()
      if (now !== last && !signal.aborted) await this.#open()
      last = now
      if ((await this.#statesNow()) !== this.#states) this.#changed()
      opened()
      await this.#pause()
    }
  }

  async #open(): Promise<void> {
    // Loaded here: most workers watch nothing.
    const { watch } = await import('chokidar')
    if (this.#stopping.signal.aborted) return
    const before = this.#watcher
    const watcher = watch(this.#watched(), { depth: 0 })
    this.#watcher = watcher
    watcher.on('all', () => this.#changed())
    watcher.on('error', (error) => this.#options.failed(asError(error)))
    const ready = new Promise<void>((resolve) => void watcher.once('ready', resolve))
    // What it does not see until it is ready is found by looking, and so is everything if it never is.
    await Promise.race([ready, this.#pause()])
    before?.close().catch((error: unknown) => this.#options.failed(asError(error)))
    this.#changed()
  }

  async #pause(): Promise<void> {
    const { clock = systemClock(), interval = INTERVAL } = this.#options
    await sleep(clock, interval, this.#stopping.signal)
  }

  /** What the file system knows of the files that matter without their being read. A directory's entry changes with the names in it. */
  async #statesNow(): Promise<string> {
    const states = this.#watched().map(async (path) => await statOf(path, 'dev', 'ino', 'size', 'mtimeMs', 'ctimeMs'))
    return (await Promise.all(states)).join('\n')
  }

  /** Where the configuration leads to, and which directory is there. */
  async #places(): Promise<string> {
    const config = this.#options.settings.current
    const { directory } = config.handlers
    const places = [directory, ...usedFiles(config)].map(async (path) => await placeOf(path))
    // A file that an editor writes is another one each time: only of the directory it counts which one it is.
    return (await Promise.all([statOf(directory, 'dev', 'ino'), ...places])).join('\n')
  }

  #changed(): void {
    if (this.#isPending) return
    this.#isPending = true
    this.#work = this.#work.then(async () => await this.#compare())
  }

  async #compare(): Promise<void> {
    let last: Contents
    let now = await this.#look()
    do {
      await sleep(this.#options.clock ?? systemClock(), QUIET, this.#stopping.signal)
      this.#isPending = false
      last = now
      now = await this.#look()
    } while (!isSame(now, last) && !this.#stopping.signal.aborted)
    if (!isSame(now, this.#seen)) await this.#load()
  }

  async #load(other?: Config): Promise<void> {
    const next = other ?? this.#next
    this.#next = next
    if (this.#stopping.signal.aborted) return
    const options = this.#options
    // Before the files are read: what changes in the meantime is another change.
    const before = await this.#look()
    let report: () => void
    try {
      const set = await loadHandlers({
        ...options,
        config: next ?? options.settings.current,
        generation: this.#inUse.generation + 1,
        inUse: this.#inUse,
        signal: this.#stopping.signal,
      })
      this.#inUse = set
      this.#files = set.files
      this.#seen = await this.#asRead(set.files, before)
      this.#next = undefined
      report = () => options.loaded(set, next)
    } catch (error) {
      // The broken file may be one that the set in use does not know.
      const looked = error instanceof HandlerError ? error.files : NO_FILES
      this.#files = new Map([...this.#files, ...looked])
      this.#seen = new Map([...before, ...(await this.#asRead(looked, before))])
      report = () => options.failed(asError(error))
    }
    if (this.#stopping.signal.aborted) return
    report()
    // By the configuration that is in use now.
    this.#watcher?.add(this.#watched())
  }

  #watched(): string[] {
    const config = this.#options.settings.current
    return [config.handlers.directory, ...usedFiles(config), ...this.#files.keys()]
  }

  /** All files that matter, as they are now. */
  async #look(): Promise<Contents> {
    const config = this.#options.settings.current
    this.#states = await this.#statesNow()
    const { files: found } = await discover(config.handlers.directory)
    const files = new Set([...found, ...usedFiles(config), ...this.#files.keys()])
    return new Map(await Promise.all([...files].map(async (file) => [file, await contentOf(file)] as const)))
  }

  /**
   * What a loading has read.
   *
   * @param before what was there when it began. It counts more: other hooks may give the loader another text than the file's, and what differs
   * is loaded again.
   */
  async #asRead(files: FilesRead, before: Contents = new Map()): Promise<Contents> {
    const read = [...files].map(
      async ([file, content]) => [file, before.get(file) ?? (await contentOf(file, content))] as const,
    )
    return new Map(await Promise.all(read))
  }
}

/** Where a link leads counts: what a file imports lies beside that. @param known what was read of it. */
async function contentOf(file: string, known?: string): Promise<string> {
  return `${await placeOf(file)} ${known ?? (await readFile(file).then(digest, () => MISSING))}`
}

async function placeOf(path: string): Promise<string> {
  return await realpath(path).catch(() => MISSING)
}

async function statOf(path: string, ...facts: readonly (keyof Stats)[]): Promise<string> {
  return await stat(path).then(
    (stats) => facts.map((fact) => stats[fact]).join(' '),
    () => MISSING,
  )
}

function isSame(one: Contents, other: Contents): boolean {
  return one.size === other.size && [...one].every(([file, content]) => other.get(file) === content)
}
