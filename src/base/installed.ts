import { existsSync } from 'node:fs'
import { extname } from 'node:path'

/** What the unbuilt program starts is unbuilt too. */
const EXTENSION = extname(import.meta.url)
const ROOT = packageAround(new URL('.', import.meta.url))

/** Where this program's own code is, as stacks name it. */
export const OWN_CODE = new URL(EXTENSION === '.ts' ? 'src/' : 'dist/', ROOT)

/**
 * A module that Node itself is to load: a program, a thread, what handlers import. The build keeps each of these in its place and puts all
 * others together (`.ci/build.js`).
 *
 * @param name its path below `src`, without an extension.
 */
export function entryModule(name: string): URL {
  return new URL(`${name}${EXTENSION}`, OWN_CODE)
}

/** A file of this package. @param path below its root. */
export function shippedFile(path: string): URL {
  return new URL(path, ROOT)
}

function packageAround(directory: URL): URL {
  return existsSync(new URL('package.json', directory)) ? directory : packageAround(new URL('..', directory))
}
