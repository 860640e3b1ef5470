import { relative } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CodedError, EXIT, stackOf } from '../../base/coded-error.ts'
import { formatIssue } from '../../config/issue.ts'
import type { LoadedConfig } from '../../config/load.ts'
import type { HandlerSet } from '../../handlers/handler-set.ts'
import { loadHandlers, type LoadHandlersOptions } from '../../handlers/registry.ts'
import { onExit, onFault } from '../../host/faults.ts'
import { taskSocketPath } from '../../runners/task-socket.ts'
import type { Io } from './io.ts'
import { sayProblem } from './problems.ts'

/** How the stack names code of a handler: a line of a module that was loaded for its generation. */
const FRAME = /(file:\/\/[^\s?]+)\?clink-worker=[^\s:]+:(\d+)/

interface MindedOptions extends LoadHandlersOptions {
  /** Of the configuration. Left out: its places are not shown. */
  readonly issue?: LoadedConfig['issue'] | undefined
}

/**
 * Loads handlers for a command, and says so in our words if their code ends the process meanwhile or leaves an error
 * that nobody catches. Otherwise people would read nothing, or Node's own words.
 */
export async function loadMinded(options: MindedOptions, io: Io): Promise<HandlerSet> {
  const releases = [
    onExit((error) => {
      if (sayOfHandler(error, 'ended the process while it was loaded', io)) process.exitCode = EXIT.config
    }),
    onFault((error) => {
      sayStray(error, io)
      io.exit(EXIT.internal)
    }),
  ]
  try {
    const set = await loadHandlers({ ...options, directoryAt: directoryAt(options) })
    // Node tells of a rejection that nobody handles only after all that is due at once.
    await nextTurn()
    const hasPrograms = set.routes.some(({ target }) => target.is === 'program')
    // What keeps no state has a directory of its own for its socket.
    if (hasPrograms && options.echoWhenEmpty !== true) taskSocketPath(options.config.state.directory)
    return set
  } finally {
    for (const release of releases) release()
  }
}

/** `clink-worker.yaml:3:14: handlers.directory: "./nowhere"`, where it was written. */
function directoryAt({ issue }: MindedOptions): string | undefined {
  const found = issue?.(['handlers', 'directory'], '')
  return found?.value === undefined ? undefined : formatIssue(found).trimEnd()
}

/** An error that nobody caught before there is anything to stop: a handler's, where the stack names one, or ours. */
export function sayStray(error: Error, io: Io): void {
  if (sayOfHandler(error, `left an error that nobody caught while it was loaded: ${error.message}`, io)) return
  sayProblem(error, io)
}

function sayOfHandler(error: Error, what: string, io: Io): boolean {
  const [, url, line] = FRAME.exec(stackOf(error)) ?? []
  if (url === undefined) return false
  const place = `${relative(io.cwd, fileURLToPath(url))}:${line}`
  sayProblem(new CodedError('HANDLER_INVALID', `${place}: ${what}`), io)
  return true
}
