import { unavailable } from './outcome.ts'
import { runHandler } from './run-handler.ts'
import type { Runner } from './runner.ts'

/** Runs handlers in the daemon's own process. Code that ignores its abort cannot be ended. */
export const inlineRunner: Runner = {
  start: (task) => {
    const { target } = task
    if (target.is === 'module') return { ended: runHandler(target.handle, task) }
    return { ended: Promise.resolve(unavailable(`a ${target.is} cannot run in this process`)) }
  },
}
