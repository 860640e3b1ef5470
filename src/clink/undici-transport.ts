import type { IncomingHttpHeaders } from 'node:http'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import type { buildConnector, Dispatcher, Pool as OnePool } from 'undici'
import type { ForwardProxy } from '../base/proxy.ts'
import { connectedAgents } from './agents.ts'
import type { Attempt } from './attempt.ts'
import { baseUrl } from './base-url.ts'
import { flatHeaders, HttpTransport, LARGEST_ANSWER, type TransportOptions } from './http-transport.ts'
import type { TransportRequest, TransportResponse } from './transport.ts'
import { authorizationFor, refusal } from './tunnel.ts'
import { errors, Pool } from './undici-parts.ts'

/**
 * Milliseconds for which connections are kept for the next request, less where the server announces less. Usual servers close idle ones
 * after 5 s and more; one that was used a second ago is closed by hardly any.
 */
const IDLE = { kept: 4_000, fresh: 1_000 }
/** A server that announces how long it keeps connections may count from a little earlier than we do. */
const THRESHOLD = 1_000
/** How many connections a line has at most. */
const CONNECTIONS = 64

const unpack: Readonly<
  Record<string, (packed: Uint8Array, limit: { maxOutputLength: number }) => Promise<Uint8Array>>
> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
}

/**
 * HTTP by undici, for the calls that work is made of. No connection has two requests without an answer, and undici sends none again.
 * Each kind of call has connections of its own: completions that the service leaves unanswered hold up no renewal. Polls and releases,
 * which may not be sent twice, go over a connection that was used within the last second, or over a new one.
 */
export class UndiciTransport extends HttpTransport {
  /** The service says what undici does not understand: an interim answer that nobody has asked for. */
  isBaffled = false
  readonly #lines: Readonly<Record<NonNullable<TransportRequest['line']>, Line>>
  readonly #agents: ReturnType<typeof connectedAgents>
  /** Comes before the path of each request. */
  readonly #before: string
  /** Takes requests in the clear, whole addresses in them; TLS goes through its tunnels. */
  readonly #forwarder: ForwardProxy | undefined
  readonly #headers: Readonly<Record<string, string>>
  /** What is sent of the headers of a request. A client gives the same ones again and again. */
  readonly #sent = new WeakMap<TransportRequest['headers'], string[]>()

  constructor(options: TransportOptions) {
    super(options)
    const { proxy, url } = options
    const address = new URL(baseUrl(url))
    const isSecure = address.protocol === 'https:'
    const prefix = address.pathname.replace(/\/$/, '')
    this.#forwarder = isSecure ? undefined : proxy
    this.#agents = connectedAgents(0, isSecure, proxy)
    this.#before = this.#forwarder === undefined ? prefix : `${address.origin}${prefix}`
    const forwarded = this.#forwarder === undefined ? {} : { host: address.host, ...authorizationFor(this.#forwarder) }
    this.#headers = { 'accept-encoding': 'gzip', ...forwarded }
    const origin = this.#forwarder === undefined ? address.origin : this.#forwarder.address
    const line = (idle: number, connections?: number): Line => new Line(origin, this.#agents.connect, idle, connections)
    this.#lines = {
      poll: line(IDLE.fresh, 1),
      look: line(IDLE.kept),
      claim: line(IDLE.kept),
      complete: line(IDLE.kept),
      release: line(IDLE.fresh),
    }
  }

  protected override async exchange(request: TransportRequest, attempt: Attempt): Promise<TransportResponse> {
    attempt.assertNotGivenUp()
    const exchange = new Exchange(attempt)
    attempt.onGivenUp(() => exchange.giveUp())
    const { body = null, line = 'claim', method } = request
    const options = {
      path: `${this.#before}${request.path}`,
      method,
      headers: this.#headersOf(request),
      body,
      // undici would send it again otherwise, and before others are answered.
      idempotent: false,
    }
    const leave = this.#lines[line].enter((pool) => pool.dispatch(options, exchange))
    try {
      const response = await exchange.response
      const forwarder = this.#forwarder
      if (forwarder !== undefined && response.status === 407) throw refusal(forwarder, response.status, exchange.status)
      return response
    } catch (error) {
      if (error instanceof Error && error.message === 'bad response') this.isBaffled = true
      throw error
    } finally {
      leave()
    }
  }

  #headersOf({ headers }: TransportRequest): string[] {
    const known = this.#sent.get(headers)
    if (known !== undefined) return known
    const made = Object.entries({ ...headers, ...this.#headers }).flat()
    this.#sent.set(headers, made)
    return made
  }

  protected override disconnect(): void {
    for (const line of Object.values(this.#lines)) line.destroy()
    this.#agents.destroy()
  }
}

/** Requests of one kind. No more are under way than it has connections, so that one which is given up while it waits costs none. */
class Line {
  readonly #pool: OnePool
  readonly #waiting = new Set<(pool: OnePool) => void>()
  #free: number

  constructor(origin: string, connect: buildConnector.connector, idle: number, connections = CONNECTIONS) {
    this.#free = connections
    this.#pool = new Pool(origin, {
      connect,
      connections,
      keepAliveTimeout: idle,
      keepAliveMaxTimeout: idle,
      keepAliveTimeoutThreshold: THRESHOLD,
      allowH2: false,
      // The attempt's own timeout counts.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
  }

  /** @returns to be called when it is over, whether or not it was started. */
  enter(start: (pool: OnePool) => void): () => void {
    if (this.#free > 0) {
      this.#free -= 1
      start(this.#pool)
    } else this.#waiting.add(start)
    return () => {
      if (!this.#waiting.delete(start)) this.#next()
    }
  }

  destroy(): void {
    void this.#pool.destroy()
  }

  #next(): void {
    const [start] = this.#waiting
    if (start === undefined) {
      this.#free += 1
      return
    }
    this.#waiting.delete(start)
    start(this.#pool)
  }
}

/** One request and its answer, as undici tells of them. */
class Exchange implements Dispatcher.DispatchHandler {
  /** The words after the status. */
  status = ''
  readonly #response = Promise.withResolvers<TransportResponse>()
  readonly response = this.#response.promise
  readonly #attempt: Attempt
  #controller: Dispatcher.DispatchController | undefined
  #head = { status: 0, headers: {} as Record<string, string> }
  readonly #chunks: Uint8Array[] = []
  #size = 0

  constructor(attempt: Attempt) {
    this.#attempt = attempt
  }

  /** Where it waits for a connection still, it is not sent once there is one. */
  giveUp(): void {
    this.#response.reject(GIVEN_UP)
    this.#controller?.abort(GIVEN_UP)
  }

  /** In the turn in which the request is written. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (!this.#attempt.handOver()) controller.abort(GIVEN_UP)
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders, said = ''): void {
    this.#attempt.answering()
    this.#head = { status, headers: flatHeaders(headers) }
    this.status = said
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#size += chunk.length
    if (this.#size > LARGEST_ANSWER) this.#attempt.giveUp('too-large', TOO_LARGE)
    else this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    const [first = Buffer.alloc(0)] = this.#chunks
    const bytes = this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : first
    const coding = (this.#head.headers['content-encoding'] ?? '').trim().toLowerCase()
    const unpacking = unpack[coding]
    if (unpacking === undefined) this.#response.resolve({ ...this.#head, body: utf8.decode(bytes) })
    else this.#response.resolve(this.#unpacked(unpacking(bytes, { maxOutputLength: LARGEST_ANSWER })))
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (error instanceof errors.HTTPParserError) this.#attempt.answering()
    this.#response.reject(error)
  }

  async #unpacked(unpacking: Promise<Uint8Array>): Promise<TransportResponse> {
    try {
      return { ...this.#head, body: utf8.decode(await unpacking) }
    } catch (error) {
      const isTooLarge = error instanceof RangeError
      if (isTooLarge) this.#attempt.giveUp('too-large', TOO_LARGE)
      throw error
    }
  }
}

const utf8 = new TextDecoder()
/** Made once: an error is dear to make, and what it says is the attempt's to say. */
const GIVEN_UP = new Error('given up')
const TOO_LARGE = `the answer is larger than ${LARGEST_ANSWER} bytes`
