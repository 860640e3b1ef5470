import { syncBuiltinESMExports } from 'node:module'
import FakeTimers, { type Clock as FakeClock } from '@sinonjs/fake-timers'
import type { Clock } from '../base/clock.ts'
import * as host from '../base/host-time.ts'
import { PendingIo } from './pending-io.ts'

/** Where virtual time begins: a Monday morning. */
const START = Date.UTC(2026, 0, 5, 8)
/** Turns of the event loop in which promises and microtasks come to their ends before time goes on. */
const TURNS = 3
/** More timers than any worker needs in a virtual minute. */
const MOST_PER_MINUTE = 50_000

let isInstalled = false

/**
 * Time that passes only when nothing in this process can go on without it. Timers, `Date` and `node:timers/promises` are virtual from the
 * beginning to `uninstall`, for everybody; `setImmediate`, `performance.now` and what is outside the process are real.
 */
export class VirtualClock implements Clock {
  readonly #fake: FakeClock
  readonly #io = new PendingIo(host.monotonicNow)
  /** Timers of the worker and of the kit; all others are of handlers and of the test. */
  readonly #own = new Set<number>()
  /** What is waited for that is neither a timer nor known to Node: a pattern that is tried in a thread. */
  #waits = 0
  #ticks = 0

  /** @throws {Error} where timers are virtual already. */
  constructor() {
    if (isInstalled) throw new Error(ONE_AT_A_TIME)
    try {
      this.#fake = FakeTimers.install({
        now: START,
        toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
        // What was set before stays real.
        shouldClearNativeTimers: true,
        ignoreMissingTimers: true,
      })
    } catch (cause) {
      throw new Error(FAKE_ALREADY, { cause })
    }
    isInstalled = true
    syncBuiltinESMExports()
  }

  uninstall(): void {
    this.#fake.uninstall()
    syncBuiltinESMExports()
    isInstalled = false
  }

  /** Milliseconds since it began. */
  now(): number {
    return this.#fake.now - START
  }

  wall(): number {
    return this.#fake.now
  }

  at(time: number, run: () => void): () => void {
    const timer = this.#fake.setTimeout(
      () => {
        this.#own.delete(Number(timer))
        run()
      },
      Math.max(0, Math.ceil(time - this.now())),
    )
    this.#own.add(Number(timer))
    return () => {
      this.#own.delete(Number(timer))
      this.#fake.clearTimeout(timer)
    }
  }

  /** Code that was running is gone: its timers never fire. */
  dropOthers(): void {
    for (const { id } of this.#fake.timers?.values() ?? []) if (!this.#own.has(Number(id))) this.#fake.clearTimeout(id)
  }

  /** Time stands until the promise is settled. */
  async standStill<Value>(work: Promise<Value>): Promise<Value> {
    this.#waits += 1
    try {
      return await work
    } finally {
      this.#waits -= 1
    }
  }

  /**
   * Lets time pass, up to `end` at most, until `isOver`.
   *
   * @throws what a timer throws.
   */
  async runUntil(end: number, isOver: () => boolean = () => false): Promise<void> {
    const cancel = this.at(end, () => {})
    try {
      await this.#rest()
      while (!isOver() && this.now() < end) {
        this.#fake.next()
        this.#ticks += 1
        if (this.#ticks > (1 + this.now() / 60_000) * MOST_PER_MINUTE) throw new Error(RUNAWAY)
        await this.#rest()
      }
      // What is due at the same time as the last one.
      if (this.now() >= end) this.#fake.tick(0)
      await this.#rest()
    } finally {
      cancel()
    }
  }

  /** Until nothing goes on without time. */
  async #rest(): Promise<void> {
    for (let turns = 0; turns < TURNS || this.#waits > 0 || this.#io.isUnderWay; turns += 1) {
      await new Promise<void>((resolve) => {
        // Whoever waits for the outside need not burn the processor meanwhile.
        if (turns < 10 * TURNS) host.setImmediate(resolve)
        else host.setTimeout(resolve, 1)
      })
    }
  }
}

const ONE_AT_A_TIME =
  'another testWorker is open in this process: time is virtual for all of it, so one at a time; close it first, or write await using'
const FAKE_ALREADY =
  'timers are replaced already in this process, by vi.useFakeTimers() or the like: testWorker brings virtual time of its own'
const RUNAWAY = 'timers follow each other without time passing: does a handler, or the test, wait in a circle?'
