import { asError, systemCode } from '../base/coded-error.ts'
import { readPostgresAddress, secretsOfAddress } from '../base/postgres-address.ts'
import type { Secret } from '../base/secret.ts'

/** Where a database is, for people: without user and password. */
export function placeOf(url: Secret): string {
  const parsed = readPostgresAddress(url.reveal())
  if (parsed === undefined) return 'PostgreSQL'
  const host = parsed.searchParams.get('host') ?? parsed.hostname
  return `${host}${parsed.port === '' ? '' : `:${parsed.port}`}${parsed.pathname}`
}

export const READ_ONLY = 'it can only be read, as a standby can'

const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no such host',
  ETIMEDOUT: 'it does not answer',
  '25006': READ_ONLY,
  '28P01': 'it refuses the password',
  '3D000': 'there is no such database',
  '53100': 'its disk is full',
  '57P03': 'it is starting or stopping',
}

/** An error of the store whose message is for people, and shows no password; its code is that of the cause. */
export function storeError(error: unknown, url: Secret): Error {
  const cause = asError(error)
  const code = codeOf(error)
  const said = withoutPassword(ADVICE[code] ?? cause.message, url)
  return Object.assign(new Error(said === '' ? code : said), { code })
}

export function codeOf(error: unknown): string {
  const [first] = error instanceof AggregateError ? error.errors : []
  if (first !== undefined) return systemCode(first)
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : systemCode(error)
}

function withoutPassword(text: string, url: Secret): string {
  return secretsOfAddress(url.reveal()).reduce((shown, form) => shown.replaceAll(form, '[secret]'), text)
}
