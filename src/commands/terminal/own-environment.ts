import { KEY_VARIABLES } from '../../base/key-variables.ts'

/**
 * The environment of the process, for this program alone: what holds the API key is taken out of `from`, which handlers and all
 * programs that they start are given. The kernel goes on showing what the process was started with (/proc/PID/environ).
 */
export function takeEnvironment(from: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = { ...from }
  for (const name of KEY_VARIABLES) Reflect.deleteProperty(from, name)
  return own
}
