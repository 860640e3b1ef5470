import { sleep } from '../base/clock.ts'
import { unavailable } from './outcome.ts'
import { ProgramRun, type ExecParts } from './program-run.ts'
import type { Runner, Running, Task } from './runner.ts'

/** Milliseconds that an end waits for what does not end. The next process goes on with it. */
const PARTING = 700

/** Runs programs, each in a process group of its own. */
export class ExecRunner implements Runner {
  readonly #parts: ExecParts
  readonly #running = new Set<ProgramRun>()

  constructor(parts: ExecParts) {
    this.#parts = parts
  }

  start(task: Task): Running {
    const { target } = task
    if (target.is !== 'program') return { ended: Promise.resolve(unavailable(`a ${target.is} is no program`)) }
    const run = new ProgramRun(task, target, this.#parts)
    this.#running.add(run)
    void run.ended.then(() => this.#running.delete(run))
    return { ended: run.ended, kill: () => run.kill() }
  }

  /** What was killed is waited for: only a look at all processes tells that nothing of it is left. */
  async stop(): Promise<void> {
    const gone = Promise.all([...this.#running].map(async ({ ended }) => await ended))
    await Promise.race([gone, sleep(this.#parts.clock, PARTING)])
    await this.#parts.sockets.stop()
  }
}
