import { AsyncLocalStorage } from 'node:async_hooks'
import { clearImmediate, clearTimeout, setImmediate, setTimeout } from './host-time.ts'
import { onAbort } from './on-abort.ts'
import { Schedule, type Cancel, type Timeline } from './schedule.ts'
import { COARSE, systemTime, uptimeReader, type TimeSources } from './uptime.ts'

export type { Cancel, Timeline } from './schedule.ts'

/**
 * Time, as an argument. Everything that waits or compares times takes one of these, so that a test or a simulation can
 * put its own in place.
 */
export interface Clock extends Timeline {
  /** Local time in milliseconds: goes forward only, and counts suspension of the machine and jumps of the wall clock. Leases go by it. */
  now(): number
  /** The same without jumps of the wall clock, which end leases, but shorten no stop, no request and no wait. Absent: there are none. */
  readonly steady?: Timeline | undefined
  /** Wall time in milliseconds since 1970, for stamps and for people; deadlines never depend on it. */
  wall(): number
  /** Calls `run` once when local time has reached `time`, never in the same turn. */
  at(time: number, run: () => void): Cancel
}

/** A process that slept does not advance its timers, so none is set for longer than this before the clock is read again. */
const LONGEST_TIMER = 1_000
/** Timers count from whole milliseconds, rounded down: one that is set for just what is left comes too early, and has to be set a second time. */
const EARLY = 1
/** Slewing and quantised readings stay far below; a larger step of the wall clock between two readings is a jump. */
const WALL_JUMP = 1_000

/**
 * The machine's clock. Local time is the larger elapsed of the monotonic clock and the uptime, which counts suspension; a
 * jump of the wall clock forward is added to it, since it is all that a paused virtual machine shows of its pause. So a lease
 * can end early by this clock, never late.
 */
export function systemClock(source: TimeSources = systemTime): Clock {
  const uptime = uptimeReader(source)
  const start = { monotonic: source.monotonic(), wall: source.wall() }
  const bootBefore = uptime(start.monotonic, start.wall)
  // Changed in place, and numbers handed on one by one: the clock is read dozens of times for each clink, and makes no garbage so.
  const last = { ...start, suspended: 0, jumped: 0 }

  const steadyNow = (): number => {
    const { suspended: before } = last
    const monotonic = source.monotonic()
    const wall = source.wall()
    const ahead = uptime(monotonic, wall) - bootBefore - (monotonic - start.monotonic)
    if (ahead > before + COARSE) last.suspended = ahead
    const jump = wall - last.wall - (monotonic - last.monotonic) - (last.suspended - before)
    if (jump > WALL_JUMP) last.jumped += jump
    last.monotonic = monotonic
    last.wall = wall
    return monotonic + last.suspended
  }
  const local = new Schedule(machineTimers(() => steadyNow() + last.jumped))
  return {
    now: () => local.now(),
    at: (time, run) => local.at(time, run),
    steady: new Schedule(machineTimers(steadyNow)),
    wall: () => source.wall(),
  }
}

/**
 * One timer is for all that waits, and whoever has it set last may be a handler. So nothing runs in the context of whoever that was: a
 * renewal would be a part of another clink's trace.
 */
function machineTimers(now: () => number): Timeline {
  const outside = AsyncLocalStorage.snapshot()
  return {
    now,
    at(time, due) {
      const run = (): void => outside(due)
      let timer: NodeJS.Timeout | undefined
      const wait = (left: number): void => {
        timer = setTimeout(look, Math.min(Math.ceil(left) + EARLY, LONGEST_TIMER))
      }
      const look = (): void => {
        const left = time - now()
        if (left <= 0) run()
        else wait(left)
      }
      const left = time - now()
      if (left > 0) wait(left)
      // A timer takes a millisecond at least: too long where thousands are due at once.
      const turn = left > 0 ? undefined : setImmediate(run)
      return () => {
        clearTimeout(timer)
        clearImmediate(turn)
      }
    },
  }
}

/** The clock without jumps of the wall clock. */
export function steadyOf(clock: Clock): Timeline {
  return clock.steady ?? clock
}

/** Calls `run` when so many milliseconds have passed, whatever the wall clock does meanwhile. */
export function after(clock: Clock, ms: number, run: () => void): Cancel {
  const line = steadyOf(clock)
  return line.at(line.now() + ms, run)
}

/**
 * Resolves when `ms` milliseconds of local time have passed, or as soon as `signal` aborts. It never rejects: whoever waits
 * looks at the signal, as it must anyway.
 */
export async function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return
  await new Promise<void>((resolve) => {
    const cancel = after(clock, ms, () => {
      leave()
      resolve()
    })
    const leave = onAbort(signal, () => {
      cancel()
      resolve()
    })
  })
}

/** A wait that can be cut short. One waiter at a time. */
export class Alarm {
  readonly #clock: Clock
  #wakeUp: () => void = () => {}
  #wakeUpBy: (time: number) => void = () => {}

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves at this local time, or when it rings; without a time only then. */
  async until(time: number | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      let end = time
      let cancel: Cancel = time === undefined ? () => {} : after(this.#clock, time - this.#clock.now(), resolve)
      this.#wakeUp = () => {
        cancel()
        resolve()
      }
      this.#wakeUpBy = (sooner) => {
        if (sooner >= (end ?? Infinity)) return
        end = sooner
        cancel()
        cancel = this.#clock.at(sooner, resolve)
      }
    })
    this.#wakeUpBy = () => {}
  }

  /** Ends the wait that is under way, if there is one, at this local time at the latest. */
  by(time: number): void {
    this.#wakeUpBy(time)
  }

  /** Ends the wait that is under way, if there is one. */
  ring(): void {
    this.#wakeUp()
  }
}
