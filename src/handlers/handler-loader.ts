import { sleep, systemClock, type Clock } from '../base/clock.ts'
import { formatDuration } from '../base/duration.ts'
import type { Config } from '../config/config.ts'
import type { LoadedDefinition, Rules } from './definition.ts'
import type { HandlerSet } from './handler-set.ts'
import { explainFailure } from './load-failure.ts'
import { loadModule, type Failed } from './load-module.ts'
import type { LoadedThere } from './loading-thread.ts'
import type { ModuleHooks, ModuleLoad } from './module-hooks.ts'
import { ThreadLoader } from './thread-loader.ts'

export interface LoaderOptions {
  readonly config: Pick<Config, 'handlers' | 'routes'>
  /** Milliseconds that one file may take to load. Default: 30 s. */
  readonly importTimeout?: number
  readonly clock?: Clock
  /** All of them run in this thread, whatever they say: time in others is not virtual. */
  readonly inline?: true
  /** Nobody waits for the set any more: what is not loaded yet counts as late. */
  readonly signal?: AbortSignal
  /** What is in use while a reload goes on. What threads run of it is not imported into this thread once more. */
  readonly inUse?: HandlerSet
}

/** Milliseconds. */
const THREAD_STARTS_IN = 30_000

/** Loads the handler files of one loading, one after the other, each in the thread where it leaves the least behind. */
export class HandlerLoader {
  readonly #hooks: ModuleHooks
  readonly #load: ModuleLoad
  readonly #options: LoaderOptions
  #thread: ThreadLoader | undefined

  constructor(hooks: ModuleHooks, load: ModuleLoad, options: LoaderOptions) {
    this.#hooks = hooks
    this.#load = load
    this.#options = options
  }

  /** @param path absolute. @param file the same as routes have it. */
  async load(path: string, file: string): Promise<{ readonly definition: LoadedDefinition } | Failed> {
    let url: string
    try {
      url = this.#load.urlOf(path)
    } catch (error) {
      return { failures: [explainFailure(error, this.#load)] }
    }
    const there = this.#isForThreads(path, file) ? await this.#loadThere(url) : undefined
    if (there !== undefined && 'failures' in there) return there
    if (there !== undefined && 'rules' in there && this.#isOnlyForThreads(path, there.rules))
      return { definition: there.rules }
    return await this.#inTime(loadModule(url, this.#load))
  }

  end(): void {
    this.#thread?.end()
  }

  /** As far as is known before it is loaded. A thread takes its time to start: nothing is loaded in one before the first reload. */
  #isForThreads(path: string, file: string): boolean {
    const { inline, inUse } = this.#options
    if (inline === true || inUse === undefined) return false
    const targets = inUse.routes.flatMap((route) => (route.file === file ? [route.target] : []))
    return targets.length > 0 ? targets.every(({ is }) => is === 'thread') : this.#isOnlyForThreads(path, {})
  }

  #isOnlyForThreads(path: string, rules: Rules): boolean {
    const { config } = this.#options
    const routes = config.routes.filter(({ use }) => use === path)
    const runners = routes.length > 0 ? routes.map(({ runner }) => runner ?? rules.runner) : [rules.runner]
    return runners.every((runner) => (runner ?? config.handlers.runner) === 'thread')
  }

  async #loadThere(url: string): Promise<LoadedThere> {
    if (this.#thread === undefined || this.#thread.isOver) {
      try {
        this.#thread = new ThreadLoader(this.#load, this.#hooks.beginningOf(this.#load))
      } catch {
        return { here: true }
      }
    }
    const thread = this.#thread
    const isUp = await this.#within(THREAD_STARTS_IN, thread.started)
    if (isUp !== true) thread.end()
    if (isUp !== true && this.#options.signal?.aborted !== true) return { here: true }
    // It may be in a loop, and then it loads nothing else.
    return await this.#inTime(thread.load(url), () => thread.end())
  }

  async #inTime<Result>(loading: Promise<Result>, late?: () => void): Promise<Result | Failed> {
    const { importTimeout = 30_000 } = this.#options
    const result = await this.#within(importTimeout, loading)
    if (result !== undefined) return result
    late?.()
    const time = formatDuration(importTimeout)
    return { failures: [{ message: `was not loaded after ${time}; does an await at its top level never end?` }] }
  }

  /** Undefined: not in time. */
  async #within<Result>(ms: number, work: Promise<Result>): Promise<Result | undefined> {
    const { clock = systemClock(), signal } = this.#options
    const over = new AbortController()
    const ends = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal])
    try {
      return await Promise.race([work, sleep(clock, ms, ends).then(() => undefined)])
    } finally {
      over.abort()
    }
  }
}
