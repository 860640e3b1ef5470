import { asError, systemCode } from '../base/coded-error.ts'
import { readPostgresAddress, withoutSecrets } from '../base/postgres-address.ts'
import type { Secret } from '../base/secret.ts'
import { tryTo } from '../base/try-to.ts'

/** Where a database is, for people: without user and password. */
export function placeOf(url: Secret): string {
  const parsed = readPostgresAddress(url.reveal())
  if (parsed === undefined) return 'PostgreSQL'
  const port = parsed.searchParams.get('port') ?? parsed.port
  const host = parsed.searchParams.get('host') ?? decoded(parsed.hostname)
  return `${host}${port === '' ? '' : `:${port}`}${decoded(parsed.pathname)}`
}

export const READ_ONLY = 'it can only be read, as a standby can'

const UNVERIFIED = 'its certificate cannot be verified: sslrootcert in the address names the file of its authority'

const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no such host',
  ETIMEDOUT: 'it does not answer',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNVERIFIED,
  SELF_SIGNED_CERT_IN_CHAIN: UNVERIFIED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNVERIFIED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNVERIFIED,
  '25006': READ_ONLY,
  '28P01': 'it refuses the password',
  '53100': 'its disk is full',
  '57P03': 'it is starting or stopping',
}

/** The driver's own words. */
const MEANT: Readonly<Record<string, string>> = {
  'Query read timeout': 'it does not answer in time',
  'timeout exceeded when trying to connect': 'it does not answer',
  'Connection terminated due to connection timeout': 'it does not answer',
  'Connection terminated unexpectedly': 'it has ended the connection',
  'The server does not support SSL connections': 'it speaks no TLS, which the address asks for',
}

/** An error of the store whose message is for people, and shows no password; its code is that of the cause. */
export function storeError(error: unknown, url: Secret): Error {
  const cause = asError(error)
  const code = codeOf(error)
  const said = withoutSecrets(adviceOn(code, cause, url) ?? cause.message, url.reveal())
  return Object.assign(new Error(said === '' ? code : said), { code })
}

function adviceOn(code: string, { message }: Error, url: Secret): string | undefined {
  const parsed = readPostgresAddress(url.reveal())
  const database = /^permission denied for database "(.*)"$/.exec(message)?.[1]
  if (database !== undefined) return `this role lacks CONNECT on the database ${JSON.stringify(database)}: GRANT it`
  if (/client password must be a/.test(message)) return 'it asks for a password, and the address has none'
  if (code !== '3D000') return MEANT[message] ?? ADVICE[code]
  const named = decoded(parsed?.pathname.slice(1) ?? '')
  const name = JSON.stringify(/"(.*)"/.exec(message)?.[1] ?? named)
  const why = named === '' ? ', the name of the user: the address names none' : ''
  return `there is no database ${name}${why}`
}

function decoded(part: string): string {
  return tryTo(() => decodeURIComponent(part)) ?? part
}

export function codeOf(error: unknown): string {
  const [first] = error instanceof AggregateError ? error.errors : []
  if (first !== undefined) return systemCode(first)
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : systemCode(error)
}
