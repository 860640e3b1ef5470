import { wallNow } from '../base/host-time.ts'
import { watchLateness } from '../base/lateness.ts'
import type { RequestWatch } from '../clink/client.ts'
import type { Emit } from '../events.ts'
import type { Observed } from './read-gauges.ts'

/** Milliseconds between two looks at how late timers are. */
const LOOK = 500

interface Counting {
  readonly event: Emit
  readonly request: RequestWatch
  readonly text: (worker: Observed) => Promise<string>
}

/** What is measured of one worker, for Prometheus. Until it is loaded, what happens is kept; then it is counted at once. */
export class Metrics {
  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8'
  readonly #version: string
  readonly #loaded = Promise.withResolvers<Counting>()
  #counting: Counting | undefined
  /** Undefined: nothing is kept any more. */
  #waiting: ((counting: Counting) => void)[] | undefined = []
  #endLooks: () => void = () => {}

  constructor(version: string) {
    this.#version = version
    // Whoever asks is told.
    this.#loaded.promise.catch(() => {})
  }

  readonly note: Emit = (event) => {
    if (this.#counting === undefined) this.#waiting?.push((counting) => counting.event(event))
    else this.#counting.event(event)
  }

  readonly request: RequestWatch = (operation, answer, duration) => {
    if (this.#counting === undefined) this.#waiting?.push(({ request }) => request(operation, answer, duration))
    else this.#counting.request(operation, answer, duration)
  }

  /**
   * Loads what counts. Never rejects: what cannot be loaded keeps nothing but metrics from working.
   *
   * @param slo milliseconds in which a handler should be started after its clink was sent.
   */
  async load(slo: () => number): Promise<void> {
    try {
      const counting = await this.#load(slo)
      for (const count of this.#waiting ?? []) count(counting)
      this.#counting = counting
      this.#loaded.resolve(counting)
    } catch (error) {
      this.#loaded.reject(error)
    }
    this.#waiting = undefined
  }

  stop(): void {
    this.#endLooks()
  }

  /** All that there is to say about the worker now. */
  async text(worker: Observed): Promise<string> {
    const { text } = await this.#loaded.promise
    return await text(worker)
  }

  async #load(slo: () => number): Promise<Counting> {
    const { countEvents, makeInstruments, readGauges } = await import('./counting.ts')
    const instruments = makeInstruments()
    const { apiDuration, apiRequests, build, loopDelay, registry, startTime } = instruments
    build.set({ version: this.#version, node: process.version }, 1)
    startTime.set(Math.round(wallNow() / 1_000 - process.uptime()))
    this.#endLooks = watchLateness(LOOK, (late) => loopDelay.observe(late / 1_000))
    return {
      event: countEvents(instruments, slo),
      request: (operation, answer, duration) => {
        apiRequests.add(operation, answer)
        apiDuration.observe(duration / 1_000, operation)
      },
      text: async (worker) => {
        readGauges(instruments, worker)
        return await registry.metrics()
      },
    }
  }
}
