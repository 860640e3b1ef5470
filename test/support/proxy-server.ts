import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { listen } from './loopback.ts'

export interface ProxyBehaviour {
  /** `user:password` that it asks for. */
  readonly credentials?: string
  /** Where everything goes, whatever was asked for. */
  readonly onwardTo?: string
  /** The status that it answers with itself, to everything; 0: it never answers. */
  readonly refuses?: number
  /** It is spoken to over TLS, and shows this. */
  readonly certificate?: { readonly key: string; readonly cert: string }
}

/** A proxy on the loopback interface: passes requests in the clear on, and opens tunnels. Notes what it was asked for. */
export class ProxyServer implements AsyncDisposable {
  /** `CONNECT host:port` or `GET http://host/path`, each request. */
  readonly asked: string[] = []
  /** The `proxy-authorization` of each. */
  readonly authorizations: (string | undefined)[] = []
  /** Changed while it runs. */
  behaviour: ProxyBehaviour
  url = ''
  readonly #server: Server
  readonly #sockets = new Set<Duplex>()

  private constructor(behaviour: ProxyBehaviour) {
    this.behaviour = behaviour
    const { certificate } = behaviour
    this.#server = certificate === undefined ? createServer() : createSecureServer(certificate)
    this.#server.on('connection', (socket: Socket) => this.#keep(socket))
    this.#server.on('connect', (incoming: IncomingMessage, socket: Duplex) => this.#tunnel(incoming, socket))
    this.#server.on('request', (incoming, outgoing) => {
      const status = this.#refusal(incoming)
      if (status === 0) return
      if (status !== undefined) {
        outgoing.writeHead(status, { 'content-type': 'text/html' }).end('<h1>the proxy says no</h1>')
        return
      }
      const { 'proxy-authorization': _, ...headers } = incoming.headers
      const passed = request(this.#target(incoming.url ?? ''), { method: incoming.method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      })
      passed.on('error', () => outgoing.writeHead(502).end())
      incoming.pipe(passed)
    })
  }

  static async start(behaviour: ProxyBehaviour = {}): Promise<ProxyServer> {
    const proxy = new ProxyServer(behaviour)
    proxy.url = await listen(proxy.#server, behaviour.certificate === undefined ? 'http' : 'https')
    return proxy
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #tunnel(incoming: IncomingMessage, socket: Duplex): void {
    const status = this.#refusal(incoming)
    if (status === 0) return
    if (status !== undefined) {
      socket.end(`HTTP/1.1 ${status} No\r\ncontent-type: text/html\r\n\r\n<h1>the proxy says no</h1>`)
      return
    }
    const { hostname, port } = this.#target(`http://${incoming.url}`)
    const onward = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    this.#keep(onward)
    onward.on('error', () => socket.destroy())
  }

  #target(asked: string): URL {
    const { onwardTo } = this.behaviour
    const { pathname, search } = new URL(asked)
    return new URL(`${pathname}${search}`, onwardTo ?? asked)
  }

  /** Undefined: it is passed on. */
  #refusal(incoming: IncomingMessage): number | undefined {
    const { credentials, refuses } = this.behaviour
    const given = incoming.headers['proxy-authorization']
    this.asked.push(`${incoming.method} ${incoming.url}`)
    this.authorizations.push(given)
    if (credentials !== undefined && given !== `Basic ${Buffer.from(credentials).toString('base64')}`) return 407
    return refuses
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket)
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket))
  }
}
