import { readFileSync } from 'node:fs'
import { shippedFile } from '../base/installed.ts'

/** The version of this package, from its `package.json`. */
export function packageVersion(): string {
  const description: unknown = JSON.parse(readFileSync(shippedFile('package.json'), 'utf8'))
  const version: unknown = Object(description).version
  return typeof version === 'string' ? version : 'unknown'
}
