import type { Clink } from '../clink/records.ts'
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
    return readOutcome({ ended: 'returned', value: await target.handle(copyOf(envelope.clink), context) }, made)
  } catch (error) {
    return readOutcome({ ended: 'threw', error }, made)
  }
}

/** What a handler does to its clink must not change what is settled, journalled and run again. Most fields are texts, which cost nothing to copy. */
function copyOf(clink: Clink): Clink {
  const copy = { ...clink }
  for (const [name, value] of Object.entries(copy)) {
    if (typeof value === 'object' && value !== null) Reflect.set(copy, name, structuredClone(value))
  }
  return copy
}
