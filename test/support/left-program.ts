import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { systemClock } from '../../src/base/clock.ts'
import { ProcessSearch, type ProcessGroup } from '../../src/runners/process-group.ts'
import { startOf } from '../../src/runners/process-table.ts'
import { until } from './until.ts'

export const kernelGroups = new ProcessSearch(systemClock())

/** A program in a process group of its own, as a worker leaves it behind: `await using` ends it. */
export class LeftProgram implements AsyncDisposable {
  readonly group: ProcessGroup

  private constructor(group: ProcessGroup) {
    this.group = group
  }

  /** @param script for `sh`, once the program has been noted; it says something when it is up. */
  static async start(script: string, run: string): Promise<LeftProgram> {
    const { PATH = '' } = process.env
    const child = spawn('sh', ['-c', `read _; ${script}`], {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { PATH, CLINK_TASK_RUN: run },
    })
    const { pid = 0 } = child
    const started = startOf(pid)
    if (started === undefined) throw new Error(`no process ${pid}`)
    child.stdin.end('go\n')
    await once(child.stdout, 'data')
    child.stdout.destroy()
    return new LeftProgram({ id: pid, started, run })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await until(async () => !(await kernelGroups.end(this.group)), 'the program is gone')
  }
}
