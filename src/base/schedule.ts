/** Undoes what it came from; calling it again does nothing. */
export type Cancel = () => void

/** A reading of time, and timers that go by it. Milliseconds; only differences mean anything. */
export interface Timeline {
  now(): number
  /** Calls `run` once when the time has been reached, never in the same turn. */
  at(time: number, run: () => void): Cancel
}

interface Entry {
  readonly time: number
  /** Entries of the same time run in the order in which they were made. */
  readonly order: number
  /** Undefined once it has left the heap: whoever still knows the entry, as a list that the heap has grown out of, keeps nothing else alive. */
  run: (() => void) | undefined
  /** Its index in the heap; -1 once it has left. */
  place: number
}

/**
 * Everything that waits on one timeline, in a heap. It sets one timer, for the entry that is due first, and none while nothing
 * waits: a thousand claims cost one timer, not thousands. Each entry runs in a turn of its own.
 */
export class Schedule implements Timeline {
  readonly #line: Timeline
  readonly #heap: Entry[] = []
  /** `isDue`: its time had been reached when it was set, so that it fires in the next turn. */
  #timer: { readonly time: number; readonly isDue: boolean; readonly cancel: Cancel } | undefined
  #count = 0

  constructor(line: Timeline) {
    this.#line = line
  }

  now(): number {
    return this.#line.now()
  }

  at(time: number, run: () => void): Cancel {
    this.#count += 1
    const entry = { time, order: this.#count, run, place: -1 }
    this.#rise(entry, this.#heap.length)
    this.#arm()
    return () => this.#remove(entry)
  }

  /**
   * Sets the timer for the first entry. A timer that is too early stays: when it fires, it is set anew. One that is overdue is set anew at
   * once: the time has jumped, and it may notice that only later.
   */
  #arm(): void {
    const time = this.#heap[0]?.time
    const set = this.#timer
    const now = this.#line.now()
    if (time !== undefined && set !== undefined && set.time <= time && (set.isDue || set.time > now)) return
    set?.cancel()
    const cancel = time === undefined ? undefined : this.#line.at(time, () => this.#fire(time))
    this.#timer = time === undefined || cancel === undefined ? undefined : { time, isDue: time <= now, cancel }
  }

  #fire(time: number): void {
    this.#timer = undefined
    const first = this.#heap[0]
    try {
      if (first === undefined || first.time > time) return
      const { run } = first
      this.#remove(first)
      run?.()
    } finally {
      this.#arm()
    }
  }

  #remove(entry: Entry): void {
    const { place } = entry
    if (place < 0) return
    entry.place = -1
    entry.run = undefined
    const last = this.#heap.pop()
    if (last !== undefined && last !== entry) {
      const up = this.#heap[(place - 1) >> 1]
      if (place > 0 && up !== undefined && isBefore(last, up)) this.#rise(last, place)
      else this.#sink(last, place)
    }
    if (this.#heap.length === 0) this.#arm()
  }

  /** Puts an entry where it belongs, from this place towards the root. */
  #rise(entry: Entry, place: number): void {
    let at = place
    while (at > 0) {
      const parent = this.#heap[(at - 1) >> 1]
      if (parent === undefined || !isBefore(entry, parent)) break
      this.#put(parent, at)
      at = (at - 1) >> 1
    }
    this.#put(entry, at)
  }

  /** The same, away from the root. */
  #sink(entry: Entry, place: number): void {
    let at = place
    for (;;) {
      const [left, right] = [this.#heap[2 * at + 1], this.#heap[2 * at + 2]]
      const child = left !== undefined && right !== undefined && isBefore(right, left) ? right : left
      if (child === undefined || !isBefore(child, entry)) break
      const { place: free } = child
      this.#put(child, at)
      at = free
    }
    this.#put(entry, at)
  }

  #put(entry: Entry, place: number): void {
    this.#heap[place] = entry
    entry.place = place
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order)
}
