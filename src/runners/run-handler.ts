import type { Clink } from '../clink/records.ts'
import type { HandleFunction } from '../handlers/handler.ts'
import { makeContext } from './handler-context.ts'
import type { Outcome } from './outcome.ts'
import { readOutcome, type RunEnd } from './read-outcome.ts'
import type { Task } from './runner.ts'

/** Runs a handler in JavaScript, in this thread. */
export async function runHandler(handle: HandleFunction, task: Omit<Task, 'target'>): Promise<Outcome> {
  const { context, made, run } = makeContext(task)
  let end: RunEnd
  try {
    end = { ended: 'returned', value: await handle(copyOf(task.envelope.clink), context) }
  } catch (error) {
    end = { ended: 'threw', error }
  }
  // Code of its steps may go on that it has not waited for: the run ends with that.
  const [error] = run.steps === undefined ? [] : await run.steps.over()
  return readOutcome(error === undefined || end.ended === 'threw' ? end : { ended: 'threw', error }, made)
}

/** What a handler does to its clink must not change what is settled, journalled and run again. Most fields are texts, which cost nothing to copy. */
function copyOf(clink: Clink): Clink {
  const copy = { ...clink }
  for (const [name, value] of Object.entries(copy)) {
    if (typeof value === 'object' && value !== null) Reflect.set(copy, name, structuredClone(value))
  }
  return copy
}
