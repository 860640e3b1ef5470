import { createRequire } from 'node:module'
import type undici from 'undici'

const require = createRequire(import.meta.url)

/**
 * The whole package brings `fetch`, mocks and caches along: a tenth of a worker's start. Where another version keeps its parts elsewhere, it is the
 * whole package all the same.
 *
 * @param path of the part in undici.
 */
export function partOf<Name extends keyof typeof undici>(path: string, name: Name): (typeof undici)[Name] {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- undici's own index takes it from there
    return require(`undici/${path}`) as (typeof undici)[Name]
  } catch {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as its types say
    return (require('undici') as typeof undici)[name]
  }
}

export const Pool = partOf('lib/dispatcher/pool.js', 'Pool')
export const errors = partOf('lib/core/errors.js', 'errors')
