import http from 'node:http'
import https from 'node:https'
import type { Duplex } from 'node:stream'
import { TransportError } from './transport.ts'

/** Bounds what an attempt to connect can outlast the request that it was for. */
const CONNECT_LIMIT = 30_000

type HandOver = (error: Error | null, socket: Duplex) => void

/**
 * Agents that give a request its socket only once it is connected, so that a request's `socket` event is the moment in which
 * it is sent, and everything that fails before is known not to have sent anything.
 *
 * `idle`: milliseconds for which a connection is kept for the next request, less where the server announces less; 0: every
 * request has a connection of its own.
 */
export function connectedAgents(idle: number): { http: http.Agent; https: https.Agent; destroy: () => void } {
  const options = idle > 0 ? { keepAlive: true, timeout: idle } : {}
  const connecting = new Set<Duplex>()
  const agents = { http: new ConnectedAgent(options, connecting), https: new ConnectedTlsAgent(options, connecting) }
  return {
    ...agents,
    destroy: () => {
      agents.http.destroy()
      agents.https.destroy()
      for (const socket of connecting) socket.destroy()
    },
  }
}

class ConnectedAgent extends http.Agent {
  readonly #connecting: Set<Duplex>

  constructor(options: http.AgentOptions, connecting: Set<Duplex>) {
    super(options)
    this.#connecting = connecting
  }

  override createConnection(options: http.ClientRequestArgs, handOver: HandOver): undefined {
    handOverConnected(super.createConnection(options), 'connect', this.#connecting, handOver)
  }
}

class ConnectedTlsAgent extends https.Agent {
  readonly #connecting: Set<Duplex>

  constructor(options: https.AgentOptions, connecting: Set<Duplex>) {
    super(options)
    this.#connecting = connecting
  }

  override createConnection(options: https.RequestOptions, handOver: HandOver): undefined {
    handOverConnected(super.createConnection(options), 'secureConnect', this.#connecting, handOver)
  }
}

function handOverConnected(
  socket: Duplex | null | undefined,
  ready: 'connect' | 'secureConnect',
  connecting: Set<Duplex>,
  handOver: HandOver,
): void {
  // Only the type admits this: Node's own agents always return a socket.
  if (!socket) throw new TransportError('refused', 'no', 'no connection was made')
  let reached = false
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
    handOver(connectFailure(error, reached), socket)
  }
  const onClose = (): void => onError(new Error('the connection was closed'))

  connecting.add(socket)
  socket.once('connect', onConnect).once(ready, onReady).once('error', onError).once('close', onClose)
}

function connectFailure(error: NodeJS.ErrnoException, reached: boolean): TransportError {
  // Several addresses that all fail make an error without a message of its own.
  const what = error.message === '' ? (error.code ?? error.name) : error.message
  if (error.syscall === 'getaddrinfo') return new TransportError('dns', 'no', `the name was not resolved: ${what}`)
  if (reached) return new TransportError('tls', 'no', `no secure connection: ${what}`)
  return new TransportError('refused', 'no', `no connection: ${what}`)
}
