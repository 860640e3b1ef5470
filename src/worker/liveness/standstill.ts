import type { Cancel, Clock } from '../../base/clock.ts'
import type { Emit } from '../../events.ts'

/** How often it is looked, and what is too short to be told, in milliseconds. */
const LOOK = 1_000
const SHORTEST = 1_000
/** A handler that never lets go for long is told of again after this. */
const SAID_EVERY = 60_000

/**
 * Notices that nothing in this process ran for a while, while handlers were running: code that does not let go keeps the worker
 * from renewing claims, and they are lost. Nothing tells which handler it was, so all that were running are named.
 */
export class Standstill {
  readonly #clock: Clock
  readonly #emit: Emit
  readonly #files: string[] = []
  #dueAt = Infinity
  #saidAt = -Infinity
  #cancel: Cancel = () => {}

  constructor(clock: Clock, emit: Emit) {
    this.#clock = clock
    this.#emit = emit
  }

  started(file: string): void {
    this.#files.push(file)
    if (this.#files.length === 1) this.#watch()
  }

  ended(file: string): void {
    // After a long turn the rest of the handler's code comes before the timer.
    this.#look()
    this.#files.splice(this.#files.indexOf(file), 1)
    if (this.#files.length === 0) this.#cancel()
  }

  #watch(): void {
    this.#dueAt = this.#clock.now() + LOOK
    this.#cancel = this.#clock.at(this.#dueAt, () => {
      this.#look()
      this.#watch()
    })
  }

  #look(): void {
    const now = this.#clock.now()
    const duration = now - this.#dueAt
    if (duration < SHORTEST) return
    this.#dueAt = now
    if (now < this.#saidAt + SAID_EVERY) return
    this.#saidAt = now
    this.#emit({ event: 'worker.stoodStill', duration, handlers: [...new Set(this.#files)], advice: ADVICE })
  }
}

const ADVICE =
  'unless the machine slept, one of these handlers ran without a pause, and no claim could be renewed meanwhile: run it in a thread (runner: thread, docs/handlers.md), or do less at a time between awaits'
