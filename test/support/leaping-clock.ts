import { systemClock, type Clock } from '../../src/base/clock.ts'

/** The machine's clock, which a test can move forward. */
export interface LeapingClock extends Clock {
  leap(ms: number): void
}

const LOOK_AGAIN = 10

export function leapingClock(): LeapingClock {
  const clock = systemClock()
  let leapt = 0
  return {
    now: () => clock.now() + leapt,
    wall: () => clock.wall() + leapt,
    at(time, run) {
      const timer = setInterval(() => {
        if (clock.now() + leapt < time) return
        clearInterval(timer)
        run()
      }, LOOK_AGAIN)
      return () => clearInterval(timer)
    },
    leap(ms) {
      leapt += ms
    },
  }
}
