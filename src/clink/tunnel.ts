import type { RequestOptions } from 'node:https'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ForwardProxy } from '../base/proxy.ts'
import { http, https } from '../base/node-http.ts'
import { TransportError } from './transport.ts'

/**
 * Has a proxy open a connection to a host (CONNECT). Every answer but a 2xx is the proxy's own refusal, and never taken for the
 * service's; all that fails here fails before anything was sent.
 *
 * @returns what can be ended before `opened` is called.
 */
export function openTunnel(
  proxy: ForwardProxy,
  host: string,
  port: number,
  opened: (result: Duplex | TransportError) => void,
): { destroy(error?: Error): void } {
  const authority = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
  const asking = requestOf(proxy)({
    ...addressOf(proxy),
    method: 'CONNECT',
    path: authority,
    agent: false,
    headers: { host: authority, ...authorizationFor(proxy) },
  })
  asking.once('connect', ({ statusCode = 0, statusMessage = '' }, socket: Duplex, first: Buffer) => {
    if (statusCode >= 200 && statusCode < 300) {
      if (first.length > 0) socket.unshift(first)
      opened(socket)
      return
    }
    socket.destroy()
    opened(refusal(proxy, statusCode, statusMessage))
  })
  asking.once('error', (error: NodeJS.ErrnoException) => {
    const kind = error.syscall === 'getaddrinfo' ? 'dns' : 'refused'
    const what = error.message === '' ? (error.code ?? error.name) : error.message
    opened(new TransportError(kind, 'no', `no connection by way of the proxy ${proxy.address}: ${what}`))
  })
  asking.end()
  return asking
}

export function requestOf({ isSecure }: ForwardProxy): typeof http.request {
  return isSecure ? https.request : http.request
}

/** Where a request to the proxy itself goes. Without its own name, TLS would ask for the one in the `Host` header. */
export function addressOf({ host, port, isSecure }: ForwardProxy): RequestOptions {
  return { host, port, ...(isSecure && { servername: isIP(host) === 0 ? host : '' }) }
}

export function authorizationFor({ authorization }: ForwardProxy): Readonly<Record<string, string>> {
  return authorization === undefined ? {} : { 'proxy-authorization': authorization.reveal() }
}

/** What a proxy says itself, in place of the service. */
export function refusal({ address, from }: ForwardProxy, status: number, said = ''): TransportError {
  const advice = status === 407 ? `; give user and password in ${from}, as http://user:password@host:port` : ''
  return new TransportError('refused', 'no', `the proxy ${address} refuses: ${`${status} ${said}`.trimEnd()}${advice}`)
}
