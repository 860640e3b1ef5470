import { after, steadyOf, type Cancel, type Clock } from '../base/clock.ts'
import type { WorkerSignals } from '../worker/signals.ts'
import type { Worker } from '../worker/worker.ts'

/** What ends a process that would go on for ever. */
export interface Ending {
  /** It takes so many clinks and no more, and ends when nothing of them is in hand. */
  readonly clinks?: number | undefined
  /** It ends when nothing was in hand for so many milliseconds in which the service has answered. */
  readonly idle?: number | undefined
  /** After so many milliseconds it takes nothing more, as if drained, and ends when nothing is in hand. */
  readonly uptime?: number | undefined
}

interface RunLimitsOptions {
  readonly ending: Ending
  readonly clock: Clock
  readonly signals: Pick<WorkerSignals, 'failed'>
  readonly worker: Pick<Worker, 'drain' | 'isStopping' | 'isFull'>
  /** @param why for people. */
  readonly end: (why: string) => void
}

/** Milliseconds between two looks. */
const LOOK = 500
const BY_UPTIME = '--max-uptime'

/** When a worker ends by itself, in order: nothing is aborted for it. */
export class RunLimits {
  readonly #options: RunLimitsOptions
  /** By the steady clock. */
  #idleSince = 0
  /** The time is over: whoever had it drained before, or resumes it from now on. */
  #isOver = false
  #cancel: Cancel = () => {}
  #cancelUptime: Cancel = () => {}

  constructor(options: RunLimitsOptions) {
    this.#options = options
    // While the service is away nobody knows whether there is work.
    options.signals.failed.on(() => (this.#idleSince = this.#now))
  }

  start(): void {
    const { clock, ending, worker } = this.#options
    const { uptime } = ending
    this.#idleSince = this.#now
    if (uptime !== undefined)
      this.#cancelUptime = after(clock, uptime, () => {
        this.#isOver = true
        void worker.drain.begin({ by: BY_UPTIME })
      })
    this.#lookLater()
  }

  stop(): void {
    this.#cancel()
    this.#cancelUptime()
  }

  #lookLater(): void {
    this.#cancel = after(this.#options.clock, LOOK, () => {
      this.#look()
      if (!this.#options.worker.isStopping) this.#lookLater()
    })
  }

  #look(): void {
    const { end, ending, worker } = this.#options
    if (this.#isOver) void worker.drain.begin({ by: BY_UPTIME })
    const { inHand, work } = worker.drain
    if (work > 0) this.#idleSince = this.#now
    else if (worker.isFull) end('--max-clinks is reached')
    else if (this.#isOver && inHand === 0) end('--max-uptime is over')
    else if (this.#now - this.#idleSince >= (ending.idle ?? Infinity))
      end('--idle-exit: nothing was in hand for so long')
  }

  get #now(): number {
    return steadyOf(this.#options.clock).now()
  }
}
