import type { Clock } from '../../src/base/clock.ts'
import { patientClock } from './patient-time.ts'

/** Patient time, which a test can move forward. */
export interface LeapingClock extends Clock {
  leap(ms: number): void
}

const LOOK_AGAIN = 10

export function leapingClock(): LeapingClock {
  const clock = patientClock()
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
