import { equalJitter } from '../../base/backoff.ts'
import type { WorkerContext } from '../context.ts'

/**
 * Whoever was just answered may well write again: for a while after an answer of ours polls follow each other faster, so that a
 * conversation does not wait for the polls of an empty inbox.
 */
export class Warmth {
  /** Told of each answer; the poller sets it. */
  onAnswer: () => void = () => {}
  readonly #context: Pick<WorkerContext, 'clock' | 'random' | 'settings'>
  #until = -Infinity

  constructor(context: Pick<WorkerContext, 'clock' | 'random' | 'settings'>) {
    this.#context = context
  }

  /** We have sent something to somebody else. */
  answered(): void {
    const { clock, settings } = this.#context
    this.#until = clock.now() + settings.current.poll.warm.for
    this.onAnswer()
  }

  /** The longest that the next poll may wait, in milliseconds; infinite where nobody was answered lately. */
  get longestWait(): number {
    const { clock, random, settings } = this.#context
    const { interval } = settings.current.poll.warm
    return clock.now() < this.#until ? equalJitter(1, { base: interval, max: interval }, random) : Infinity
  }
}
