import { clearInterval, monotonicNow, setInterval } from './host-time.ts'

/**
 * Looks at how late timers are, which is how long code has held the event loop. Keeps no process up.
 *
 * @param every milliseconds between two looks.
 * @param looked told at each look by how many milliseconds that was late.
 * @returns ends it.
 */
export function watchLateness(every: number, looked: (late: number) => void): () => void {
  let due = monotonicNow() + every
  const looks = setInterval(() => {
    const now = monotonicNow()
    looked(Math.max(0, now - due))
    due = now + every
  }, every)
  looks.unref()
  return () => clearInterval(looks)
}
