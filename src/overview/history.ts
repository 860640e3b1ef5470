import { wallNow } from '../base/host-time.ts'
import type { WorkerEvent } from '../events.ts'
import { percentile } from './percentile.ts'

/** What happened in one span of time. */
export interface Span {
  /** When it began: wall time in milliseconds. */
  readonly at: number
  readonly started: number
  readonly done: number
  readonly failed: number
  readonly deadLettered: number
  /** Milliseconds in which half of the runs had ended, and 95 % of them; null: none has ended. */
  readonly p50: number | null
  readonly p95: number | null
  /** Clinks in hand at its end. */
  readonly inHand: number
}

/** Milliseconds. */
const LENGTH = 20_000
/** An hour. */
const SPANS = 180
/** Runs whose durations are kept of one span: enough for what 95 % of them took. */
const SAMPLES = 256

type Growing = { -readonly [Key in 'started' | 'done' | 'failed' | 'deadLettered' | 'inHand']: number } & {
  readonly at: number
  readonly durations: number[]
  runs: number
}

/** The last hour, in memory, in spans of time. */
export class History {
  readonly length = LENGTH
  readonly #spans: Growing[] = []
  readonly #wall: () => number

  constructor(wall = wallNow) {
    this.#wall = wall
  }

  readonly note = (event: WorkerEvent): void => {
    // Most facts are no part of it.
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check
    switch (event.event) {
      case 'clink.started':
        this.#now.started += 1
        return
      case 'clink.deadLettered':
        this.#now.deadLettered += 1
        return
      case 'clink.ended': {
        const span = this.#now
        if (event.outcome === 'done') span.done += 1
        else if (event.outcome === 'failed' || event.outcome === 'reject') span.failed += 1
        sample(span, event.duration)
      }
    }
  }

  /** Told from time to time how many clinks are in hand. */
  inHand(count: number): void {
    this.#now.inHand = count
  }

  /** The last one goes on. Spans in which nothing was noted are left out. */
  get spans(): readonly Span[] {
    const oldest = this.#start - LENGTH * SPANS
    return this.#spans
      .filter(({ at }) => at > oldest)
      .map(({ at, deadLettered, done, durations, failed, inHand, started }) => ({
        at,
        started,
        done,
        failed,
        deadLettered,
        inHand,
        p50: percentile(durations, 0.5),
        p95: percentile(durations, 0.95),
      }))
  }

  get #start(): number {
    return Math.floor(this.#wall() / LENGTH) * LENGTH
  }

  get #now(): Growing {
    const at = this.#start
    const last = this.#spans.at(-1)
    // A wall clock that is set back begins no new one.
    if (last !== undefined && last.at >= at) return last
    const begun = { at, started: 0, done: 0, failed: 0, deadLettered: 0, inHand: 0, durations: [], runs: 0 }
    this.#spans.push(begun)
    if (this.#spans.length > SPANS) this.#spans.shift()
    return begun
  }
}

/** Each run has the same chance to be among the samples. */
function sample(span: Growing, duration: number): void {
  span.runs += 1
  const place = span.durations.length < SAMPLES ? span.durations.length : Math.floor(Math.random() * span.runs)
  if (place < SAMPLES) span.durations[place] = duration
}
