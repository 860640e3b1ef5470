import { KEY_VARIABLES } from '../../base/key-variables.ts'
import { MANAGER_VARIABLES } from '../../base/manager-variables.ts'

/**
 * The environment of the process, for this program alone: what holds the API key, and what lets somebody speak for the worker, is
 * taken out of `from`, which handlers and all programs that they start are given. The kernel goes on showing what the process was started with (/proc/PID/environ).
 */
export function takeEnvironment(from: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = { ...from }
  for (const name of [...KEY_VARIABLES, ...MANAGER_VARIABLES]) Reflect.deleteProperty(from, name)
  return own
}
