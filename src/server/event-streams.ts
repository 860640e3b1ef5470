import type { ServerResponse } from 'node:http'
import { asError } from '../base/coded-error.ts'
import { clearInterval, monotonicNow, setInterval } from '../base/host-time.ts'
import { errorOf, jsonAnswer, type Answer, type Stream } from './answer.ts'

/** One kind of news. */
interface Told {
  /** In how many turns it is told once, of a second each; also as the first of a stream. */
  readonly every: number
  /** JSON. */
  readonly text: () => string | Promise<string>
}

export interface EventStreamsOptions {
  readonly told: Readonly<Record<string, Told>>
  /** The most streams at a time. */
  readonly most: number
  /** Milliseconds of a turn. */
  readonly turn?: number
  /** Milliseconds for which a reader surely keeps its place. */
  readonly keeps?: number
}

const TURN = 1_000
/** Bytes that may wait for a reader. One that is further behind is dropped: it comes again, and loses nothing, since all news is whole. */
const BEHIND = 1_000_000
/**
 * The kernel takes news for a reader that stands still, hours of it where little happens, so nothing shows who reads. A page that has lost its place
 * comes again, and one that stands still does not.
 */
const KEEPS = 60_000
/** Milliseconds after which a reader that was dropped comes again. */
const RETRY = 2_000

/**
 * What changes, for pages that are open: server-sent events. Each event is whole, so nobody needs those that were missed. It is made once for
 * all readers, and not at all while nobody reads.
 */
export class EventStreams {
  readonly #options: EventStreamsOptions
  /** And when each has begun, the first of them first. */
  readonly #readers = new Map<ServerResponse, number>()
  #turns: NodeJS.Timeout | undefined
  #turn = 0
  #isTelling = false

  constructor(options: EventStreamsOptions) {
    this.#options = options
  }

  get readers(): number {
    return this.#readers.size
  }

  open(): Stream | Answer {
    const { most } = this.#options
    if (!this.#hasPlace) {
      const error = `${most} streams are open, and there are no more: close a page`
      return jsonAnswer(503, { error }, { 'retry-after': '10' })
    }
    const headers = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' }
    return { status: 200, headers, begin: (response) => this.#begin(response) }
  }

  stop(): void {
    clearInterval(this.#turns)
    this.#turns = undefined
    for (const reader of this.#readers.keys()) reader.end()
    this.#readers.clear()
  }

  get #hasPlace(): boolean {
    return this.#readers.size < this.#options.most || this.#outlasted !== undefined
  }

  /** Who has had its place for longest, and gives way. */
  get #outlasted(): ServerResponse | undefined {
    const [[first, since] = []] = this.#readers
    return since !== undefined && monotonicNow() - since >= (this.#options.keeps ?? KEEPS) ? first : undefined
  }

  #begin(response: ServerResponse): void {
    // There may have come more in the turn.
    if (response.destroyed || !this.#hasPlace) return void response.destroy()
    if (this.#readers.size >= this.#options.most) this.#drop(this.#outlasted)
    this.#readers.set(response, monotonicNow())
    response.on('close', () => this.#leave(response))
    response.write(`retry: ${RETRY}\n\n`)
    this.#turns ??= setInterval(() => void this.#tell(), this.#options.turn ?? TURN).unref()
    void this.#tellAll([response], Object.keys(this.#options.told))
  }

  #drop(reader: ServerResponse | undefined): void {
    if (reader === undefined) return
    this.#readers.delete(reader)
    reader.destroy()
  }

  #leave(response: ServerResponse): void {
    this.#readers.delete(response)
    if (this.#readers.size > 0) return
    clearInterval(this.#turns)
    this.#turns = undefined
  }

  async #tell(): Promise<void> {
    // What takes longer than a turn is not asked for twice.
    if (this.#isTelling) return
    this.#isTelling = true
    this.#turn += 1
    const due = Object.entries(this.#options.told).filter(([, { every }]) => this.#turn % every === 0)
    await this.#tellAll(
      [...this.#readers.keys()],
      due.map(([name]) => name),
    )
    this.#isTelling = false
  }

  async #tellAll(readers: readonly ServerResponse[], names: readonly string[]): Promise<void> {
    for (const name of names) {
      const text = await this.#textOf(name)
      for (const reader of readers) {
        if (reader.writableLength > BEHIND) reader.destroy()
        else if (this.#readers.has(reader)) reader.write(`id: ${this.#turn}\nevent: ${name}\ndata: ${text}\n\n`)
      }
    }
  }

  async #textOf(name: string): Promise<string> {
    try {
      return (await this.#options.told[name]?.text()) ?? 'null'
    } catch (error) {
      return JSON.stringify(errorOf(asError(error)))
    }
  }
}
