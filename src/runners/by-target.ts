import type { Target } from '../handlers/route.ts'
import type { Runner } from './runner.ts'

/** Which runner executes which kind of target. */
export type Runners = { readonly [Kind in Target['is']]?: Runner }

/** One runner for all of them: each task goes to the one for its target. */
export function runnerByTarget(runners: Runners): Runner {
  return {
    start(task) {
      const { is } = task.target
      const reason = `this worker has nothing that runs a ${is}`
      return runners[is]?.start(task) ?? { ended: Promise.resolve({ outcome: 'unavailable', reason }) }
    },
    async stop() {
      await Promise.all(Object.values(runners).map(async (runner) => await runner.stop?.()))
    },
  }
}
