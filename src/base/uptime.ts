import { bootNow, monotonicNow, wallNow } from './host-time.ts'

/** What a clock reads, in milliseconds. */
export type TimeSources = Readonly<Record<'monotonic' | 'boot' | 'wall', () => number>>
export const systemTime: TimeSources = { monotonic: monotonicNow, boot: bootNow, wall: wallNow }

/** The system tells the uptime in hundredths of a second: a smaller lead is rounding. */
export const COARSE = 20
/** How often it is read where nothing shows a suspension, in milliseconds. */
const EVERY = 1_000

/** The two clocks that cost little, read in one moment. */
type Reading = Readonly<Record<'monotonic' | 'wall', number>>

/**
 * Milliseconds since the machine was started, suspension included, at the moment of a reading. The system's word is dear to read. A
 * suspension shows as a lead of the wall clock over the monotonic one as well, so it is read when the two have come apart, and once a
 * second; in between the monotonic clock is added to it.
 */
export function uptimeReader({ boot }: Pick<TimeSources, 'boot'>): (monotonic: number, wall: number) => number {
  let read: (Reading & { readonly boot: number }) | undefined
  return (monotonic, wall) => {
    if (read !== undefined) {
      const passed = monotonic - read.monotonic
      const apart = wall - read.wall - passed
      if (passed < EVERY && Math.abs(apart) <= COARSE) return read.boot + passed
    }
    read = { boot: boot(), monotonic, wall }
    return read.boot
  }
}

/** The same at this moment. */
export function systemUptime(): () => number {
  const uptime = uptimeReader(systemTime)
  return () => uptime(monotonicNow(), wallNow())
}
