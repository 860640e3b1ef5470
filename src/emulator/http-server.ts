import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { CodedError, systemCode } from '../base/coded-error.ts'
import { http } from '../base/node-http.ts'

/** Answers one request; whatever it throws becomes a 500. */
export type Listener = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** A server that can go away with all its connections and come back on the same port. */
export class HttpServer {
  readonly #host: string
  readonly #listener: Listener
  #port: number
  #server: Server | undefined

  constructor(host: string, port: number, listener: Listener) {
    this.#host = host
    this.#port = port
    this.#listener = listener
  }

  get port(): number {
    return this.#port
  }

  get isUp(): boolean {
    return this.#server !== undefined
  }

  /** Rejects with PORT_IN_USE when somebody else has the port. */
  async open(): Promise<void> {
    if (this.#server !== undefined) return
    const server = http.createServer((request, response) => {
      this.#listener(request, response).catch((error: unknown) => {
        if (response.headersSent) response.destroy()
        else
          response
            .writeHead(500)
            .end(JSON.stringify({ success: false, error: 'internal_error', message: String(error) }))
      })
    })
    server.on('clientError', (_error, socket) => socket.destroy())
    server.listen(this.#port, this.#host)
    try {
      await once(server, 'listening')
    } catch (error) {
      throw this.#cannotListen(error)
    }
    const address = server.address()
    if (typeof address === 'object' && address !== null) this.#port = address.port
    this.#server = server
  }

  /** Cuts every connection and frees the port. */
  async close(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }

  #cannotListen(error: unknown): CodedError {
    const where = `${this.#host}:${this.#port}`
    if (systemCode(error) === 'EADDRINUSE') {
      return new CodedError('PORT_IN_USE', `Port ${this.#port} on ${this.#host} is in use already; choose another`, {
        cause: error,
      })
    }
    const reason = error instanceof Error ? error.message : String(error)
    return new CodedError('SERVICE_UNAVAILABLE', `Cannot listen on ${where}: ${reason}`, { cause: error })
  }
}
