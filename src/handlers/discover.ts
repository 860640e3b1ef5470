import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../base/coded-error.ts'
import type { Config } from '../config/config.ts'

const MODULE = /\.m?[jt]s$/
const NOT_A_HANDLER = /^[._]|\.(test|spec)\.m?[jt]s$|\.d\.m?ts$/

/** Whether a file of this name is a module that can be a handler at all. */
export function isModule(name: string): boolean {
  return MODULE.test(name)
}

/** Why there are no handler files to be found. */
const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such directory',
  ENOTDIR: 'it is not a directory',
  EACCES: 'this user may not read it',
}

/** What a handlers directory holds. */
export interface Discovered {
  /** Absolute paths of its handler files, in the order of their names. */
  readonly files: readonly string[]
  /** Names of all other files in it, except those that are left out on purpose. */
  readonly others: readonly string[]
  /** What keeps it from being read. */
  readonly problem?: string
  /** There is none: routes may do without. */
  readonly isMissing: boolean
}

/** Absolute paths of the handler files that routes name. */
export function usedFiles({ routes }: Pick<Config, 'routes'>): readonly string[] {
  return routes.flatMap(({ use }) => use ?? [])
}

export async function discover(directory: string): Promise<Discovered> {
  let names: readonly string[]
  try {
    names = await readdir(directory)
  } catch (error) {
    const code = systemCode(error)
    return { files: [], others: [], problem: WHY[code] ?? `it cannot be read (${code})`, isMissing: code === 'ENOENT' }
  }
  const files = names
    .filter((name) => isModule(name) && !NOT_A_HANDLER.test(name))
    .sort()
    .map((name) => join(directory, name))
  // By what a link leads to: a mounted ConfigMap holds nothing but links.
  const isFile = await Promise.all(
    files.map(async (file) => (await stat(file).catch(() => undefined))?.isFile() === true),
  )
  const others = names.filter((name) => !isModule(name) && !NOT_A_HANDLER.test(name)).sort()
  return { files: files.filter((_, index) => isFile[index]), others, isMissing: false }
}
