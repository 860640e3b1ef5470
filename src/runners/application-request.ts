import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { after, type Clock } from '../base/clock.ts'
import { asError, systemCode } from '../base/coded-error.ts'
import { formatDuration } from '../base/duration.ts'
import { http, https } from '../base/node-http.ts'
import { onAbort } from '../base/on-abort.ts'
import type { UrlTarget } from '../handlers/route.ts'
import type { ApplicationAnswer } from './application-outcome.ts'
import { Kept } from './program-output.ts'

/** Why there is no answer. */
export type NoAnswer =
  /** Nothing was sent, or not to an application. */
  | { readonly is: 'away'; readonly why: string }
  /** The application may have done anything. */
  | { readonly is: 'cut'; readonly why: string }
  | { readonly is: 'aborted' }

export interface Asking {
  readonly target: UrlTarget
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Closes the connection. */
  readonly signal: AbortSignal
  readonly clock: Clock
}

type Answered = { readonly is: 'answered'; readonly answer: ApplicationAnswer }

/** Milliseconds that a connection is kept for the next request: applications close theirs after five seconds, most of them. */
const IDLE = 4_000
/** Milliseconds in which a connection that the application has closed shows that. Later the application has broken off its work. */
const STALE = 1_000

/** Posts to applications, by connections that are kept for the next request. */
export class Connections {
  readonly #http: Agent = new http.Agent({ keepAlive: true, timeout: IDLE })
  readonly #https: Agent = new https.Agent({ keepAlive: true, timeout: IDLE })

  /**
   * An application may close a connection that was kept in the moment in which it is used again. Where that ends before a byte of an answer
   * has come, the request is sent once more, by a new connection: it has the same idempotency key.
   */
  async post(asking: Asking): Promise<Answered | NoAnswer> {
    const kept = asking.target.url.startsWith('https:') ? this.#https : this.#http
    const first = new Post(asking, kept)
    const answer = await first.ended
    return answer.is === 'cut' && first.mayBeStale ? await new Post(asking, false).ended : answer
  }

  close(): void {
    this.#http.destroy()
    this.#https.destroy()
  }
}

/** One request. */
class Post {
  /** Resolves when its connection is closed, or its answer is there. */
  readonly ended: Promise<Answered | NoAnswer>
  readonly #asking: Asking
  readonly #request: ClientRequest
  readonly #startedAt: number
  #isConnected = false
  #hasBegunToAnswer = false
  #error: Error | undefined

  constructor(asking: Asking, agent: Agent | false) {
    const { body, headers, target } = asking
    const isSecure = target.url.startsWith('https:')
    const options: RequestOptions = {
      method: 'POST',
      agent,
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
    }
    this.#asking = asking
    this.#startedAt = asking.clock.now()
    this.#request = (isSecure ? https : http).request(target.url, options)
    this.ended = this.#end()
  }

  /** The application may never have seen it. */
  get mayBeStale(): boolean {
    return this.#request.reusedSocket && !this.#hasBegunToAnswer && this.#asking.clock.now() - this.#startedAt < STALE
  }

  async #end(): Promise<Answered | NoAnswer> {
    const { body, signal } = this.#asking
    const request = this.#request
    const ended = new Promise<Answered | NoAnswer>((resolve) => {
      request.once('close', () => resolve(this.#whyNone()))
      request.once('response', (response) => this.#read(response, resolve))
    })
    request.on('error', (error) => (this.#error ??= error))
    this.#watchConnect()
    const leave = onAbort(signal, () => request.destroy())
    if (!request.destroyed) request.end(body)
    try {
      return await ended
    } finally {
      leave()
    }
  }

  #watchConnect(): void {
    const { clock, target } = this.#asking
    const request = this.#request
    request.once('socket', (socket) => {
      this.#isConnected = request.reusedSocket
      if (this.#isConnected) return
      const late = new Error(`no connection after ${formatDuration(target.connectTimeout)}`)
      const cancel = after(clock, target.connectTimeout, () => request.destroy(late))
      socket.once(target.url.startsWith('https:') ? 'secureConnect' : 'connect', () => (this.#isConnected = true))
      for (const end of ['connect', 'secureConnect', 'close'] as const)
        socket.once(end, () => (this.#isConnected || end === 'close' ? cancel() : undefined))
    })
  }

  /** Where it is cut, the request closes without an end. */
  #read(response: IncomingMessage, answered: (answer: Answered) => void): void {
    this.#hasBegunToAnswer = true
    const kept = new Kept(this.#asking.target.maxResponse)
    response.on('data', (chunk: Buffer) => kept.add(chunk))
    response.on('error', (error) => (this.#error ??= error))
    response.once('end', () => {
      const { headers, statusCode: status = 0 } = response
      const flat = Object.entries(headers).map(([name, value]) => [name, String(value)] as const)
      answered({ is: 'answered', answer: { status, headers: Object.fromEntries(flat), text: kept.text } })
    })
  }

  #whyNone(): NoAnswer {
    if (this.#asking.signal.aborted) return { is: 'aborted' }
    const error = asError(this.#error ?? 'the connection was closed')
    const code = systemCode(error)
    if (code.startsWith('HPE_')) return { is: 'away', why: `what answers there is no HTTP (${error.message})` }
    if (!this.#isConnected) return { is: 'away', why: WORDS[code] ?? error.message }
    return { is: 'cut', why: this.#hasBegunToAnswer ? 'the answer of the application was cut' : NOT_ANSWERED }
  }
}

const NOT_ANSWERED = 'the application closed the connection and did not answer'
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
}
