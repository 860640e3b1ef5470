import { humanDuration } from '../../base/duration.ts'
import { readTime } from '../../base/time-text.ts'
import type { Clink } from '../../clink/records.ts'

/** Milliseconds by which clocks may differ before an age by two of them is not said: of machines, and of a machine and the service. */
const MACHINES = 5_000
const SERVICE = 3_600_000

/**
 * How long ago something became of a clink, for people. Of a fleet that was noted by the clock of another machine: an age that cannot be, since it lies in the
 * future or long before the clink was sent, is not known.
 */
export function ageText({ at, clink }: { readonly at: number; readonly clink: Clink }, now: number): string {
  const sent = readTime(clink.created_at) ?? -Infinity
  const canBe = at <= now + MACHINES && at >= sent - SERVICE
  return canBe ? humanDuration(Math.max(0, now - at)) : '?'
}
