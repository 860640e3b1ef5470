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
const CUT_UP = 'is cut up by a ?, # or & in it: in a password they are written %3F, %23 and %26'
const CUT_UP_BY_SLASH =
  'is cut up by a / in it: in a password it is written %2F, and an @ in the name of a database is written %40'
const FILES = ['sslrootcert', 'sslcert', 'sslkey']
const TEXTS = ['host', 'port', 'user', 'password', 'options', 'application_name', 'client_encoding', 'lock_timeout']
/** Parameters whose values may have an `@`. */
const WITH_AT: readonly string[] = [...FILES, 'user', 'password', 'options', 'application_name']
const KNOWN: readonly string[] = [...CHOICES.keys(), ...FILES, ...TEXTS]
/** Modes that the driver takes as verify-full, where libpq connects to a server that it cannot verify, or without TLS. */
const TAKEN_AS_STRICT = ['allow', 'prefer', 'require', 'verify-ca']
const STRICT_FOR_LIBPQ = ['allow', 'no-verify']

/** What is wrong with an address of PostgreSQL, reading on from where it stands. Never with a part of it that may be of a password. */
export function problemOfAddress(text: string): string | undefined {
  if (hasPasswordInPath(text)) return CUT_UP_BY_SLASH
  if (hasSeveralHosts(text)) return 'names several hosts: only one is taken, as that of a proxy that knows the primary'
  const parsed = readPostgresAddress(text)
  if (parsed?.href.startsWith(`${parsed.protocol}//`) !== true || namesCredentialsAsHost(parsed))
    return `is no address of PostgreSQL: ${FORM}`
  const parameters = [...parsed.searchParams]
  const isCutUp = parsed.hash !== '' || parameters.some(([name]) => !/^[\w-]{1,40}$/.test(name))
  if (isCutUp || hasPasswordInParameters(parsed)) return CUT_UP
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

/** What comes before an `@` is a user and a password: a / in one of them ends the part in which they are looked for, and what follows would be a host or the name of a database. */
function hasPasswordInPath(text: string): boolean {
  return /^\s*[a-z]+:\/\/[^/?#]*\/[^?#]*@/i.test(text)
}

/** So a ? in a password makes parameters of its rest. Some have an `@` of their own, and none of these is shown, or asked for as a host. */
function hasPasswordInParameters({ search }: URL): boolean {
  return search
    .slice(1)
    .split('&')
    .some((one) => one.includes('@') && !WITH_AT.includes(one.slice(0, Math.max(0, one.indexOf('=')))))
}

/** All of it was percent-encoded, the `@` as well. The directory of a socket may have one. */
function namesCredentialsAsHost({ hostname, searchParams }: URL): boolean {
  return [hostname.replace(/^%2f/i, '/'), ...searchParams.getAll('host')].some((host) => /^[^/].*(?:@|%40)/.test(host))
}

/** A password may have a comma. */
function hasSeveralHosts(text: string): boolean {
  const [, authority = ''] = /^postgres(?:ql)?:\/\/([^/?#]*)/.exec(text) ?? []
  const host = authority.slice(authority.lastIndexOf('@') + 1)
  return host.includes(',') || (readPostgresAddress(text)?.searchParams.get('host') ?? '').includes(',')
}
