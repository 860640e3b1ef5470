import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { isIP } from 'node:net'
import type { ForwardProxy } from '../base/proxy.ts'
import { connectedAgents } from './agents.ts'

/** What a service shows of itself before anything is sent. */
export interface ShownCertificate {
  /** As `TLSv1.3`. */
  readonly protocol: string
  readonly subject: string
  readonly issuer: string
  /** Wall time in milliseconds after which it counts no more; undefined: it does not say. */
  readonly expiresAt: number | undefined
  /** Why it is not believed, in OpenSSL's word; undefined: it is. */
  readonly distrust: string | undefined
}

interface Certified {
  /** Begins with https://. */
  readonly url: string
  readonly proxy: ForwardProxy | undefined
}

/**
 * Opens a connection, looks at the certificate, whether it can be believed or not, and sends nothing.
 *
 * @throws {TransportError} when there is no connection.
 */
export async function shownCertificate({ proxy, url }: Certified): Promise<ShownCertificate> {
  const { hostname, port } = new URL(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const agents = connectedAgents(0, true, proxy)
  try {
    const socket = await new Promise<TLSSocket>((resolve, reject) => {
      const asked = { host, port: Number(port || 443), servername: isIP(host) === 0 ? host : '' }
      const handOver = (error: Error | null, opened?: Duplex): void => {
        if (error === null && opened instanceof TLSSocket) resolve(opened)
        else reject(error ?? new Error('no secure connection was made'))
      }
      agents.https.createConnection({ ...asked, rejectUnauthorized: false }, handOver)
    })
    const shown = shownBy(socket)
    socket.destroy()
    return shown
  } finally {
    agents.destroy()
  }
}

function shownBy(socket: TLSSocket): ShownCertificate {
  const certificate = socket.getPeerCertificate()
  const nameOf = (names: Readonly<Record<string, string | readonly string[] | undefined>> | undefined): string => {
    return [names?.['CN'] ?? names?.['O'] ?? 'somebody without a name'].flat().join(', ')
  }
  const expiresAt = socket.getPeerX509Certificate()?.validToDate.getTime()
  return {
    protocol: socket.getProtocol() ?? 'TLS',
    subject: nameOf({ ...certificate.subject }),
    issuer: nameOf({ ...certificate.issuer }),
    expiresAt,
    distrust: socket.authorized ? undefined : String(socket.authorizationError),
  }
}
