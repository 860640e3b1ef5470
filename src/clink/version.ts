import { readFileSync } from 'node:fs'

/** The version of this package, from the `package.json` next to `src` or `dist`. */
export function packageVersion(): string {
  const description: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const version: unknown = Object(description).version
  return typeof version === 'string' ? version : 'unknown'
}
