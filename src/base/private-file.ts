import { chmodSync, closeSync, fchmodSync, openSync, statSync } from 'node:fs'
import { tryTo } from './try-to.ts'
import { systemCode } from './coded-error.ts'

const PRIVATE = 0o600

/**
 * Makes a file that only its owner may read, in any directory and under any umask; one that is there is closed to others. It is
 * never opened for that: closing it again would give up the locks that this process has on it.
 *
 * @throws {Error} the system's, when there is none and none can be made.
 */
export function makePrivate(file: string): void {
  try {
    const made = openSync(file, 'ax', PRIVATE)
    fchmodSync(made, PRIVATE)
    closeSync(made)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    closeToOthers(file)
  }
}

/**
 * Takes away what others may do with a file, where there is one. Where that cannot be (another user's file, a file system without
 * modes) it stays as it is.
 */
export function closeToOthers(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false })
  if (found === undefined || (found.mode & 0o077) === 0) return
  // Keeping what is in the file counts for more than keeping it private.
  tryTo(() => chmodSync(file, found.mode & PRIVATE))
}
