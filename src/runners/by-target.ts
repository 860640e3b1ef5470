import type { Target } from '../handlers/route.ts'
import { unavailable } from './outcome.ts'
import type { Runner, Running } from './runner.ts'

/** Which runner executes which kind of target. */
export type Runners = { readonly [Kind in Target['is']]?: Runner }

/** One runner for all of them: each task goes to the one for its target. */
export function runnerByTarget(runners: Runners): Runner {
  return {
    start(task) {
      const { is } = task.target
      const none = (): Running => ({ ended: Promise.resolve(unavailable(`this worker has nothing that runs a ${is}`)) })
      return runners[is]?.start(task) ?? none()
    },
    async stop() {
      await Promise.all(Object.values(runners).map(async (runner) => await runner.stop?.()))
    },
  }
}
