import { createServer, request, type Server } from 'node:http'
import { listen } from './loopback.ts'

/** A server that has a service below a path prefix, and nothing else: every other path is a page that says so. */
export class Front implements AsyncDisposable {
  /** With the prefix. */
  readonly url: string
  readonly #server: Server

  private constructor(server: Server, url: string) {
    this.#server = server
    this.url = url
  }

  static async before(service: string, prefix: string): Promise<Front> {
    const server = createServer((incoming, outgoing) => {
      const { headers, method, url = '' } = incoming
      if (!url.startsWith(`${prefix}/`)) {
        outgoing.writeHead(404, { 'content-type': 'text/html' }).end(`<h1>There is no ${url} here</h1>`)
        return
      }
      const passed = request(`${service}${url.slice(prefix.length)}`, { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      })
      passed.on('error', () => outgoing.destroy())
      incoming.pipe(passed)
    })
    return new Front(server, `${await listen(server)}${prefix}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
