import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { systemCode } from '../base/coded-error.ts'
import { inAddress } from '../base/host-names.ts'
import { clearTimeout, setTimeout } from '../base/host-time.ts'
import { http } from '../base/node-http.ts'
import { errorOf, jsonAnswer, type Answer, type Stream } from './answer.ts'
import { foreignness, type IsOurs } from './named-host.ts'

/** Milliseconds in which the head of a request has to arrive, and all of it; and between two looks at that. */
const TIMES = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 1_000 }
/** How long a stop waits for callers that do not take their answers. */
const PARTING = 300

export interface ListenerOptions {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** The most connections at a time. For one more the oldest is closed on which nothing is asked, or that one where there is none. */
  readonly connections: number
  /** Milliseconds after which a connection is closed on which nothing moves. Left out: answers may take as long as they like. */
  readonly silence?: number
  /** Default: 10 s for the head of a request, 30 s for all of it. */
  readonly times?: Partial<typeof TIMES>
  readonly isOurs: IsOurs
  /** What it throws is told to the caller. */
  readonly answer: (request: IncomingMessage, response: ServerResponse) => Promise<Answer | Stream>
}

/** An HTTP server with limits to what a caller may take of it: connections, the size of a head, the time for a request. */
export class Listener {
  readonly #options: ListenerOptions
  /** And what is asked on each, the oldest first. */
  readonly #connections = new Map<Socket, IncomingMessage | undefined>()
  #server: Server | undefined

  constructor(options: ListenerOptions) {
    this.#options = options
  }

  /** @throws {Error} the system's, when nothing can listen there. */
  async start(): Promise<void> {
    const { connections, host, port, silence = 0, times } = this.#options
    const serve = (request: IncomingMessage, response: ServerResponse): void => void this.#serve(request, response)
    const server = http.createServer({ ...TIMES, ...times, keepAlive: true, requireHostHeader: false }, serve)
    // Those that give way are counted by Node until they have closed.
    server.maxConnections = 2 * connections
    server.timeout = silence
    // Whoever asks first whether a body is welcome is told by the answer; `bodyOf` says that it is.
    server.on('checkContinue', serve).on('clientError', refuse)
    server.on('connection', (socket: Socket) => this.#letIn(socket))
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
    server.on('error', () => {})
    this.#server = server
  }

  /** Where it listens; undefined: it does not. */
  get url(): string | undefined {
    const address = this.#server?.address()
    if (typeof address !== 'object' || address === null) return undefined
    const { host } = this.#options
    return `http://${inAddress(host)}:${address.port}`
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeIdleConnections()
    const late = setTimeout(() => server.closeAllConnections(), PARTING)
    await closed
    clearTimeout(late)
  }

  /** Whoever holds connections and asks nothing keeps nobody out, probes least of all: they ask at once. */
  #letIn(socket: Socket): void {
    const all = this.#connections
    if (all.size >= this.#options.connections) {
      // Of one whose request is still arriving nobody knows whether it comes to its end.
      const [idle] = [...all].find(([, request]) => request === undefined || !request.complete) ?? []
      if (idle !== undefined) all.delete(idle)
      ;(idle ?? socket).destroy()
      if (idle === undefined) return
    }
    all.set(socket, undefined)
    socket.on('close', () => all.delete(socket))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request
    if (this.#connections.has(socket)) this.#connections.set(socket, request)
    response.on('close', () => {
      if (this.#connections.get(socket) === request) this.#connections.set(socket, undefined)
    })
    // A caller may leave at any moment; that is its own affair.
    response.on('error', () => {})
    const answer = await this.#answer(request, response).catch((error: unknown) => jsonAnswer(500, errorOf(error)))
    const { headers, status } = answer
    // What has not been read of a request that is refused would be taken for the next one.
    if (!request.complete) response.setHeader('connection', 'close')
    if ('begin' in answer) {
      response.writeHead(status, { ...ALWAYS, ...headers })
      answer.begin(response)
      return
    }
    const { text } = answer
    response.writeHead(status, { ...ALWAYS, ...headers, 'content-length': Buffer.byteLength(text) })
    response.end(text)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<Answer | Stream> {
    const foreign = foreignness(request, this.#options.isOurs)
    return foreign === undefined
      ? await this.#options.answer(request, response)
      : jsonAnswer(403, { error: `this is not for you: ${foreign}` })
  }
}

const ALWAYS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

const TROUBLE: Readonly<Record<string, readonly [status: number, error: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'the head of the request is too long'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not arrive in time'],
}

/** Tells whoever sends what is no request, or does not come to its end. */
function refuse(error: Error, socket: Duplex): void {
  const [status, text] = TROUBLE[systemCode(error)] ?? [400, 'this is no request of HTTP']
  if (!socket.writable || systemCode(error) === 'ECONNRESET') return void socket.destroy()
  const body = JSON.stringify({ error: text })
  const head = `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: application/json`
  socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`, () => socket.destroy())
}

export function hasBody(headers: IncomingMessage['headers']): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

/**
 * Undefined: it has more than so many bytes. It is read to its end all the same: cut in the middle of its sending, the caller would not see
 * the answer.
 */
export async function bodyOf(
  request: IncomingMessage,
  response: ServerResponse,
  longest: number,
): Promise<string | undefined> {
  if (request.headers.expect !== undefined) response.writeContinue()
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue
    length += chunk.length
    if (length <= longest) chunks.push(chunk)
  }
  return length > longest ? undefined : Buffer.concat(chunks).toString('utf8')
}
