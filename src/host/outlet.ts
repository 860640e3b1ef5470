import { clearImmediate, clearTimeout, setImmediate, setTimeout } from '../base/host-time.ts'
import { sleep, systemClock } from '../base/clock.ts'
import { asError, systemCode } from '../base/coded-error.ts'

/** What becomes of an outlet, for whoever has to act on it or to say it. */
export interface OutletFacts {
  /** Nobody reads any more: all that is written from now on is dropped. */
  closed(): void
  /** It takes nothing for now, as on a full disk. Told once, until it goes on. */
  failed(problem: string): void
  /** It goes on after it had dropped so many pieces, at this place. */
  resumed(dropped: number): void
}

export interface OutletOptions {
  /** Writes what it can at once and says how many bytes that were. Throws the system's error; never blocks. */
  readonly put: (bytes: Uint8Array) => number
  /** Whether this error says that nobody reads any more. */
  readonly isClosedBy: (error: unknown) => boolean
  readonly facts: OutletFacts
}

/** Bytes that wait at most: what comes behind them is dropped. A quarter of it has to be free again before anything is taken. */
const MOST = 8_388_608
const ROOM = MOST * 0.75
/** Bytes that wait when whoever writes should better wait for `drained`. */
const HIGH_WATER = 16_384
/** The most that one write takes. */
const LARGEST_WRITE = 65_536
/** Milliseconds until the next try: of a reader that took something, at most of one that took nothing, and of a disk that is full. */
const BEHIND = { least: 1, most: 20 }
const FAILING = 1_000

/**
 * Where a process writes text without ever waiting for it. A piece goes out at once where it can; where the reader is behind it waits, in
 * order, up to a bound, and what comes then is dropped and counted. A piece that was begun is always finished before the next.
 */
export class Outlet {
  readonly #options: OutletOptions
  #queue: Uint8Array[] = []
  #waiting = 0
  #dropped = 0
  #isClosed = false
  #isFailing = false
  #isAskedToWait = false
  #drained: () => void = () => {}
  #timer: NodeJS.Timeout | undefined
  /** What waits goes out at the end of this turn. */
  #turn: NodeJS.Immediate | undefined
  #isTogether = false
  #pause = BEHIND.least

  constructor(options: OutletOptions) {
    this.#options = options
  }

  /** Bytes that wait, and pieces that were dropped and not spoken of yet. */
  get behind(): { readonly waiting: number; readonly dropped: number } {
    return { waiting: this.#waiting, dropped: this.#dropped }
  }

  /** Calls `drained` each time when all is written after `write` had answered false. */
  onDrained(drained: () => void): void {
    this.#drained = drained
  }

  /** @returns false: whoever can wait should, until it has drained. */
  write(piece: Uint8Array): boolean {
    if (this.#isClosed || piece.length === 0) return true
    if (this.#mustDrop(piece)) {
      this.#dropped += 1
    } else {
      this.#queue.push(piece)
      this.#waiting += piece.length
      if (this.#timer === undefined) this.#drainInTime()
    }
    this.#isAskedToWait ||= this.#waiting > HIGH_WATER
    return this.#waiting <= HIGH_WATER
  }

  /** What `write` writes may wait for what else is written in this turn. Anything that may not takes it along. */
  together(write: () => void): void {
    this.#isTogether = true
    try {
      write()
    } finally {
      this.#isTogether = false
    }
  }

  /** Tries once to write what waits: for the moment before the process ends. */
  flush(): void {
    if (this.#waiting > 0) this.#drain()
  }

  /** Resolves when all is written, or when nothing of it was taken for so many milliseconds. */
  async finish(patience: number): Promise<void> {
    this.flush()
    const clock = systemClock()
    let before = this.#waiting
    let since = clock.now()
    while (this.#waiting > 0 && clock.now() - since < patience) {
      await sleep(clock, BEHIND.most)
      this.flush()
      if (this.#waiting >= before) continue
      before = this.#waiting
      since = clock.now()
    }
  }

  /** One that is larger than all the room is taken where nothing waits. What is dropped is dropped at one place, not here and there. */
  #mustDrop(piece: Uint8Array): boolean {
    if (this.#waiting === 0) return false
    return this.#waiting + piece.length > MOST || (this.#dropped > 0 && this.#waiting > ROOM)
  }

  #drainInTime(): void {
    if (this.#isTogether && this.#waiting <= HIGH_WATER) this.#turn ??= setImmediate(() => this.#drain())
    else this.#drain()
  }

  #drain(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#turn)
    this.#timer = undefined
    this.#turn = undefined
    const before = this.#waiting
    try {
      while (this.#waiting > 0) this.#putFirst()
    } catch (error) {
      this.#stopped(error, this.#waiting < before)
      return
    }
    this.#sayDropped()
    if (!this.#isAskedToWait) return
    this.#isAskedToWait = false
    this.#drained()
  }

  /** Several small pieces go out as one. */
  #putFirst(): void {
    let length = 0
    const count = this.#queue.findIndex((piece) => (length += piece.length) > LARGEST_WRITE)
    const several = this.#queue.slice(0, count < 0 ? this.#queue.length : Math.max(count, 1))
    const first = several.length === 1 && several[0] !== undefined ? several[0] : Buffer.concat(several)
    this.#queue.splice(0, several.length, first)
    const written = this.#options.put(first)
    this.#waiting -= written
    if (written < first.length) this.#queue[0] = first.subarray(written)
    else this.#queue.shift()
  }

  #stopped(error: unknown, hasMoved: boolean): void {
    if (this.#options.isClosedBy(error)) {
      this.#isClosed = true
      this.#queue = []
      this.#waiting = 0
      this.#options.facts.closed()
      return
    }
    const isBehind = systemCode(error) === 'EAGAIN'
    this.#pause = hasMoved ? BEHIND.least : Math.min(this.#pause * 2, BEHIND.most)
    this.#timer = setTimeout(() => this.#drain(), isBehind ? this.#pause : FAILING)
    this.#timer.unref()
    if (isBehind) {
      if (this.#waiting <= ROOM) this.#sayDropped()
    } else if (!this.#isFailing) {
      this.#isFailing = true
      this.#options.facts.failed(asError(error).message)
    }
  }

  #sayDropped(): void {
    const dropped = this.#dropped
    if (dropped === 0 && !this.#isFailing) return
    this.#dropped = 0
    this.#isFailing = false
    this.#options.facts.resumed(dropped)
  }
}
