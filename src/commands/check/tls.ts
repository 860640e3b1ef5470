import { getCACertificates } from 'node:tls'
import { EXIT } from '../../base/coded-error.ts'
import { isLoopbackName } from '../../base/host-names.ts'
import { wallNow } from '../../base/host-time.ts'
import { isoTime } from '../../base/time-text.ts'
import type { ForwardProxy } from '../../base/proxy.ts'
import { shownCertificate, type ShownCertificate } from '../../clink/certificate.ts'
import { TransportError } from '../../clink/transport.ts'
import { failed, isFinding, ok, warning, type Finding } from './finding.ts'
import { adviceAbout } from './service-advice.ts'

interface Way {
  readonly url: string
  readonly proxy: ForwardProxy | undefined
  readonly env: NodeJS.ProcessEnv
}

const DAY = 86_400_000
/** A certificate that ends so soon should have been renewed. */
const SOON = 14 * DAY

/** How the connection to the service is secured, and by whose word. Undefined: it is to this machine itself, and needs no securing. */
export async function tlsFinding({ env, proxy, url }: Way): Promise<Finding | undefined> {
  const { hostname, protocol } = new URL(url)
  if (protocol !== 'https:') {
    if (isLoopbackName(hostname)) return undefined
    return warning('tls', 'none: the key and what clinks say travel in the clear', 'write clink.url with https://')
  }
  const shown = await shownCertificate({ url, proxy }).catch(noConnection)
  if (isFinding(shown)) return shown
  const trusted = trustedBy(env)
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') {
    const text = `${described(shown)}; certificates are not looked at (NODE_TLS_REJECT_UNAUTHORIZED=0)`
    return warning('tls', text, 'take that variable away: anybody in between could read the key')
  }
  if (shown.distrust !== undefined) {
    const text = `${described(shown)}; not believed: ${WHY[shown.distrust] ?? shown.distrust} (trusted: ${trusted})`
    return failed('tls', text, EXIT.unavailable, adviceFor(shown.distrust))
  }
  const left = (shown.expiresAt ?? Infinity) - wallNow()
  if (left >= SOON) return ok('tls', `${described(shown)}; trusted: ${trusted}`)
  return warning('tls', described(shown), 'whoever runs the service, or what stands in front of it, has to renew it')
}

function noConnection(error: unknown): Finding {
  if (!(error instanceof TransportError)) throw error
  const advice = error.kind === 'tls' ? NO_TLS : adviceAbout(error.kind)
  return failed('tls', error.message, EXIT.unavailable, advice)
}

const NO_TLS =
  'look at the port and at https:// in clink.url: what listens there does not speak TLS, or something in between cuts it off'

/** Whose word counts here, as the process was started. */
function trustedBy(env: NodeJS.ProcessEnv): string {
  const flags = [...process.execArgv, env['NODE_OPTIONS'] ?? ''].join(' ')
  const extra = env['NODE_EXTRA_CA_CERTS'] ?? ''
  const takesSystem = env['NODE_USE_SYSTEM_CA'] === '1' || flags.includes('--use-system-ca')
  return [
    flags.includes('--use-openssl-ca') ? 'the authorities of OpenSSL' : 'the authorities that Node comes with',
    takesSystem ? ', those of the system' : '',
    extra === '' ? '' : `, and ${extra}`,
    extra === '' || getCACertificates('extra').length > 0 ? '' : ', which could not be read',
  ].join('')
}

function described({ expiresAt, issuer, protocol, subject }: ShownCertificate): string {
  const until = expiresAt === undefined ? '' : `, until ${isoTime(expiresAt).slice(0, 10)}`
  return `${protocol}, certificate of ${subject} by ${issuer}${until}`
}

const WHY: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it has signed itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its authority is not known here',
  UNABLE_TO_GET_ISSUER_CERT: 'its authority is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its authority is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its authority is not known here, or the service leaves out what stands in between',
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it does not count yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is for another name',
}

function adviceFor(distrust: string): string {
  if (distrust.startsWith('CERT_'))
    return 'compare the clock of this machine with the dates; otherwise it has to be renewed there'
  if (distrust === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'use the name in clink.url for which the certificate was made'
  return 'if it is your own authority, or a proxy that opens TLS: name the file with its certificate in NODE_EXTRA_CA_CERTS before the worker starts, or set NODE_USE_SYSTEM_CA=1 where the system trusts it'
}
