import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CodedError, systemCode } from '../base/coded-error.ts'
import { readPostgresAddress } from '../base/postgres-address.ts'
import { Secret } from '../base/secret.ts'
import type { Config } from './config.ts'

/** Where a fleet remembers, and which one it is. */
export interface SharedStorePlace {
  readonly url: Secret
  readonly fleet: string
}

const CREDENTIAL = 'clink-state-url'
const FORM = 'postgresql://user:password@host:5432/database'

/**
 * Finds the address of the shared store: `state.url`, then `state.urlFile`, then the systemd credential. Undefined: there is none, and the worker
 * remembers alone.
 *
 * @throws {CodedError} FILE_INVALID, CONFIG_INVALID: never with the address, which holds a password.
 */
export async function sharedStore({ state }: Config, env: NodeJS.ProcessEnv): Promise<SharedStorePlace | undefined> {
  const found = await find(state, env)
  if (found === undefined) return undefined
  const { from, url } = found
  if (readPostgresAddress(url.reveal()) === undefined)
    throw new CodedError('CONFIG_INVALID', `${from} is no address of PostgreSQL: ${FORM}`)
  return { url, fleet: state.fleet }
}

async function find(
  { url, urlFile }: Config['state'],
  env: NodeJS.ProcessEnv,
): Promise<{ readonly url: Secret; readonly from: string } | undefined> {
  if (url !== null) return { url, from: 'state.url' }
  if (urlFile !== null) return { url: await readUrl(urlFile), from: `state.urlFile: ${urlFile}` }
  const directory = env['CREDENTIALS_DIRECTORY'] ?? ''
  if (directory === '') return undefined
  try {
    return { url: await readUrl(join(directory, CREDENTIAL)), from: `the systemd credential ${CREDENTIAL}` }
  } catch (error) {
    if (error instanceof CodedError && systemCode(error.cause) === 'ENOENT') return undefined
    throw error
  }
}

async function readUrl(file: string): Promise<Secret> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    const why = systemCode(cause) === 'ENOENT' ? 'there is no such file' : 'it cannot be read'
    throw new CodedError('FILE_INVALID', `The file ${file}, which is to hold the address of the shared store: ${why}`, {
      cause,
    })
  })
  return new Secret(text.trim())
}
