import type { Clock } from '../../base/clock.ts'
import type { Clink } from '../../clink/records.ts'
import { Ledger } from '../../ledger/ledger.ts'
import { memoryTables } from '../../ledger/memory-tables.ts'
import type { TaskServices } from '../../runners/runner.ts'
import { RunSteps } from '../../worker/execution/run-steps.ts'

/** The steps of a run by itself: nothing was done before, nothing is kept, and nobody sleeps. @param slept told what would have been a sleep. */
export function loneSteps(
  clink: Clink,
  clock: Clock,
  slept: (name: string, ms: number) => void,
): Pick<TaskServices, 'beginStep' | 'endStep' | 'sleep'> {
  const run = { counts: true, aborted: new AbortController().signal }
  const steps = new RunSteps({ clink }, { clock, emit: () => {}, ledger: new Ledger(memoryTables()) }, run)
  return {
    beginStep: async (name) => await steps.begin(name),
    endStep: async (name, result) => await steps.end(name, result),
    sleep: async (name, ms) => {
      slept(name, ms)
      return await Promise.resolve(undefined)
    },
  }
}
