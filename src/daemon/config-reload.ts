import { stat } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { sleep, systemClock } from '../base/clock.ts'
import { asError } from '../base/coded-error.ts'
import type { Service } from '../base/service.ts'
import type { Config } from '../config/config.ts'

export interface ConfigReloadOptions {
  /** Looked at for changes; null: there is none, and only those who tell it to have it read again. */
  readonly file: string | null
  /** What was read at the start. */
  readonly first: Config
  /** @throws what is wrong with it. */
  readonly read: () => Promise<Config>
  /** Uses it as a whole, or reports why it cannot. */
  readonly use: (next: Config) => Promise<void>
  readonly failed: (error: Error) => void
  /** Milliseconds between two looks. */
  readonly interval?: number
}

const INTERVAL = 1_000

/**
 * Reads the configuration again when it is told to, or when its file has changed and stays as it is from one look to the next: editors empty
 * a file before they write it, and an empty one is a configuration. The file is looked at for the reasons that `KeyWatch` tells.
 */
export class ConfigReload implements Service {
  readonly #options: ConfigReloadOptions
  readonly #stopping = new AbortController()
  #work: Promise<void> = Promise.resolve()
  #looking: Promise<void> = Promise.resolve()

  constructor(options: ConfigReloadOptions) {
    this.#options = options
  }

  start(): void {
    this.#looking = this.#watch()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all([this.#looking, this.#work])
  }

  /** Resolves when it is in use, or was reported. */
  async reload(): Promise<void> {
    await this.#readSoon(undefined)
  }

  async #watch(): Promise<void> {
    const { file, interval = INTERVAL } = this.#options
    const { signal } = this.#stopping
    if (file === null) return
    let inUse = await fingerprintOf(file)
    let last = inUse
    // It may have changed since it was read.
    if (!signal.aborted) void this.#readSoon(this.#options.first)
    while (!signal.aborted) {
      await sleep(systemClock(), interval, signal)
      const now = await fingerprintOf(file)
      if (now === last && now !== inUse && !signal.aborted) {
        inUse = now
        void this.reload()
      }
      last = now
    }
  }

  async #readSoon(known: Config | undefined): Promise<void> {
    this.#work = this.#work.then(async () => await this.#read(known))
    await this.#work
  }

  /** @param known if it is still this one, there is nothing to do. */
  async #read(known: Config | undefined): Promise<void> {
    const { failed, read, use } = this.#options
    if (this.#stopping.signal.aborted) return
    let next: Config
    try {
      next = await read()
    } catch (error) {
      failed(asError(error))
      return
    }
    if (!this.#stopping.signal.aborted && !isDeepStrictEqual(next, known)) await use(next)
  }
}

async function fingerprintOf(file: string): Promise<string> {
  const found = await stat(file).catch(() => undefined)
  return found === undefined ? 'missing' : [found.dev, found.ino, found.size, found.mtimeMs, found.ctimeMs].join()
}
