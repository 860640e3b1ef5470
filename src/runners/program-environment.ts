import { KEY_VARIABLES } from '../base/key-variables.ts'
import { MANAGER_VARIABLES } from '../base/manager-variables.ts'
import type { Pass } from './task-tokens.ts'
import type { Envelope } from './envelope.ts'

/** What is the worker's own: its key, where that is kept, and what its supervisor tells its main process. */
const OWN = [
  ...KEY_VARIABLES,
  'CLINK_API_KEY_FILE',
  'CLINK_WORKER_CLINK__KEY_FILE',
  'CREDENTIALS_DIRECTORY',
  ...MANAGER_VARIABLES,
  'LISTEN_PID',
  'LISTEN_FDS',
  'LISTEN_FDNAMES',
  'CLINK_TASK_STEP',
]
/** A sender may choose what stands in a record: what the kernel would refuse must not stop a route. */
const LONGEST = 1_024

/**
 * The environment of a program.
 *
 * @param from the worker's. @param added by the route, and the key where the route says so. @param run the mark of all that it starts.
 */
export function programEnvironment(
  from: NodeJS.ProcessEnv,
  added: readonly Readonly<Record<string, string>>[],
  envelope: Envelope,
  { address, token }: Pass,
  run: string,
): NodeJS.ProcessEnv {
  const { attempt, clink, deadline, trace = {} } = envelope
  const own = Object.fromEntries(Object.entries(from).filter(([name]) => !OWN.includes(name)))
  const task = {
    ID: clink.clink_id,
    GROUP: clink.group_slug ?? clink.group_id,
    SENDER: clink.sender_id,
    ATTEMPT: String(attempt),
    DEADLINE: new Date(deadline).toISOString(),
    SOCKET: address,
    TOKEN: token,
    RUN: run,
  }
  const told = Object.entries(task).map(([name, value]) => [`CLINK_TASK_${name}`, fitting(value)] as const)
  const span = Object.entries(trace).map(([name, value]) => [name.toUpperCase(), value] as const)
  return { ...own, ...Object.assign({}, ...added), ...Object.fromEntries([...span, ...told]) }
}

function fitting(value: string): string {
  return value.replaceAll('\0', '').slice(0, LONGEST).toWellFormed()
}
