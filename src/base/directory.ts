import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a directory and what is missing above it. Not with `recursive`: Node's own never ends where the kernel will have no new entry and
 * says that there is no such file, as in /proc or where file systems are mounted on demand.
 *
 * @param mode of what is made. Default: what the umask leaves.
 * @throws {Error} the system's, or one that says that it is something else.
 */
export function makeDirectory(directory: string, mode = 0o777): void {
  const found = statSync(directory, { throwIfNoEntry: false })
  if (found?.isDirectory() === true) return
  if (found !== undefined) throw new Error('it is not a directory')
  const above = dirname(directory)
  if (above !== directory) makeDirectory(above, mode)
  try {
    mkdirSync(directory, { mode })
  } catch (error) {
    // Another process may have been faster.
    if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) throw error
  }
}
