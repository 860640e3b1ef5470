import { makeContext } from './handler-context.ts'
import type { Outcome } from './outcome.ts'
import { readOutcome } from './read-outcome.ts'
import type { Runner, Task } from './runner.ts'

/** Runs handlers in the daemon's own process. Code that ignores its abort cannot be ended. */
export const inlineRunner: Runner = {
  start: (task) => ({ ended: run(task) }),
}

async function run(task: Task): Promise<Outcome> {
  const { envelope, target } = task
  if (target.is !== 'module') return { outcome: 'unavailable', reason: `a ${target.is} cannot run in this process` }
  const { context, made } = makeContext(task)
  try {
    // A copy: what a handler does to it must not change what is settled, journalled and run again.
    return readOutcome(
      { ended: 'returned', value: await target.handle(structuredClone(envelope.clink), context) },
      made,
    )
  } catch (error) {
    return readOutcome({ ended: 'threw', error }, made)
  }
}
