import { stat } from 'node:fs/promises'
import { sleep, systemClock } from '../base/clock.ts'
import { asError } from '../base/coded-error.ts'
import type { Secret } from '../base/secret.ts'
import type { Service } from '../base/service.ts'
import { readKey } from './key.ts'

export interface KeyWatchOptions {
  readonly file: string
  /** What was read at the start. */
  readonly first: Secret
  /** Milliseconds between two looks. */
  readonly interval?: number
  /** The file holds another text, or one again after it held none. Whether it is a key that works is for others to find out: that is told when this resolves. */
  readonly changed: (key: Secret) => Promise<void>
  /** The file is empty, gone, or cannot be read. `isReadOnce`: it is never read again, whatever it holds. */
  readonly unusable: (problem: string, isReadOnce: boolean) => void
}

const INTERVAL = 1_000
const MISSING = 'missing'

/**
 * Reads a key file again when it changes. The file is looked at rather than listened to: mounted secrets are exchanged behind a
 * symbolic link, and file systems that are shared tell nothing. What is no regular file, as the pipe of `<(command)`, was read once and is
 * not touched again: it gives its text to one reader, and lets another wait for ever.
 */
export class KeyWatch implements Service {
  readonly #options: KeyWatchOptions
  readonly #stopping = new AbortController()
  #seen: string
  /** Of the file as the last look has found it; empty: the next look finds a change whatever it finds. */
  #fingerprint = ''
  #isStarted = false
  #isUnusable = false
  #work: Promise<void> = Promise.resolve()
  #looking: Promise<void> = Promise.resolve()
  /** Resolves when it is known what becomes of the text that was told last. */
  #told: Promise<void> = Promise.resolve()

  constructor(options: KeyWatchOptions) {
    this.#options = options
    this.#seen = options.first.reveal()
  }

  start(): void {
    if (this.#isStarted || this.#stopping.signal.aborted) return
    this.#isStarted = true
    this.#looking = this.#watch()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all([this.#looking, this.#work])
  }

  /** Reads the file now, and tells what it holds though it is what was told before. Resolves when it is known what becomes of that. */
  async reload(): Promise<void> {
    this.#seen = ''
    this.#isUnusable = false
    this.#readSoon()
    await this.#work
    await this.#told
  }

  /** The first look is a change too: the file may have changed since it was read. */
  async #watch(): Promise<void> {
    const { file, interval = INTERVAL } = this.#options
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const found = await stat(file).catch(() => undefined)
      if (found?.isFile() === false) return
      const fingerprint =
        found === undefined ? MISSING : [found.dev, found.ino, found.size, found.mtimeMs, found.ctimeMs].join()
      if (fingerprint !== this.#fingerprint && !signal.aborted) this.#readSoon()
      this.#fingerprint = fingerprint
      await sleep(systemClock(), interval, signal)
    }
  }

  #readSoon(): void {
    this.#work = this.#work.then(async () => await this.#read(true))
  }

  /** @param mayBeHalf editors empty a file before they write it: an empty one is looked at once more. */
  async #read(mayBeHalf: boolean): Promise<void> {
    const { changed, file, interval = INTERVAL, unusable } = this.#options
    const { signal } = this.#stopping
    const found = await stat(file).catch(() => undefined)
    const isReadOnce = found?.isFile() === false
    const key = isReadOnce ? new Error(readOnce(file)) : await readKey(file).catch((error: unknown) => asError(error))
    if (signal.aborted) return
    if (!(key instanceof Error)) {
      // It has come back since the last look. Gone again by the next one, it would look as it did before.
      if (this.#fingerprint === MISSING) this.#fingerprint = ''
      const isAgain = this.#isUnusable
      this.#isUnusable = false
      if (key.reveal() === this.#seen && !isAgain) return
      this.#seen = key.reveal()
      this.#told = changed(key)
    } else if (mayBeHalf && !isReadOnce) {
      await sleep(systemClock(), interval, signal)
      await this.#read(false)
    } else if (!this.#isUnusable) {
      this.#isUnusable = true
      unusable(key.message, isReadOnce)
    }
  }
}

function readOnce(file: string): string {
  return `the key file ${file} is no regular file and was read once, at the start: to change the key, start the worker again`
}
