import type { WorkerEvent } from '../../events.ts'

export interface Readiness {
  readonly ready: boolean
  /** What keeps the worker from taking work, and what to do about it, for people. */
  readonly reasons: readonly string[]
}

/** One answer that did not come is no outage. */
const AWAY = 3

/** Whether the worker takes work, learnt from what happens. */
export class ReadinessWatch {
  #hasBegun = false
  #isStopping = false
  #refusal: string | undefined
  #outage: string | undefined
  /** What is claimed cannot be run. */
  #unusable: string | undefined

  note(event: WorkerEvent): void {
    if (event.event === 'worker.ready') this.#hasBegun = true
    if (event.event === 'worker.stopping') this.#isStopping = true
    if (event.event === 'worker.notReady') this.#refusal = `${event.reason}: ${event.advice}`
    if (event.event === 'worker.claimsUnusable') this.#unusable = `${event.reason}: ${event.advice}`
    if (event.event === 'clink.started') this.#unusable = undefined
    if (event.event === 'poll.succeeded') this.#refusal = undefined
    if (event.event === 'poll.succeeded' || event.event === 'poll.probed') this.#outage = undefined
    if (event.event === 'poll.failed' && event.failures >= AWAY)
      this.#outage = `the service does not answer as it should: ${event.error.message}`
  }

  /**
   * @param state what keeps the state directory from being used; undefined: nothing.
   * @param paused routes on which everything fails.
   * @param doubts what cannot be told about clinks that wait.
   */
  readiness(state: string | undefined, paused: readonly string[] = [], doubts: readonly string[] = []): Readiness {
    const all = [
      this.#isStopping ? 'the worker is stopping' : undefined,
      this.#unusable ?? this.#refusal ?? this.#outage,
      ...doubts.filter((doubt) => doubt !== this.#refusal),
      state,
      ...paused.map(
        (name) => `the route ${name} is paused, since everything on it fails: look at what its handler needs`,
      ),
    ]
    const reasons = all.filter((reason) => reason !== undefined)
    if (reasons.length === 0 && !this.#hasBegun) reasons.push('the first poll was not answered yet')
    return { ready: reasons.length === 0, reasons }
  }
}
