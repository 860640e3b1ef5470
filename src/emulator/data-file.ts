import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CodedError, systemCode } from '../base/coded-error.ts'
import type { Snapshot } from './store/snapshot.ts'

const DEBOUNCE = 200

/** The file is the emulator's own: its first field tells it from anything else that somebody may name by mistake. */
function isSnapshot(data: unknown): data is Snapshot {
  return typeof data === 'object' && data !== null && 'format' in data && data.format === 1
}

/** What was kept in a file, or `undefined` when there is no such file in its directory yet. */
export async function readSnapshot(file: string): Promise<Snapshot | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT' && existsSync(dirname(file))) return undefined
    throw new CodedError('FILE_INVALID', `Cannot read the emulator's data from ${file}`, { cause: error })
  }
  try {
    const data: unknown = JSON.parse(text)
    if (isSnapshot(data)) return data
  } catch (error) {
    throw new CodedError('FILE_INVALID', `${file} is not the emulator's data: it is not JSON`, { cause: error })
  }
  throw new CodedError('FILE_INVALID', `${file} is not the emulator's data: it does not say "format": 1`)
}

/** Keeps a file up to date with what changes, a moment after it changed; replaced as a whole, never half written. */
export class DataFile {
  readonly #file: string
  readonly #take: () => Snapshot
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #failure: CodedError | undefined

  constructor(file: string, take: () => Snapshot) {
    this.#file = file
    this.#take = take
  }

  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#write()
    }, DEBOUNCE)
  }

  /** Writes what there is now; rejects when that fails. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#write()
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure
  }

  #write(): void {
    this.#writing = this.#writing.then(async () => {
      try {
        const whole = `${this.#file}.${process.pid}.next`
        await writeFile(whole, JSON.stringify(this.#take()))
        await rename(whole, this.#file)
        this.#failure = undefined
      } catch (error) {
        this.#failure = new CodedError('FILE_INVALID', `Cannot write the emulator's data to ${this.#file}`, {
          cause: error,
        })
      }
    })
  }
}
