import { asError, CodedError } from '../base/coded-error.ts'
import { readRegularFileSync } from '../base/regular-file.ts'
import { Secret } from '../base/secret.ts'
import type { Config } from './config.ts'

/** One that can be guessed keeps nobody out. */
const SHORTEST = 16

/**
 * The token of `server.tokenFile`; undefined: none is asked for.
 *
 * @throws {CodedError} FILE_INVALID where the file has none that is good for anything.
 */
export function serverToken({ tokenFile: file }: Pick<Config['server'], 'tokenFile'>): Secret | undefined {
  if (file === null) return undefined
  const where = `server.tokenFile: ${file}`
  let token: string
  try {
    token = readRegularFileSync(file).toString().trim()
  } catch (cause) {
    throw new CodedError('FILE_INVALID', `${where} cannot be read: ${asError(cause).message}`, { cause })
  }
  if (token.length < SHORTEST || /\s/.test(token))
    throw new CodedError('FILE_INVALID', `${where} holds no token: one word of ${SHORTEST} characters or more`)
  return new Secret(token)
}
