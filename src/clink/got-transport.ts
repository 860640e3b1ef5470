import type { Agent, ClientRequest } from 'node:http'
import type { RequestFunction } from 'got'
import type { ForwardProxy } from '../base/proxy.ts'
import { connectedAgents } from './agents.ts'
import type { Attempt } from './attempt.ts'
import { baseUrl } from './base-url.ts'
import { flatHeaders, HttpTransport, LARGEST_ANSWER, type TransportOptions } from './http-transport.ts'
import { addressOf, authorizationFor, refusal, requestOf } from './tunnel.ts'
import type { TransportRequest, TransportResponse } from './transport.ts'

/** Usual servers close idle connections after 5 s and more. */
const IDLE = 4_000

/**
 * HTTP by got. Requests that may be repeated share connections; `fresh` ones have their own, so that none of them meets a
 * connection that the server is about to close. A repeatable one that does fails with `reset`.
 */
export class GotTransport extends HttpTransport {
  readonly #url: string
  readonly #shared: ReturnType<typeof connectedAgents>
  readonly #fresh: ReturnType<typeof connectedAgents>
  /** Takes requests in the clear, whole addresses in them; TLS goes through its tunnels. */
  readonly #forwarder: ForwardProxy | undefined

  constructor(options: TransportOptions) {
    super(options)
    const { proxy, url } = options
    this.#url = baseUrl(url)
    const isSecure = this.#url.startsWith('https:')
    this.#shared = connectedAgents(IDLE, isSecure, proxy)
    this.#fresh = connectedAgents(0, isSecure, proxy)
    this.#forwarder = isSecure ? undefined : proxy
  }

  protected override disconnect(): void {
    this.#shared.destroy()
    this.#fresh.destroy()
  }

  protected override async exchange(request: TransportRequest, attempt: Attempt): Promise<TransportResponse> {
    // Loaded here, because help texts and handler files import the client without ever sending anything.
    const { default: got } = await import('got')
    const { http, https } = request.fresh === true ? this.#fresh : this.#shared
    const forwarder = this.#forwarder
    const stream = got.stream(`${this.#url}${request.path}`, {
      method: request.method,
      headers: request.headers,
      ...(request.body === undefined ? {} : { body: request.body }),
      agent: { http, https },
      retry: { limit: 0 },
      followRedirect: false,
      throwHttpErrors: false,
      ...(forwarder !== undefined && { request: forwarding(forwarder, forwarder.isSecure ? https : http) }),
    })
    // The loop that reads hears of errors too, but not of one that comes after it has ended.
    stream.on('error', () => undefined)
    stream.once('request', (native: ClientRequest) => {
      // Node writes the request right after this event; nothing is written once it is destroyed.
      native.once('socket', () => {
        if (!attempt.handOver()) native.destroy()
      })
    })
    stream.once('response', () => attempt.answering())
    attempt.onGivenUp(() => stream.destroy())
    // Without a body got waits for somebody to write one.
    if (request.body === undefined && request.method !== 'GET') stream.end()
    const body = await readAll(stream as AsyncIterable<Uint8Array>, attempt)
    attempt.assertNotGivenUp()
    const { statusCode = 0, statusMessage, headers = {} } = stream.response ?? {}
    if (forwarder !== undefined && statusCode === 407) throw refusal(forwarder, statusCode, statusMessage)
    return { status: statusCode, headers: flatHeaders(headers), body }
  }
}

function forwarding(proxy: ForwardProxy, agent: Agent): RequestFunction {
  return (url, options, callback) => {
    const asking = requestOf(proxy)({ ...options, ...addressOf(proxy), path: url.href, agent }, callback)
    for (const [name, value] of Object.entries(authorizationFor(proxy))) asking.setHeader(name, value)
    return asking.setHeader('host', url.host)
  }
}

async function readAll(stream: AsyncIterable<Uint8Array>, attempt: Attempt): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > LARGEST_ANSWER) attempt.giveUp('too-large', `the answer is larger than ${LARGEST_ANSWER} bytes`)
    chunks.push(chunk)
  }
  return new TextDecoder().decode(Buffer.concat(chunks))
}
