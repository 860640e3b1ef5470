/** What signals ask for. Each may be called at any time, also before anything was started. */
export interface SignalActions {
  /** The first TERM or INT: finish and leave. */
  drain(signal: NodeJS.Signals): void
  /** The second: give back what runs, and leave. */
  hurry(): void
  /** The third: leave now. */
  quit(): void
  /** HUP: load the handlers again, or the terminal is gone. */
  hangUp(): void
  /** USR2: say what is in hand. */
  report(): void
}

/**
 * Minds the signals of the process, in place of whoever did before. Call it before the first await: process 1 of a container
 * does not get a TERM that nobody minds.
 *
 * @returns a function that stops minding them.
 */
export function onSignals(actions: SignalActions): () => void {
  let stops = 0
  const stop = (signal: NodeJS.Signals): void => {
    stops += 1
    if (stops === 1) actions.drain(signal)
    else if (stops === 2) actions.hurry()
    else actions.quit()
  }
  const listeners = [
    ['SIGTERM', stop],
    ['SIGINT', stop],
    ['SIGHUP', () => actions.hangUp()],
    ['SIGUSR2', () => actions.report()],
  ] as const
  for (const [signal, listener] of listeners) process.removeAllListeners(signal).on(signal, listener)
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener)
  }
}

/** Resolves with the first TERM, INT or HUP; a second one calls `again`. */
export async function untilStopped(again: () => void): Promise<NodeJS.Signals> {
  return await new Promise((resolve) => {
    let first = true
    const stop = (signal: NodeJS.Signals): void => {
      if (first) resolve(signal)
      else again()
      first = false
    }
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop)
  })
}
