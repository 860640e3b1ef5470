import { setTimeout as delay } from 'node:timers/promises'
import { systemClock, type Clock } from '../../src/base/clock.ts'
import type { TimeSources } from '../../src/base/uptime.ts'

/** As much as passes in one turn of the event loop, in milliseconds, however long the turn takes. */
const MOST = 8
/** How long a turn takes while nothing happens. */
const TURN = 4

let passed = 0
let turned = performance.now()

const since = (): number => Math.min(performance.now() - turned, MOST)

setInterval(() => {
  passed += since()
  turned = performance.now()
}, TURN).unref()

/**
 * Milliseconds that stand still while this process gets no processor. A worker and an emulator that both go by it have leases that a
 * busy machine does not end: between two moments of it there were as many turns as on a machine with nothing else to do.
 */
function patientNow(): number {
  return passed + since()
}

/** A worker's clock by that time, which begins with the machine's. */
export function patientClock(): Clock {
  const wallAt = Date.now() - patientNow()
  const sources: TimeSources = { monotonic: patientNow, boot: patientNow, wall: () => wallAt + patientNow() }
  return systemClock(sources)
}

/** Resolves when so much of it has passed; rejects as `node:timers/promises` does when the signal aborts. */
export async function patientDelay(ms: number, signal?: AbortSignal): Promise<void> {
  const end = patientNow() + ms
  signal?.throwIfAborted()
  for (let left = ms; left > 0; left = end - patientNow()) await delay(left, undefined, { signal })
}
