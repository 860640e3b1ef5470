import { setImmediate as turn } from 'node:timers/promises'
import type { Cancel } from '../../src/base/clock.ts'
import type { Chance } from './chance.ts'

/** Whose timers and answers an entry is: while it sleeps nothing of it fires, when it is dead nothing ever does. */
export interface Host {
  readonly asleepUntil: number
  readonly isDead: boolean
}

interface Entry {
  time: number
  order: number
  run: (() => void) | undefined
  readonly host: Host | undefined
}

/** Times are multiples of this, so that adding and taking away an offset loses nothing. */
const GRAIN = 1 / 1_024

/** Far more turns than any worker needs. */
const TURNS_PER_MINUTE = 50_000

/** A worker goes round in a circle in which time does not pass. */
export class RunawayError extends Error {
  constructor(now: number, ticks: number) {
    super(`${ticks} turns until ${now} ms`)
    this.name = 'RunawayError'
  }
}

/** Time that passes only when nothing is left to do: a heap of entries, one real turn of the event loop for each. */
export class VirtualTime {
  /** Entries that have run. */
  ticks = 0
  #now = 0
  #count = 0
  readonly #heap: Entry[] = []
  readonly #chance: Chance

  constructor(chance: Chance) {
    this.#chance = chance
  }

  get now(): number {
    return this.#now
  }

  /** Never runs in the same turn. */
  at(time: number, run: () => void, host?: Host): Cancel {
    this.#count += 1
    const due = Math.max(this.#now, Math.ceil(time / GRAIN) * GRAIN)
    const entry: Entry = { time: due, order: this.#count, run, host }
    this.#push(entry)
    return () => {
      entry.run = undefined
    }
  }

  /**
   * Goes on until the time is over or nothing is left.
   *
   * @throws {RunawayError} where it would never end.
   */
  async runUntil(end: number, isOver: () => boolean): Promise<void> {
    // What was begun before takes no time either.
    await turn()
    for (let entry = this.#heap[0]; entry !== undefined && entry.time <= end; entry = this.#heap[0]) {
      this.#pop()
      const { run, host } = entry
      if (run === undefined || host?.isDead === true) continue
      if (host !== undefined && host.asleepUntil > entry.time) {
        // After a sleep a late timer, an answer and a continuation have no order: the machine takes them as it finds them.
        entry.time = host.asleepUntil
        entry.order = this.#chance.next()
        this.#push(entry)
        continue
      }
      this.#now = entry.time
      this.ticks += 1
      if (this.ticks > (1 + this.#now / 60_000) * TURNS_PER_MINUTE) throw new RunawayError(this.#now, this.ticks)
      run()
      await turn()
      if (isOver()) return
    }
    this.#now = Math.max(this.#now, end)
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const up = (at - 1) >> 1
      const parent = heap[up]
      if (parent === undefined || !isBefore(entry, parent)) break
      heap[at] = parent
      at = up
    }
    heap[at] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let down = 2 * at + 1
      let child = heap[down]
      const right = heap[down + 1]
      if (child !== undefined && right !== undefined && isBefore(right, child)) {
        child = right
        down += 1
      }
      if (child === undefined || !isBefore(child, last)) break
      heap[at] = child
      at = down
    }
    heap[at] = last
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order)
}
