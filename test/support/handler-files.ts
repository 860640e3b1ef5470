import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Clink } from '../../src/clink/records.ts'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { HandlerError } from '../../src/handlers/handler-error.ts'
import type { HandlerContext } from '../../src/handlers/handler.ts'
import type { RoutedClink } from '../../src/handlers/route.ts'
import { loadHandlers, type HandlerSet, type LoadHandlersOptions } from '../../src/handlers/registry.ts'
import { handleOf } from './target.ts'

export type Files = Readonly<Record<string, string>>

/** A directory of its own with these files; it is gone after the test. */
export async function directoryWith(files: Files): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'clink-worker-handlers-')))
  onTestFinished(async () => await rm(directory, { recursive: true, force: true }))
  await writeFiles(directory, files)
  return directory
}

export async function writeFiles(directory: string, files: Files): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), text)
  }
}

/** The configuration of `clink-worker.yaml` in the directory, or the defaults. */
export async function configOf(cwd: string): Promise<Config> {
  return (await loadConfig({ cwd, env: {} })).config
}

export async function load(cwd: string, options: Partial<LoadHandlersOptions> = {}): Promise<HandlerSet> {
  return await loadHandlers({ config: await configOf(cwd), cwd, generation: 1, ...options })
}

/** Loads handlers from these files. */
export async function loadFiles(files: Files, options: Partial<LoadHandlersOptions> = {}): Promise<HandlerSet> {
  return await load(await directoryWith(files), options)
}

/** What is said about handlers that must not load, a line each. */
export async function problemsOf(loading: Promise<HandlerSet>): Promise<readonly string[]> {
  const error: unknown = await loading.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof HandlerError) return error.message.split('\n')
  throw new Error('the handlers were accepted, or failed otherwise', { cause: error })
}

export function clink(parts: Partial<Clink> = {}): Clink {
  return {
    clink_id: 'msg_1',
    group_id: 'grp_1',
    group_slug: 'ops',
    sender_id: 'usr_1',
    sender_name: 'Alice',
    content: 'hello',
    created_at: '2026-01-01T00:00:00Z',
    status: 'claimed',
    ...parts,
  }
}

/** Runs what a set has for a clink, with a context that only knows what the test gives. */
export async function answer(
  set: HandlerSet,
  to: Clink = clink(),
  parts: Partial<HandlerContext> = {},
): Promise<unknown> {
  const routed: RoutedClink | undefined = await set.find(to, undefined)
  if (routed === undefined) throw new Error('no route takes this clink')
  const { match, route } = routed
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a handler under test uses only what it is given
  return await handleOf(route)(to, { match, with: route.with, ...parts } as HandlerContext)
}
