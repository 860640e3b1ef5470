import { clearTimeout, setTimeout } from '../base/host-time.ts'
import http from 'node:http'
import https from 'node:https'
import { isIP, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { buildConnector } from 'undici'
import type { ForwardProxy } from '../base/proxy.ts'
import { TransportError } from './transport.ts'
import { openTunnel } from './tunnel.ts'

/** Bounds what an attempt to connect can outlast the request that it was for. */
const CONNECT_LIMIT = 30_000

/** After so many milliseconds without a word the system looks whether the other end is still there. */
const PROBED = 60_000

type HandOver = (error: Error | null, socket?: Duplex) => void

interface Destroyable {
  destroy(error?: Error): void
}

/** What connections go through, if they do not lead to the service directly. */
export interface Way {
  /** Opens them. */
  readonly tunnel?: ForwardProxy | undefined
  /** Who is at their other end, for messages: ` to the proxy …`. */
  readonly to?: string
}

/**
 * Agents that give a request its socket only once it is connected, so that a request's `socket` event is the moment in which
 * it is sent, and everything that fails before is known not to have sent anything. Through a proxy too: TLS connections go through
 * a tunnel of the proxy, and a failure names the proxy.
 *
 * `idle`: milliseconds for which a connection is kept for the next request, less where the server announces less; 0: every
 * request has a connection of its own.
 */
export function connectedAgents(
  idle: number,
  way: Way = {},
): { http: http.Agent; https: https.Agent; connect: buildConnector.connector; destroy: () => void } {
  const options = idle > 0 ? { keepAlive: true, timeout: idle } : {}
  const connecting = new Set<Destroyable>()
  const agents = {
    http: new ConnectedAgent(options, connecting, way),
    https: new ConnectedTlsAgent(options, connecting, way),
  }
  return {
    ...agents,
    connect: ({ hostname: host, port, protocol }, callback) => {
      const isSecure = protocol === 'https:'
      // undici takes the name of the service for that of a proxy which requests go to.
      const options = {
        host,
        port: port === '' ? (isSecure ? 443 : 80) : port,
        servername: isIP(host) === 0 ? host : '',
      }
      agents[isSecure ? 'https' : 'http'].createConnection(options, (error, socket) => {
        if (socket instanceof Socket && error === null)
          callback(null, socket.setNoDelay(true).setKeepAlive(true, PROBED))
        else callback(error ?? new TransportError('refused', 'no', 'no connection was made'), null)
      })
    },
    destroy: () => {
      agents.http.destroy()
      agents.https.destroy()
      for (const socket of connecting) socket.destroy()
    },
  }
}

class ConnectedAgent extends http.Agent {
  readonly #connecting: Set<Destroyable>
  readonly #way: Way

  constructor(options: http.AgentOptions, connecting: Set<Destroyable>, way: Way) {
    super(options)
    this.#connecting = connecting
    this.#way = way
  }

  override createConnection(options: http.ClientRequestArgs, handOver: HandOver): undefined {
    const socket = super.createConnection(options)
    handOverConnected(socket, 'connect', this.#connecting, handOver, { to: this.#way.to })
  }
}

class ConnectedTlsAgent extends https.Agent {
  readonly #connecting: Set<Destroyable>
  readonly #way: Way

  constructor(options: https.AgentOptions, connecting: Set<Destroyable>, way: Way) {
    super(options)
    this.#connecting = connecting
    this.#way = way
  }

  override createConnection(options: https.RequestOptions, handOver: HandOver): undefined {
    const secure = (over: { socket?: Duplex }): void => {
      const socket = super.createConnection({ ...options, ...over })
      const facts = { to: this.#way.to, reached: over.socket !== undefined }
      handOverConnected(socket, 'secureConnect', this.#connecting, handOver, facts)
    }
    if (this.#way.tunnel === undefined) secure({})
    else this.#connectThrough(this.#way.tunnel, options, handOver, (socket) => secure({ socket }))
  }

  #connectThrough(
    proxy: ForwardProxy,
    { host, port }: https.RequestOptions,
    handOver: HandOver,
    secure: (socket: Duplex) => void,
  ): void {
    const tunnel = openTunnel(proxy, host ?? '', Number(port), (result) => {
      clearTimeout(limit)
      this.#connecting.delete(tunnel)
      if (result instanceof TransportError) handOver(result)
      else secure(result)
    })
    const limit = setTimeout(() => tunnel.destroy(new Error('no connection in time')), CONNECT_LIMIT)
    this.#connecting.add(tunnel)
  }
}

function handOverConnected(
  socket: Duplex | null | undefined,
  ready: 'connect' | 'secureConnect',
  connecting: Set<Destroyable>,
  handOver: HandOver,
  { reached = false, to = '' }: { reached?: boolean; to?: string | undefined },
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
  // Several addresses that all fail make an error without a message of its own.
  const what = error.message === '' ? (error.code ?? error.name) : error.message
  if (error.syscall === 'getaddrinfo')
    return new TransportError('dns', 'no', `the name${to.replace(' to', ' of')} was not resolved: ${what}`)
  if (reached) return new TransportError('tls', 'no', `no secure connection${to}: ${what}`)
  return new TransportError('refused', 'no', `no connection${to}: ${what}`)
}
