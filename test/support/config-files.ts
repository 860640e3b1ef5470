import { mkdtemp, rm, writeFile, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ConfigError, type ConfigIssue } from '../../src/config/issue.ts'
import { loadConfig, type LoadedConfig, type LoadOptions } from '../../src/config/load.ts'

/** A directory of its own with these files; it is gone after the test. */
export async function directoryWith(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'clink-worker-config-'))
  onTestFinished(async () => await rm(directory, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), text)
  }
  return directory
}

/** Loads a configuration whose file has this text. */
export async function loadText(text: string, options: Partial<LoadOptions> = {}): Promise<LoadedConfig> {
  const cwd = await directoryWith({ 'clink-worker.yaml': text })
  return await loadConfig({ env: {}, cwd, ...options })
}

/** Loads what must not load. */
export async function issuesOf(loading: Promise<LoadedConfig>): Promise<readonly ConfigIssue[]> {
  return (await errorOf(loading)).issues
}

export async function errorOf(loading: Promise<LoadedConfig>): Promise<ConfigError> {
  const error: unknown = await loading.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof ConfigError) return error
  throw new Error('the configuration was accepted, or failed otherwise', { cause: error })
}

/** Messages with the directory of the file taken away. */
export async function linesOf(loading: Promise<LoadedConfig>): Promise<readonly string[]> {
  return (await errorOf(loading)).message.split('\n').map((line) => line.replace(/^\/\S*\/(?=clink-worker\.yaml)/, ''))
}
