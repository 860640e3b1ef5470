import { after, type Cancel, type Clock } from '../base/clock.ts'
import { DONE } from '../ledger/table.ts'

export interface BeatsOptions {
  readonly clock: Clock
  /** It never rejects. */
  readonly beat: () => Promise<void>
  /** Milliseconds from the end of one to the next. */
  readonly wait: () => number
}

/** What is done again and again, one at a time. */
export class Beats {
  readonly #options: BeatsOptions
  #cancel: Cancel = () => {}
  #isStopped = false
  #isRunning = false
  #running: Promise<void> = DONE

  constructor(options: BeatsOptions) {
    this.#options = options
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  /** Resolves when the one that is under way has ended. */
  get running(): Promise<void> {
    return this.#running
  }

  async run(): Promise<void> {
    const done = Promise.withResolvers<void>()
    this.#running = done.promise
    this.#isRunning = true
    await this.#options.beat()
    this.#isRunning = false
    this.soon()
    done.resolve()
  }

  /** One that begins after this moment. Resolves when it has ended. */
  async again(): Promise<void> {
    await this.#running
    // Somebody else who has waited for it may have begun the next one.
    if (!this.#isRunning && !this.#isStopped) {
      this.#cancel()
      void this.run()
    }
    await this.#running
  }

  /** The next one, in place of the one that was to come. */
  soon(wait = this.#options.wait()): void {
    this.#cancel()
    if (!this.#isStopped) this.#cancel = after(this.#options.clock, wait, () => void this.run())
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }
}
