import { after, type Cancel, type Clock } from '../../base/clock.ts'

/** Milliseconds between two looks. */
const LOOK = 100
/** A thread that does not come to collect what it no longer needs may have so much more than its limit. */
const UNCOLLECTED = 1.5
const GIBIBYTE = 1_073_741_824

/**
 * What V8 is told: it ends a thread at its limit only where the next allocation is small, and the whole process where it is large, as that of a
 * list that grows. So its limit lies far above ours, and is hardly ever met.
 */
export function hardLimit(limit: number): number {
  return 2 * limit + GIBIBYTE
}

export interface WatchedHeap {
  /** Bytes in use, with what was not collected yet; undefined: the thread is not up, or gone. It answers while its code is busy. */
  used(): Promise<number | undefined>
  /** Collects what is not needed, when its code comes to that: `MemoryWatch.collected` is told what is left. */
  collect(): void
  /** It is large, whichever run made it so: nothing else is to run in it. */
  retire(): void
  /** The run that it has needs too much. */
  exceeded(): void
}

/** Sees to it that no run has more than its share of memory. What short runs leave behind, one after the other, is noticed as well. */
export class MemoryWatch {
  readonly #clock: Clock
  readonly #limit: number
  readonly #heap: WatchedHeap
  #cancel: Cancel | undefined
  /** Runs are counted. */
  #run = 0
  #isRunning = false
  /** The run that the last look saw, and the one for which a collection was asked. */
  #seen = 0
  #asked = 0

  constructor(clock: Clock, limit: number, heap: WatchedHeap) {
    this.#clock = clock
    this.#limit = limit
    this.#heap = heap
  }

  begin(): void {
    this.#run += 1
    this.#isRunning = true
    if (this.#cancel === undefined) this.#later()
  }

  end(): void {
    this.#isRunning = false
  }

  /** The thread is gone. */
  stop(): void {
    this.#cancel?.()
  }

  collected(used: number): void {
    if (this.#isRunning && this.#asked === this.#run && used > this.#limit) this.#heap.exceeded()
  }

  #later(): void {
    this.#cancel = after(this.#clock, LOOK, () => void this.#look())
  }

  async #look(): Promise<void> {
    const used = (await this.#heap.used()) ?? 0
    if (used > this.#limit) this.#heap.retire()
    // What has only just begun is not to blame.
    if (used > this.#limit && this.#isRunning && this.#seen === this.#run) this.#grown(used)
    this.#seen = this.#run
    this.#cancel = undefined
    if (this.#isRunning) this.#later()
  }

  #grown(used: number): void {
    if (this.#asked === this.#run && used > this.#limit * UNCOLLECTED) return this.#heap.exceeded()
    this.#asked = this.#run
    this.#heap.collect()
  }
}
