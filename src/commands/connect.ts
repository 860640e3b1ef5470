import type { Secret } from '../base/secret.ts'
import { ClinkClient } from '../clink/client.ts'
import type { Config } from '../config/config.ts'
import { formatIssue } from '../config/issue.ts'
import { loadKey } from '../config/key.ts'
import { loadConfig, type LoadOptions } from '../config/load.ts'
import type { Io } from './io.ts'
import { flagsOf, type SettingsOptions } from './settings.ts'

export interface Settings {
  readonly config: Config
  readonly key: Secret
  /** One line each. */
  readonly warnings: readonly string[]
}

/** Where a command's configuration comes from. */
export function loadOptions(options: SettingsOptions, io: Io): LoadOptions {
  const file = options.config === undefined ? {} : { file: options.config }
  return { ...file, flags: flagsOf(options), env: io.env, cwd: io.cwd }
}

export async function loadSettings(options: SettingsOptions, io: Io): Promise<Settings> {
  const { config, warnings } = await loadConfig(loadOptions(options, io))
  const { key, warnings: aboutKey } = await loadKey(config, io.env)
  return { config, key, warnings: [...warnings.map(formatIssue), ...aboutKey] }
}

/** A client for one command, with the worker's own configuration and key. */
export async function connect(
  options: SettingsOptions,
  io: Io,
): Promise<{ readonly client: ClinkClient; readonly config: Config }> {
  const { config, key, warnings } = await loadSettings(options, io)
  for (const warning of warnings) io.problem(`warning: ${warning}`)
  const { url, timeout } = config.clink
  return { config, client: new ClinkClient({ key, url, timeout }) }
}
