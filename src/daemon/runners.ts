import type { Boot } from '../base/boot.ts'
import type { Clock } from '../base/clock.ts'
import type { Settings } from '../config/settings.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { runnerByTarget } from '../runners/by-target.ts'
import { ExecRunner } from '../runners/exec.ts'
import { HttpRunner } from '../runners/http.ts'
import { inlineRunner } from '../runners/inline.ts'
import type { ProcessGroups } from '../runners/process-group.ts'
import type { ProgramNotes } from '../runners/program-run.ts'
import type { Runner } from '../runners/runner.ts'
import { ThreadRunner } from '../runners/thread/pool.ts'
import { TaskServer } from '../server/task-server.ts'
import { TaskSocket, type TaskSocketOptions } from '../runners/task-socket.ts'

export interface RunnerParts {
  readonly boot: Boot
  readonly clock: Clock
  readonly groups: ProcessGroups
  readonly ledger: Ledger
  readonly settings: Settings
  /** The id of its session. */
  readonly session: string
  readonly tasks: TaskSocketOptions
}

/** A runner for each kind of target. */
export function makeRunners({ boot, clock, groups, ledger, session, settings, tasks }: RunnerParts): Runner {
  const { programs } = ledger.process
  const notes: ProgramNotes = {
    note: async (clinkId, group) => await programs.note({ clinkId, boot: boot.id, group }),
    gone: async (clinkId, group) => await programs.gone({ clinkId, boot: boot.id, group }),
  }
  const program = new ExecRunner({ clock, groups, notes, sockets: new TaskSocket(tasks) })
  const service = { url: settings.current.clink.url, sessionId: session }
  const thread = new ThreadRunner({ clock, settings, service })
  const url = new HttpRunner({ clock, tasks: new TaskServer() })
  return runnerByTarget({ module: inlineRunner, program, thread, url })
}
