import { monotonicNow } from '../base/host-time.ts'
import { isatty } from 'node:tty'

/** What signals ask for. Each may be called at any time, also before anything was started. */
export interface SignalActions {
  /** The first TERM or INT, or a HUP that says that the terminal is gone: finish and leave. */
  drain(signal: NodeJS.Signals): void
  /** The second: give back what runs, and leave. */
  hurry(): void
  /** The third: leave now. */
  quit(): void
  /** HUP of a service: load the handlers again. */
  reload(): void
  /** USR2: say what is in hand. */
  report(): void
}

export interface SignalOptions {
  /** Whether HUP says that the terminal is gone. */
  readonly hangUpStops: boolean
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

/** One wish arrives more than once: a terminal sends it to all of its programs, and npm passes it on. */
const ONE_WISH = 1_000

/**
 * Minds the signals of the process, in place of whoever did before. Call it before the first await: process 1 of a container
 * does not get a TERM that nobody minds.
 *
 * @returns a function that stops minding them.
 */
export function onSignals(actions: SignalActions, { hangUpStops, now }: SignalOptions): () => void {
  const isNew = newWishes(now)
  let stops = 0
  const stop = (signal: NodeJS.Signals): void => {
    if (!isNew()) return
    stops += 1
    if (stops === 1) actions.drain(signal)
    else if (stops === 2) actions.hurry()
    else actions.quit()
  }
  const hangUp = (signal: NodeJS.Signals): void => {
    if (!hangUpStops) actions.reload()
    // The kernel says it, and so does the shell: it is never a second wish.
    else if (stops === 0) stop(signal)
  }
  const listeners = [
    ['SIGTERM', stop],
    ['SIGINT', stop],
    ['SIGHUP', hangUp],
    ['SIGUSR2', () => actions.report()],
  ] as const
  for (const [signal, listener] of listeners) takeOver(signal, listener)
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener)
  }
}

/** Nobody minds a signal for a moment where the last listener goes first: Node drops one then that has come and was not told yet. */
function takeOver(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): void {
  const before = process.listeners(signal)
  process.on(signal, listener)
  for (const earlier of before) process.off(signal, earlier)
}

/** Whether this process was started in a terminal, which tells its programs when it closes. Process 1 has none of its own. */
export function isInTerminal(): boolean {
  return process.pid !== 1 && [0, 1, 2].some((fd) => isatty(fd))
}

/** Resolves with the first TERM, INT or HUP; each later wish calls `again`. */
export async function untilStopped(again: () => void): Promise<NodeJS.Signals> {
  return await new Promise((resolve) => {
    const isNew = newWishes()
    let isFirst = true
    const stop = (signal: NodeJS.Signals): void => {
      if (!isNew()) return
      if (isFirst) resolve(signal)
      else again()
      isFirst = false
    }
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop)
  })
}

/** Tells a signal that is a wish of its own from one that repeats the wish before it. */
function newWishes(now: () => number = monotonicNow): () => boolean {
  let last = -Infinity
  return () => {
    if (now() - last < ONE_WISH) return false
    last = now()
    return true
  }
}
