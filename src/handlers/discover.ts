import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

const MODULE = /\.m?[jt]s$/
const NOT_A_HANDLER = /^[._]|\.(test|spec)\.m?[jt]s$|\.d\.m?ts$/

/** Whether a file of this name is a module that can be a handler at all. */
export function isModule(name: string): boolean {
  return MODULE.test(name)
}

/** Absolute paths of the handler files of a directory, in the order of their names; undefined: there is no such directory. */
export async function discover(directory: string): Promise<readonly string[] | undefined> {
  let names: readonly string[]
  try {
    names = await readdir(directory)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const files = names
    .filter((name) => isModule(name) && !NOT_A_HANDLER.test(name))
    .sort()
    .map((name) => join(directory, name))
  // By what a link leads to: a mounted ConfigMap holds nothing but links.
  const isFile = await Promise.all(
    files.map(async (file) => (await stat(file).catch(() => undefined))?.isFile() === true),
  )
  return files.filter((_, index) => isFile[index])
}
