import { resolve } from 'node:path'
import { CodedError } from '../../base/coded-error.ts'
import type { Secret } from '../../base/secret.ts'
import { ClinkClient } from '../../clink/client.ts'
import { apiKey } from '../../clink/credentials.ts'
import type { Config } from '../../config/config.ts'
import { ConfigError, formatIssue } from '../../config/issue.ts'
import { loadKey, type LoadedKey } from '../../config/key.ts'
import { loadConfig, stateDirectory, type LoadedConfig, type LoadOptions } from '../../config/load.ts'
import { linkToWorker } from '../../control/client.ts'
import { shareBy } from '../../daemon/share.ts'
import type { Io } from './io.ts'
import type { StatePlace } from './reach-state.ts'
import { flagsOf, type SettingsOptions } from './settings.ts'

/** Where a command's configuration comes from. */
export function loadOptions(options: SettingsOptions, io: Io): LoadOptions {
  const file = options.config === undefined ? {} : { file: options.config }
  return { ...file, flags: flagsOf(options), env: io.env, cwd: io.cwd }
}

/** The configuration. Handlers do not see what it takes the key from. */
export async function readConfig(options: LoadOptions, io: Io): Promise<LoadedConfig> {
  const loaded = await loadConfig(options)
  for (const variable of loaded.keyVariables) io.hide(variable)
  const { key, proxy } = loaded.config.clink
  const { url } = loaded.config.state
  for (const secret of [key, url, ...(proxy?.secrets ?? [])]) if (secret !== null) io.secrets.add(secret.reveal())
  return loaded
}

export interface StateSettings extends SettingsOptions {
  readonly state?: string
}

/** The state directory. One that is named needs no configuration. */
export async function stateOf(options: StateSettings, io: Io): Promise<StatePlace> {
  const told = (line: string): void => io.problem(line)
  if (options.state !== undefined) return { directory: resolve(io.cwd, options.state), sync: 'full', told }
  const loaded = await loadConfig(loadOptions(options, io)).catch(asConfigError)
  if (loaded instanceof ConfigError) return { ...(await runningState(loaded, options, io)), told }
  const { config } = loaded
  const { env, secrets } = io
  const { directory, sync } = config.state
  // Without a configuration it is below any directory that a command happens to be started in.
  const isMeant = loaded.file !== null || directory !== resolve(io.cwd, 'state')
  return { directory, sync, told, isMeant, share: async () => await shareBy({ config, env, secrets }, () => {}) }
}

/**
 * The state directory of a worker that runs: mistakes that were made in the file since it read it keep nobody from asking it, probes least of
 * all, which would have it ended.
 *
 * @throws {ConfigError} where none runs.
 */
async function runningState(mistakes: ConfigError, options: StateSettings, io: Io): Promise<StatePlace> {
  const directory = await stateDirectory(loadOptions(options, io))
  if (directory === undefined) throw mistakes
  const link = await linkToWorker(directory)
  if (link instanceof Error) throw mistakes
  await link.close()
  io.problem('warning: the configuration cannot be used, `clink-worker check` says why; the worker that runs is asked')
  return { directory, sync: 'full', isRunning: true }
}

function asConfigError(error: unknown): ConfigError {
  if (error instanceof ConfigError) return error
  throw error
}

/** Whether `log.content` lets texts be shown. A state directory that is named needs no configuration. */
export async function showsContent(options: StateSettings, io: Io): Promise<boolean> {
  if (options.state !== undefined) return false
  const loaded = await loadConfig(loadOptions(options, io)).catch(asConfigError)
  return !(loaded instanceof ConfigError) && loaded.config.log.content
}

/** Reads the key. From now on no output shows it. */
export async function readKey(config: Config, io: Io): Promise<LoadedKey> {
  const loaded = await loadKey(config, io.env)
  io.secrets.add(loaded.key.reveal())
  return loaded
}

/** Warnings: one line each. */
export async function loadSettings(options: SettingsOptions, io: Io) {
  const { config, file, issue, warnings } = await readConfig(loadOptions(options, io), io)
  const loaded = await readKey(config, io)
  return { config, file, issue, key: wellFormed(loaded), warnings: [...warnings.map(formatIssue), ...loaded.warnings] }
}

/** @throws {CodedError} KEY_MALFORMED, saying where what is no key comes from. */
export function wellFormed({ key, from }: LoadedKey): Secret {
  try {
    return apiKey(key)
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    throw new CodedError(error.code, `${from}: ${error.message}`, { cause: error })
  }
}

/** A client for one command, with the worker's own configuration and key. */
export async function connect(options: SettingsOptions, io: Io) {
  const { config, issue, key, warnings } = await loadSettings(options, io)
  for (const warning of warnings) io.problem(`warning: ${warning}`)
  const { proxy, timeout, url } = config.clink
  return { config, issue, client: new ClinkClient({ key, url, timeout, proxy: proxy ?? null }) }
}
