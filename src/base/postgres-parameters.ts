import { nearest } from './nearest.ts'
import { readPostgresAddress } from './postgres-address.ts'

const FORM = 'postgresql://user:password@host:5432/database'
/** Parameters of an address that the driver goes by. It would pass over all others without a word: a misspelt `sslmode` would be no TLS. */
const CHOICES: ReadonlyMap<string, readonly string[]> = new Map([
  ['sslmode', ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify']],
  ['ssl', ['true', '1', '0', 'no-verify']],
  ['sslnegotiation', ['postgres', 'direct']],
  ['uselibpqcompat', ['true', 'false']],
])
const FILES = ['sslrootcert', 'sslcert', 'sslkey']
const TEXTS = ['host', 'port', 'user', 'password', 'options', 'application_name', 'client_encoding', 'lock_timeout']
const KNOWN: readonly string[] = [...CHOICES.keys(), ...FILES, ...TEXTS]
/** Modes that the driver takes as verify-full, where libpq connects to a server that it cannot verify, or without TLS. */
const TAKEN_AS_STRICT = ['allow', 'prefer', 'require', 'verify-ca']
const STRICT_FOR_LIBPQ = ['allow', 'no-verify']

/** What is wrong with an address of PostgreSQL, reading on from where it stands. Never with a part of it that may be of a password. */
export function problemOfAddress(text: string): string | undefined {
  if (hasSeveralHosts(text)) return 'names several hosts: only one is taken, as that of a proxy that knows the primary'
  const parsed = readPostgresAddress(text)
  if (parsed === undefined) return `is no address of PostgreSQL: ${FORM}`
  const parameters = [...parsed.searchParams]
  const isCutUp = parsed.hash !== '' || parameters.some(([name]) => !/^[\w-]{1,40}$/.test(name))
  if (isCutUp) return 'is cut up by a ?, # or & in it: in a password they are written %3F, %23 and %26'
  const problems = parameters.map(([name, value], index) => {
    const isAgain = parameters.findIndex(([other]) => other === name) < index
    return isAgain ? `has the parameter ${name} twice` : problemOf(name, value)
  })
  return problems.find((problem) => problem !== undefined) ?? problemOfTls(parsed.searchParams)
}

/** What nobody would expect of the address. */
export function remarkOnAddress(text: string): string | undefined {
  const mode = takenAsStrict(text)
  if (mode === undefined) return undefined
  return `sslmode=${mode} is taken as verify-full: the certificate of the server must be one that can be verified (docs/fleet.md)`
}

/** The address for the driver: modes that it takes as verify-full, and warns of in many lines, are named so. */
export function strictAddress(text: string): string {
  return takenAsStrict(text) === undefined ? text : text.replace(/([?&]sslmode=)[^&]*/, '$1verify-full')
}

/** Files that the address names, each with its parameter. */
export function filesOfAddress(text: string): readonly (readonly [parameter: string, file: string])[] {
  const parameters = readPostgresAddress(text)?.searchParams
  return [...(parameters ?? [])].filter(([name]) => FILES.includes(name))
}

function takenAsStrict(text: string): string | undefined {
  const parameters = readPostgresAddress(text)?.searchParams
  const mode = parameters?.get('sslmode') ?? ''
  const taken = parameters?.get('uselibpqcompat') === 'true' ? STRICT_FOR_LIBPQ : TAKEN_AS_STRICT
  return taken.includes(mode) ? mode : undefined
}

function problemOf(name: string, value: string): string | undefined {
  if (!KNOWN.includes(name)) return `has the unknown parameter ${name}${meant(name, KNOWN)}`
  const choices = CHOICES.get(name)
  if (choices !== undefined && !choices.includes(value))
    return `has another ${name} than ${choices.join(', ')}${meant(value, choices)}`
  return value === '' ? `has the parameter ${name} without a value` : undefined
}

function meant(word: string, known: readonly string[]): string {
  const best = nearest(word, known)
  return best === undefined ? '' : `; did you mean ${best}?`
}

function problemOfTls(parameters: URLSearchParams): string | undefined {
  const mode = parameters.get('sslmode')
  const isLibpq = parameters.get('uselibpqcompat') === 'true'
  if (isLibpq && mode === 'verify-ca' && !parameters.has('sslrootcert'))
    return 'has sslmode=verify-ca, which needs sslrootcert'
  const isOff = mode === 'disable' || (mode === null && parameters.get('ssl') === '0')
  return isOff && parameters.get('sslnegotiation') === 'direct' ? 'has sslnegotiation=direct without TLS' : undefined
}

/** A password may have a comma. */
function hasSeveralHosts(text: string): boolean {
  const [, authority = ''] = /^postgres(?:ql)?:\/\/([^/?#]*)/.exec(text) ?? []
  const host = authority.slice(authority.lastIndexOf('@') + 1)
  return host.includes(',') || (readPostgresAddress(text)?.searchParams.get('host') ?? '').includes(',')
}
