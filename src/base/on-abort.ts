import type { Cancel } from './schedule.ts'

/** What waits for each signal. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>()

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
  // The same function may wait more than once.
  const one = (): void => run()
  all.add(one)
  return () => void all.delete(one)
}

function listen(signal: AbortSignal): Set<() => void> {
  const all = new Set<() => void>()
  waiting.set(signal, all)
  signal.addEventListener(
    'abort',
    () => {
      for (const run of all) run()
      all.clear()
    },
    { once: true },
  )
  return all
}

const NOTHING: Cancel = () => {}
