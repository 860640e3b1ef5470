import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { systemClock } from '../../src/base/clock.ts'
import type { UrlTarget } from '../../src/handlers/route.ts'
import { HttpRunner } from '../../src/runners/http.ts'
import { TaskServer } from '../../src/server/task-server.ts'

/** One request, as the application sees it. */
export interface Posted {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** As it came. */
  readonly body: string
  readonly task: PostedTask
  /** Its connection has been closed before it was answered. */
  readonly closed: Promise<void>
  /** Asks the worker for something. */
  readonly ask: (
    request: object,
  ) => Promise<{ readonly answer?: Readonly<Record<string, unknown>>; readonly error?: string }>
}

interface PostedTask {
  readonly attempt: number
  readonly clink: { readonly clink_id: string; readonly content: string }
  readonly task: { readonly url: string; readonly token: string }
}

/** What it answers: a text with status 200, or more than that. Undefined: nothing, ever. */
export type Said = string | { status?: number; headers?: Record<string, string>; text?: string } | undefined

export type Work = (posted: Posted) => Promise<Said> | Said

/** An application of somebody's own, on this machine. */
export class Application implements AsyncDisposable {
  readonly #server: Server
  readonly requests: Posted[] = []
  /** Connections that there have been. */
  connections = 0

  private constructor(work: Work) {
    this.#server = createServer((request, response) => void this.#serve(request, response, work))
    this.#server.on('connection', () => (this.connections += 1))
  }

  static async open(work: Work, port = 0): Promise<Application> {
    const application = new Application(work)
    await new Promise<void>((resolve) => application.#server.listen(port, '127.0.0.1', resolve))
    return application
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' ? (address?.port ?? 0) : 0
  }

  target(path = '/', details: Partial<UrlTarget> = {}): UrlTarget {
    const url = `http://127.0.0.1:${this.port}${path}`
    return { is: 'url', url, secretFile: undefined, connectTimeout: 5_000, maxResponse: 1_048_576, ...details }
  }

  /** Its connections are reset, as when it dies. */
  cut(): void {
    this.#server.closeAllConnections()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse, work: Work): Promise<void> {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    const closed = new Promise<void>((resolve) =>
      response.on('close', () => (response.writableEnded ? undefined : resolve())),
    )
    await new Promise((resolve) => request.on('end', resolve))
    const body = Buffer.concat(chunks).toString('utf8')
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the worker's
    const task = JSON.parse(body) as PostedTask
    const posted = { path: request.url ?? '', headers: request.headers, body, task, closed, ask: asker(task) }
    this.requests.push(posted)
    const said = await work(posted)
    if (said === undefined) return
    const { headers = {}, status = 200, text = '' } = typeof said === 'string' ? { text: said } : said
    response.writeHead(status, headers).end(text)
  }
}

function asker({ task: { token, url } }: PostedTask): Posted['ask'] {
  return async (request) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(request) })
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the worker's
    return (await response.json()) as Awaited<ReturnType<Posted['ask']>>
  }
}

export function httpRunner(): HttpRunner {
  return new HttpRunner({ clock: systemClock(), tasks: new TaskServer() })
}
