import { join } from 'node:path'
import { CodedError, systemCode } from '../base/coded-error.ts'
import { readRegularFile, whyUnread } from '../base/regular-file.ts'
import { Secret } from '../base/secret.ts'
import type { Config } from './config.ts'
import { opennessOf } from './secret-file.ts'

export interface LoadedKey {
  readonly key: Secret
  /** Where it came from, for people. */
  readonly from: string
  readonly warnings: readonly string[]
}

const CREDENTIAL = 'clink-api-key'
const WAYS =
  'Set CLINK_API_KEY, or clink.keyFile (CLINK_API_KEY_FILE) to a file that holds it, ' +
  `or give systemd's LoadCredential=${CREDENTIAL}:FILE. Keys are made at clink.voxos.ai.`

/**
 * Finds the API key: `clink.key` or `clink.keyFile`, whichever is given, then the systemd credential. Its form is not looked at.
 *
 * @throws {CodedError} KEY_MISSING, saying which ways there are; FILE_INVALID for a file that cannot be read or is empty.
 */
export async function loadKey({ clink }: Config, env: NodeJS.ProcessEnv): Promise<LoadedKey> {
  if (clink.key !== null) {
    const from = clink.key.reveal() === env['CLINK_API_KEY']?.trim() ? 'CLINK_API_KEY' : 'clink.key'
    return { key: clink.key, from, warnings: [] }
  }
  if (clink.keyFile !== null) {
    const key = await readKey(clink.keyFile)
    return { key, from: clink.keyFile, warnings: await opennessOf(clink.keyFile, 'the key file') }
  }
  const directory = env['CREDENTIALS_DIRECTORY'] ?? ''
  if (directory !== '') {
    const file = join(directory, CREDENTIAL)
    const key = await readKey(file).catch((error: unknown) => {
      if (error instanceof CodedError && systemCode(error.cause) === 'ENOENT') return undefined
      throw error
    })
    if (key !== undefined) return { key, from: `the systemd credential ${CREDENTIAL}`, warnings: [] }
  }
  throw new CodedError('KEY_MISSING', `There is no Clink API key. ${WAYS}`)
}

/** @throws {CodedError} FILE_INVALID when the file cannot be read or is empty. */
export async function readKey(file: string): Promise<Secret> {
  const bytes = await readRegularFile(file).catch((cause: unknown) => {
    const why = systemCode(cause) === 'ENOENT' ? 'there is no such file' : `it ${whyUnread(cause)}`
    throw new CodedError('FILE_INVALID', `The key file ${file}: ${why}. ${WAYS}`, { cause })
  })
  const key = bytes.toString().trim()
  if (key === '') throw new CodedError('FILE_INVALID', `The key file ${file} is empty. ${WAYS}`)
  return new Secret(key)
}
