import { inlineRunner } from '../../src/runners/inline.ts'
import type { Runner } from '../../src/runners/runner.ts'
import type { Record } from './record.ts'
import type { World } from './world.ts'

/** Runs handlers in the process, but for the times in which what runs them is away: then none of them begins. */
export function absentRunner({ absent = [] }: World, record: Record, life: string): Runner {
  return {
    start(task) {
      const isAway = absent.some(({ from, to }) => record.now >= from && record.now < to)
      if (!isAway) return inlineRunner.start(task)
      record.refuse(life, task.envelope.clink.clink_id)
      return { ended: Promise.resolve({ outcome: 'unavailable', reason: 'what runs handlers is away' }) }
    },
  }
}
