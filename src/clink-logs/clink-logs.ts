import { open, type FileHandle } from 'node:fs/promises'
import { makeDirectory } from '../base/directory.ts'
import { asError } from '../base/coded-error.ts'
import { setTimeout, wallNow } from '../base/host-time.ts'
import { Recent } from '../base/recent.ts'
import type { Config } from '../config/config.ts'
import type { Emit, WorkerEvent } from '../events.ts'
import { loggable } from '../observe/fields.ts'
import { dropOld, hourOf, indexRow, segmentOf, type ClinkLine } from './segments.ts'

export interface ClinkLogsOptions {
  readonly directory: string
  readonly settings: { readonly current: Pick<Config, 'log'> }
  /** Takes secrets out of finished text. */
  readonly redact: (text: string) => string
  readonly emit: Emit
}

/** Lines of one turn, and of those that follow soon, are written together: so many milliseconds. */
const GATHER = 100
/** Characters that may wait to be written. What is more is lost, and counted. */
const WAITING = 1_048_576
/** Milliseconds from one look for what is to be removed to the next. */
const CLEAN = 600_000
/** How many clinks have what was kept for them counted. */
const COUNTED = 10_000
const OWNERS = 0o600

interface Said {
  readonly clinkId: string
  /** With its line end. */
  readonly text: string
}

interface Open {
  readonly name: string
  readonly lines: FileHandle
  readonly index: FileHandle
  /** Bytes of the lines. */
  size: number
}

/**
 * Each clink's own log: what its handler and its programs say, kept in files of an hour each. Nobody waits for it. What a full
 * disk, or a slow one, does not take is lost, which is said; a clink that says nothing costs nothing.
 */
export class ClinkLogs {
  readonly #options: ClinkLogsOptions
  /** Bytes that were kept for each clink. */
  readonly #kept = new Recent<number>(COUNTED)
  #waiting: Said[] = []
  #size = 0
  #lost = 0
  #isFailing = false
  #open: Open | undefined
  #cleanAt = 0
  #work: Promise<void> | undefined

  constructor(options: ClinkLogsOptions) {
    this.#options = options
  }

  /** Whether anything was kept for the clink by this process. */
  has(clinkId: string): boolean {
    return this.#kept.has(clinkId)
  }

  /** A subscriber. */
  readonly note = (event: WorkerEvent): void => {
    if (event.event !== 'clink.log') return
    const { attempt = 1, clink, fields, level, message, route = '' } = event
    const { keep } = this.#options.settings.current.log
    if (keep === null) return
    const id = clink.clink_id
    const kept = this.#kept.get(id) ?? 0
    if (kept > keep.perClink) return
    const line = { clink: id, attempt, handler: route, at: wallNow(), level, message }
    // What handlers log need not be JSON.
    const length = this.#add(fields === undefined ? line : { ...line, fields: loggable(fields, { stacks: false }) })
    this.#kept.set(id, kept + length)
    if (kept + length > keep.perClink) this.#add({ ...line, level: 'warn', message: FULL })
  }

  /** Resolves when all that was said is written, or lost. */
  async close(): Promise<void> {
    while (this.#work !== undefined) await this.#work
    await this.#close()
  }

  /** @returns how long it is. */
  #add(line: Omit<ClinkLine, 'fields'> & { readonly fields?: unknown }): number {
    const text = `${JSON.stringify(line)}\n`
    if (this.#size + text.length > WAITING) this.#lost += 1
    else {
      this.#waiting.push({ clinkId: line.clink, text })
      this.#size += text.length
      this.#work ??= this.#write()
    }
    return text.length
  }

  async #write(): Promise<void> {
    await new Promise<void>((resolve) => setTimeout(resolve, GATHER))
    const lines = this.#waiting
    this.#waiting = []
    this.#size = 0
    try {
      await this.#append(lines)
      if (this.#isFailing || this.#lost > 0) this.#options.emit({ event: 'logs.recovered', lost: this.#lost })
      this.#isFailing = false
      this.#lost = 0
    } catch (error) {
      this.#lost += lines.length
      if (!this.#isFailing) this.#options.emit({ event: 'logs.failed', problem: asError(error).message })
      this.#isFailing = true
      // Nobody knows how much of it was written.
      await this.#close()
    }
    this.#work = this.#waiting.length > 0 ? this.#write() : undefined
  }

  async #append(lines: readonly Said[]): Promise<void> {
    const now = wallNow()
    const file = await this.#file(now)
    const pieces: Buffer[] = []
    const index: string[] = []
    let end = file.size
    for (const [id, own] of Map.groupBy(lines, ({ clinkId }) => clinkId)) {
      const piece = Buffer.from(this.#options.redact(own.map(({ text }) => text).join('')))
      index.push(indexRow({ clinkId: id, offset: end, length: piece.length }))
      pieces.push(piece)
      end += piece.length
    }
    await file.lines.appendFile(Buffer.concat(pieces))
    file.size = end
    await file.index.appendFile(index.join(''))
    const { keep } = this.#options.settings.current.log
    if (keep === null || now < this.#cleanAt) return
    this.#cleanAt = now + CLEAN
    await dropOld(this.#options.directory, { longest: keep.for, total: keep.total }, now)
  }

  async #file(now: number): Promise<Open> {
    const name = hourOf(now)
    if (this.#open?.name === name) return this.#open
    await this.#close()
    const { directory } = this.#options
    makeDirectory(directory, 0o700)
    const paths = segmentOf(directory, name)
    const lines = await open(paths.lines, 'a', OWNERS)
    const index = await open(paths.index, 'a', OWNERS)
    return (this.#open = { name, lines, index, size: (await lines.stat()).size })
  }

  async #close(): Promise<void> {
    const file = this.#open
    this.#open = undefined
    await Promise.all([file?.lines.close(), file?.index.close()]).catch(() => {})
  }
}

const FULL = 'nothing more is kept for this clink: it has said as much as log.keep.perClink allows'
