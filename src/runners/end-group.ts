import { sleep, type Clock } from '../base/clock.ts'
import type { ProcessGroup, ProcessGroups } from './process-group.ts'

/** Milliseconds between two looks at a program that was told to end. */
const PAUSE = { first: 10, longest: 1_000 }
/** Milliseconds after which it is said that a program stays. */
const PATIENCE = 10_000

export interface Ending {
  readonly groups: ProcessGroups
  readonly clock: Clock
  /** Nobody waits for it any more. */
  readonly closing?: AbortSignal
  /** It may go on until this aborts. Left out: it is killed at once. */
  readonly mercy?: AbortSignal
  /** Called once, where it does not end. */
  readonly stays: () => void
}

/** Ends what is left of a group. @returns whether nothing of it is left; false: nobody waits any more. */
export async function endGroup(group: ProcessGroup, ending: Ending): Promise<boolean> {
  const { clock, closing, groups, mercy, stays } = ending
  const since = clock.now()
  let wasSaid = false
  for (let pause = PAUSE.first; ; pause = Math.min(pause * 2, PAUSE.longest)) {
    const mayGoOn = mercy?.aborted === false
    if (!(await (mayGoOn ? groups.isAlive(group) : groups.end(group)))) return true
    if (!mayGoOn && !wasSaid && clock.now() - since >= PATIENCE) {
      wasSaid = true
      stays()
    }
    await sleep(clock, pause, mayGoOn ? mercy : closing)
    if (closing?.aborted === true) return false
  }
}
