import type { IncomingHttpHeaders } from 'node:http'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import { errors, Pool, type Dispatcher } from 'undici'
import { systemClock, type Clock } from '../base/clock.ts'
import type { ForwardProxy } from '../base/proxy.ts'
import { connectedAgents } from './agents.ts'
import { Attempt } from './attempt.ts'
import { baseUrl } from './base-url.ts'
import {
  flatHeaders,
  LARGEST_ANSWER,
  TransportError,
  type Transport,
  type TransportOptions,
  type TransportRequest,
  type TransportResponse,
} from './transport.ts'
import { authorizationFor, refusal } from './tunnel.ts'

/**
 * Milliseconds for which connections are kept for the next request, less where the server announces less. Usual servers close idle ones
 * after 5 s and more; one that was used a second ago is closed by hardly any.
 */
const IDLE = { poll: 1_000, fresh: 1_000, kept: 4_000 }
type Line = keyof typeof IDLE
/** A server that announces how long it keeps connections may count from a little earlier than we do. */
const THRESHOLD = 1_000
/** How many connections there are at most beside those of polls. */
const CONNECTIONS = 64

const unpack: Readonly<
  Record<string, (packed: Uint8Array, limit: { maxOutputLength: number }) => Promise<Uint8Array>>
> = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
}

/**
 * HTTP by undici, for the calls that work is made of. No connection has two requests without an answer, and undici sends none again. Polls
 * have a connection of their own, so that none waits behind settlements. A `fresh` request goes over a connection that was used within the
 * last second, or over a new one.
 */
export class UndiciTransport implements Transport {
  readonly #pools: Readonly<Record<Line, Pool>>
  readonly #agents: ReturnType<typeof connectedAgents>
  readonly #clock: Clock
  /** Comes before the path of each request. */
  readonly #before: string
  /** Takes requests in the clear, whole addresses in them; TLS goes through its tunnels. */
  readonly #forwarder: ForwardProxy | undefined
  readonly #headers: Readonly<Record<string, string>>
  readonly #exchanges = new Set<Exchange>()
  #closed = false

  constructor({ url, clock = systemClock(), proxy }: TransportOptions) {
    const address = new URL(baseUrl(url))
    const isSecure = address.protocol === 'https:'
    const prefix = address.pathname.replace(/\/$/, '')
    this.#clock = clock
    this.#forwarder = isSecure ? undefined : proxy
    this.#agents = connectedAgents(0, isSecure, proxy)
    this.#before = this.#forwarder === undefined ? prefix : `${address.origin}${prefix}`
    const forwarded = this.#forwarder === undefined ? {} : { host: address.host, ...authorizationFor(this.#forwarder) }
    this.#headers = { 'accept-encoding': 'gzip', ...forwarded }
    const origin = this.#forwarder === undefined ? address.origin : this.#forwarder.address
    this.#pools = {
      poll: this.#pool(origin, 'poll', 1),
      fresh: this.#pool(origin, 'fresh'),
      kept: this.#pool(origin, 'kept'),
    }
  }

  async send(request: TransportRequest): Promise<TransportResponse> {
    if (this.#closed) throw new TransportError('aborted', 'no', 'the transport is closed')
    const attempt = new Attempt(request, this.#clock)
    const exchange = new Exchange(attempt)
    this.#exchanges.add(exchange)
    try {
      attempt.assertNotGivenUp()
      attempt.onGivenUp(() => exchange.giveUp())
      this.#pools[request.line === 'poll' ? 'poll' : request.fresh === true ? 'fresh' : 'kept'].dispatch(
        {
          path: `${this.#before}${request.path}`,
          method: request.method,
          headers: { ...request.headers, ...this.#headers },
          body: request.body ?? null,
          // undici would send it again otherwise, and before others are answered.
          idempotent: false,
        },
        exchange,
      )
      const response = await exchange.response
      const forwarder = this.#forwarder
      if (forwarder !== undefined && response.status === 407) throw refusal(forwarder, response.status, exchange.status)
      return response
    } catch (error) {
      throw attempt.failure(error)
    } finally {
      attempt.end()
      this.#exchanges.delete(exchange)
    }
  }

  /** Gives up what is under way and ends all connections. */
  close(): void {
    this.#closed = true
    for (const { attempt } of this.#exchanges) attempt.giveUp('aborted', 'the transport was closed')
    for (const pool of Object.values(this.#pools)) void pool.destroy()
    this.#agents.destroy()
  }

  #pool(origin: string, line: Line, connections = CONNECTIONS): Pool {
    return new Pool(origin, {
      connect: this.#agents.connect,
      connections,
      keepAliveTimeout: IDLE[line],
      keepAliveMaxTimeout: IDLE[line],
      keepAliveTimeoutThreshold: THRESHOLD,
      allowH2: false,
      // The attempt's own timeout counts.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
  }
}

/** One request and its answer, as undici tells of them. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly attempt: Attempt
  /** The words after the status. */
  status = ''
  readonly #response = Promise.withResolvers<TransportResponse>()
  readonly response = this.#response.promise
  #controller: Dispatcher.DispatchController | undefined
  #head = { status: 0, headers: {} as Record<string, string> }
  readonly #chunks: Uint8Array[] = []
  #size = 0

  constructor(attempt: Attempt) {
    this.attempt = attempt
  }

  /** Where it waits for a connection still, it is not sent once there is one. */
  giveUp(): void {
    this.#response.reject(GIVEN_UP)
    this.#controller?.abort(GIVEN_UP)
  }

  /** In the turn in which the request is written. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (!this.attempt.handOver()) controller.abort(GIVEN_UP)
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders, said = ''): void {
    this.attempt.answering()
    this.#head = { status, headers: flatHeaders(headers) }
    this.status = said
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#size += chunk.length
    if (this.#size > LARGEST_ANSWER) this.attempt.giveUp('too-large', TOO_LARGE)
    else this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    const [first = Buffer.alloc(0)] = this.#chunks
    const bytes = this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : first
    const coding = this.#head.headers['content-encoding'] ?? 'identity'
    const unpacking = unpack[coding]
    if (unpacking === undefined) this.#response.resolve({ ...this.#head, body: new TextDecoder().decode(bytes) })
    else this.#response.resolve(this.#unpacked(unpacking(bytes, { maxOutputLength: LARGEST_ANSWER })))
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (error instanceof errors.HTTPParserError) this.attempt.answering()
    this.#response.reject(error)
  }

  async #unpacked(unpacking: Promise<Uint8Array>): Promise<TransportResponse> {
    try {
      return { ...this.#head, body: new TextDecoder().decode(await unpacking) }
    } catch (error) {
      const isTooLarge = error instanceof RangeError
      if (isTooLarge) this.attempt.giveUp('too-large', TOO_LARGE)
      throw error
    }
  }
}

/** Made once: an error is dear to make, and what it says is the attempt's to say. */
const GIVEN_UP = new Error('given up')
const TOO_LARGE = `the answer is larger than ${LARGEST_ANSWER} bytes`
