import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { CodedError, systemCode } from '../base/coded-error.ts'
import { filesOfAddress, problemOfAddress, remarkOnAddress } from '../base/postgres-parameters.ts'
import { readRegularFile, whyUnread } from '../base/regular-file.ts'
import { Secret } from '../base/secret.ts'
import type { Config } from './config.ts'
import { opennessOf } from './secret-file.ts'

/** Where a fleet remembers, and which one it is. */
export interface SharedStorePlace {
  readonly url: Secret
  readonly fleet: string
  /** For people, of the address and of the file that holds it. */
  readonly warnings: readonly string[]
}

interface FoundAddress {
  readonly url: Secret
  /** For people. */
  readonly from: string
  readonly warnings?: readonly string[]
}

const CREDENTIAL = 'clink-state-url'

/**
 * Finds the address of the shared store: `state.url` or `state.urlFile`, whichever is given, then the systemd credential. Undefined: there is
 * none, and the worker remembers alone.
 *
 * @throws {CodedError} FILE_INVALID, CONFIG_INVALID: never with the address, which holds a password.
 */
export async function sharedStore({ state }: Config, env: NodeJS.ProcessEnv): Promise<SharedStorePlace | undefined> {
  const found = await find(state, env)
  if (found === undefined) return undefined
  const { from, url, warnings = [] } = found
  const problem = problemOfAddress(url.reveal())
  if (problem !== undefined) throw new CodedError('CONFIG_INVALID', `${from} ${problem}`)
  for (const [parameter, file] of filesOfAddress(url.reveal()))
    await readNamed(file, `${from}: the file ${file} of ${parameter}`)
  const remark = remarkOnAddress(url.reveal())
  return { url, fleet: state.fleet, warnings: remark === undefined ? warnings : [...warnings, `${from}: ${remark}`] }
}

async function find({ url, urlFile }: Config['state'], env: NodeJS.ProcessEnv): Promise<FoundAddress | undefined> {
  if (url !== null)
    return { url, from: url.reveal() === env['CLINK_STATE_URL']?.trim() ? 'CLINK_STATE_URL' : 'state.url' }
  if (urlFile !== null) {
    const found = { url: await readUrl(urlFile), from: `state.urlFile: ${urlFile}` }
    return { ...found, warnings: await opennessOf(urlFile, 'the file of state.urlFile') }
  }
  const directory = env['CREDENTIALS_DIRECTORY'] ?? ''
  if (directory === '') return undefined
  try {
    return { url: await readUrl(join(directory, CREDENTIAL)), from: `the systemd credential ${CREDENTIAL}` }
  } catch (error) {
    if (error instanceof CodedError && systemCode(error.cause) === 'ENOENT') return undefined
    throw error
  }
}

/** Whether systemd gives the worker an address. */
export async function hasStoreCredential({ CREDENTIALS_DIRECTORY = '' }: NodeJS.ProcessEnv): Promise<boolean> {
  if (CREDENTIALS_DIRECTORY === '') return false
  return await access(join(CREDENTIALS_DIRECTORY, CREDENTIAL)).then(
    () => true,
    () => false,
  )
}

async function readUrl(file: string): Promise<Secret> {
  const text = await readNamed(file, `The file ${file}, which is to hold the address of the shared store`)
  return new Secret(text.trim())
}

async function readNamed(file: string, what: string): Promise<string> {
  const bytes = await readRegularFile(file).catch((cause: unknown) => {
    const why = systemCode(cause) === 'ENOENT' ? 'there is no such file' : `it ${whyUnread(cause)}`
    throw new CodedError('FILE_INVALID', `${what}: ${why}`, { cause })
  })
  return bytes.toString()
}
