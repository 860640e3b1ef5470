import { loadConfig, configOf } from '../config/load.ts'
import type { Config } from '../config/config.ts'
import { handlersOf, type Handlers } from './handlers.ts'
import { TestWorker, type WorldOptions } from './test-worker.ts'
import { VirtualClock } from './virtual-clock.ts'

export type { FaultAction, FaultHandle, FaultRule, StoredClink, Switches } from '../emulator/emulator.ts'
export type { WorkerEvent } from '../events.ts'
export type { Handlers } from './handlers.ts'
export type { LogLine, Run, Settled, SettledAs, Step } from './settled.ts'
export { TestWorker, type NewClink, type Restart, type SentClink, type Span } from './test-worker.ts'

export interface TestWorkerOptions extends WorldOptions {
  readonly handlers: Handlers
  /** As in the configuration file, `{ retry: { attempts: 2 } }`; or the name of one. Default: what is right without one. */
  readonly config?: Readonly<Record<string, unknown>> | string
}

/**
 * A worker for tests of handlers: the real one, in this process, on an embedded Clink and virtual time. Nothing is sent anywhere, and
 * an hour of it takes no second. From here until it is closed timers and `Date` of this process are virtual; time passes in
 * `settled` and `advance` only.
 *
 * @throws {HandlerError | ConfigError} for handlers and a configuration that `clink-worker check` would refuse.
 * @throws {Error} where another one is open.
 */
export async function testWorker({ handlers, config, ...world }: TestWorkerOptions): Promise<TestWorker> {
  const cwd = process.cwd()
  const settings = await settingsOf(config, cwd)
  const set = await handlersOf(handlers, settings, cwd)
  const clock = new VirtualClock()
  try {
    return new TestWorker({ clock, config: settings, handlers: set }, world)
  } catch (error) {
    clock.uninstall()
    throw error
  }
}

/** The service's address is the embedded one's, whatever the file says. */
async function settingsOf(config: TestWorkerOptions['config'], cwd: string): Promise<Config> {
  if (typeof config === 'string') return (await loadConfig({ file: config, env: process.env, cwd })).config
  return configOf(config ?? {}, 'the config of testWorker', cwd)
}
