import { uptime } from 'node:os'

/*
 * The machine's clocks and timers, as they were when the worker was loaded. Handlers run in the same process: one that replaces `Date.now`
 * or fakes its timers must not take leases, stops and the journal with it. A house test keeps the globals out of the files where it matters.
 */

export const { clearImmediate, clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } = globalThis
const { queueMicrotask } = globalThis

const bootSeconds = uptime

/** Wall time in milliseconds since 1970. */
export const wallNow = Date.now

// oxlint-disable-next-line typescript/unbound-method -- bound below, and compared
const { now } = performance

/** Milliseconds of a clock that goes forward only, and stands still while the machine is suspended. */
export const monotonicNow = now.bind(performance)

// What replaces this clock replaces the property.
// oxlint-disable-next-line typescript/unbound-method -- it goes by nothing
const kernelNanoseconds = process.hrtime.bigint

/** The same in microseconds since a moment that all processes of the machine share. */
export function kernelMicroseconds(): bigint {
  return kernelNanoseconds() / 1_000n
}

/** Whether somebody has replaced the clocks and timers that packages use, which take them from the globals at each call. */
export function areFaked(): boolean {
  const isFaked = globalThis.setImmediate !== setImmediate || globalThis.setTimeout !== setTimeout
  return isFaked || globalThis.queueMicrotask !== queueMicrotask || performance.now !== now
}

/** Milliseconds since the machine was started, suspension included. Reads a file. */
export function bootNow(): number {
  return bootSeconds() * 1_000
}
