import { clearTimeout, setTimeout } from '../base/host-time.ts'
import type { ClientRequestArgs } from 'node:http'
import type { RequestOptions } from 'node:https'
import { isIP, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { buildConnector } from 'undici'
import type { ForwardProxy } from '../base/proxy.ts'
import { TransportError } from './transport.ts'
import { http, https } from '../base/node-http.ts'
import { openTunnel } from './tunnel.ts'

/** Bounds what an attempt to connect can outlast the request that it was for. */
const CONNECT_LIMIT = 30_000

/** After so many milliseconds without a word the system looks whether the other end is still there. */
const PROBED = 60_000

type HandOver = (error: Error | null, socket?: Duplex) => void

interface Destroyable {
  destroy(error?: Error): void
}

/**
 * Agents that give a request its socket only once it is connected, so that a request's `socket` event is the moment in which
 * it is sent, and everything that fails before is known not to have sent anything. Through a proxy too: TLS connections go through
 * a tunnel of the proxy, and a failure names the proxy.
 *
 * `idle`: milliseconds for which a connection is kept for the next request, less where the server announces less; 0: every
 * request has a connection of its own.
 */
export function connectedAgents(idle: number, isSecure = false, proxy?: ForwardProxy) {
  const tunnel = isSecure ? proxy : undefined
  const to = isSecure || proxy === undefined ? '' : ` to the proxy ${proxy.address}`
  const options = idle > 0 ? { keepAlive: true, timeout: idle } : {}
  const agents = { http: new http.Agent(options), https: new https.Agent(options) }
  const connecting = new Set<Destroyable>()
  const open = agents.http.createConnection.bind(agents.http)
  Object.assign(agents.http, {
    createConnection: (asked: ClientRequestArgs, handOver: HandOver): void =>
      handOverConnected(open(asked), 'connect', connecting, handOver, { to }),
  })
  const openSecure = agents.https.createConnection.bind(agents.https)
  Object.assign(agents.https, {
    createConnection: (asked: RequestOptions, handOver: HandOver): void => {
      const secure = (over: { socket?: Duplex }): void => {
        const socket = openSecure({ ...withoutUndefined(asked), ...over })
        handOverConnected(socket, 'secureConnect', connecting, handOver, { to, reached: over.socket !== undefined })
      }
      if (tunnel === undefined) secure({})
      else connectThrough(tunnel, asked, connecting, handOver, (socket) => secure({ socket }))
    },
  })
  const connect: buildConnector.connector = ({ hostname: host, port, protocol }, callback) => {
    const isSecure = protocol === 'https:'
    // undici takes the name of the service for that of a proxy which requests go to.
    const asked = { host, port: port === '' ? (isSecure ? 443 : 80) : port, servername: isIP(host) === 0 ? host : '' }
    agents[isSecure ? 'https' : 'http'].createConnection(asked, (error, socket) => {
      if (socket instanceof Socket && error === null) callback(null, socket.setNoDelay(true).setKeepAlive(true, PROBED))
      else callback(error ?? new TransportError('refused', 'no', 'no connection was made'), null)
    })
  }
  return {
    ...agents,
    connect,
    destroy: () => {
      agents.http.destroy()
      agents.https.destroy()
      for (const socket of connecting) socket.destroy()
    },
  }
}

/** got leaves this undefined, which Node takes for true. Left out it is what NODE_TLS_REJECT_UNAUTHORIZED says, as for undici. */
function withoutUndefined({ rejectUnauthorized, ...asked }: RequestOptions): RequestOptions {
  return rejectUnauthorized === undefined ? asked : { ...asked, rejectUnauthorized }
}

function connectThrough(
  proxy: ForwardProxy,
  { host, port }: RequestOptions,
  connecting: Set<Destroyable>,
  handOver: HandOver,
  secure: (socket: Duplex) => void,
): void {
  const tunnel = openTunnel(proxy, host ?? '', Number(port), (result) => {
    clearTimeout(limit)
    connecting.delete(tunnel)
    if (result instanceof TransportError) handOver(result)
    else secure(result)
  })
  const limit = setTimeout(() => tunnel.destroy(new Error('no connection in time')), CONNECT_LIMIT)
  connecting.add(tunnel)
}

function handOverConnected(
  socket: Duplex | null | undefined,
  ready: 'connect' | 'secureConnect',
  connecting: Set<Destroyable>,
  handOver: HandOver,
  { reached = false, to }: { reached?: boolean; to: string },
): void {
  // Only the type admits this: Node's own agents always return a socket.
  if (!socket) throw new TransportError('refused', 'no', 'no connection was made')
  const onConnect = (): void => {
    reached = true
  }
  const limit = setTimeout(() => socket.destroy(new Error('no connection in time')), CONNECT_LIMIT)
  const settle = (): void => {
    clearTimeout(limit)
    connecting.delete(socket)
  }
  const onReady = (): void => {
    settle()
    socket.off('error', onError).off('close', onClose).off('connect', onConnect)
    handOver(null, socket)
  }
  const onError = (error: NodeJS.ErrnoException): void => {
    settle()
    socket.off(ready, onReady)
    handOver(connectFailure(error, reached, to), socket)
  }
  const onClose = (): void => onError(new Error('the connection was closed'))

  connecting.add(socket)
  socket.once('connect', onConnect).once(ready, onReady).once('error', onError).once('close', onClose)
}

function connectFailure(error: NodeJS.ErrnoException, reached: boolean, to: string): TransportError {
  const what = saidBy(error)
  if (error.syscall === 'getaddrinfo')
    return new TransportError('dns', 'no', `the name${to.replace(' to', ' of')} was not resolved: ${what}`)
  if (reached) return new TransportError('tls', 'no', `no secure connection${to}: ${what}`)
  return new TransportError('refused', 'no', `no connection${to}: ${what}`)
}

function saidBy(error: NodeJS.ErrnoException & { readonly reason?: string }): string {
  // OpenSSL's message also has its place in a source file and a line end.
  if (error.code?.startsWith('ERR_SSL_') === true && error.reason !== undefined) return error.reason
  // Several addresses that all fail make an error without a message of its own.
  return error.message === '' ? (error.code ?? error.name) : error.message
}
