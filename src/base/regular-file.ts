import { readFileSync, statSync, type Stats } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { systemCode } from './coded-error.ts'

/** What a shell hands over, as `<(command)` does, and the file that is always empty. */
const HANDED_OVER = /^\/dev\/(fd\/\d+|stdin|null)$|^\/proc\/(self|\d+)\/fd\/\d+$/
const IRREGULAR = 'IRREGULAR'

/**
 * Reads a file that somebody has named. A named pipe would keep its reader waiting until somebody writes to it, and some devices never end.
 *
 * @throws {Error} whose message reads on from the path where it is no regular file; whatever the system says.
 */
export async function readRegularFile(file: string): Promise<Buffer> {
  refuseIrregular(file, await stat(file).catch(() => undefined))
  return await readFile(file)
}

/** As `readRegularFile`. */
export function readRegularFileSync(file: string): Buffer {
  refuseIrregular(file, statSync(file, { throwIfNoEntry: false }))
  return readFileSync(file)
}

/** What an error of reading says of the file, reading on from `it`. */
export function whyUnread(error: unknown): string {
  if (isIrregular(error)) return error.message
  return systemCode(error) === 'EISDIR' ? 'is a directory, not a file' : 'cannot be read'
}

/** Its message reads on from the path. */
export function isIrregular(error: unknown): error is Error {
  return systemCode(error) === IRREGULAR
}

/** @param found undefined: reading it says why. So it does of a directory. */
function refuseIrregular(file: string, found: Stats | undefined): void {
  if (found === undefined || found.isFile() || found.isDirectory() || HANDED_OVER.test(file)) return
  const kind = found.isFIFO() ? 'a named pipe' : found.isSocket() ? 'a socket' : 'a device'
  throw Object.assign(new Error(`is ${kind}, not a file`), { code: IRREGULAR })
}
