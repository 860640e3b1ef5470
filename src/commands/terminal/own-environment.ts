/** The variables that hold the API key, alone or inside another text. */
const HOLD_THE_KEY = ['CLINK_API_KEY', 'CLINK_WORKER_CLINK__KEY', 'CLINK_WORKER_CLINK']

/**
 * The environment of the process, for this program alone: what holds the API key is taken out of `from`, which handlers and all
 * programs that they start are given. The kernel goes on showing what the process was started with (/proc/PID/environ).
 */
export function takeEnvironment(from: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = { ...from }
  for (const name of HOLD_THE_KEY) Reflect.deleteProperty(from, name)
  return own
}
