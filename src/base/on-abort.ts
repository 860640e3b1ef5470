import { Crowd } from './present.ts'
import type { Cancel } from './schedule.ts'

/** What waits for each signal. */
const waiting = new WeakMap<AbortSignal, Crowd<() => void>>()

/**
 * Calls `run` when the signal aborts, at once where it has. One listener serves all who wait for a signal: an event target looks through
 * its list for each that leaves, and thousands of requests and sleeps wait for the same few signals.
 */
export function onAbort(signal: AbortSignal | undefined, run: () => void): Cancel {
  if (signal === undefined) return NOTHING
  if (signal.aborted) {
    run()
    return NOTHING
  }
  const all = waiting.get(signal) ?? listen(signal)
  return all.add(run)
}

function listen(signal: AbortSignal): Crowd<() => void> {
  const all = new Crowd<() => void>()
  waiting.set(signal, all)
  signal.addEventListener(
    'abort',
    () => {
      for (const run of all) run()
      waiting.delete(signal)
    },
    { once: true },
  )
  return all
}

const NOTHING: Cancel = () => {}

/** What a promise comes to, or undefined where the signal aborts first. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const { promise: aborted, resolve } = Promise.withResolvers<undefined>()
  const cancel = onAbort(signal, () => resolve(undefined))
  return Promise.race([work, aborted]).finally(cancel)
}
