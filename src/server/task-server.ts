import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { asError, CodedError } from '../base/coded-error.ts'
import { cutText, LONGEST } from '../base/cut-text.ts'
import { clearTimeout, setTimeout } from '../base/host-time.ts'
import { http } from '../base/node-http.ts'
import { tryTo } from '../base/try-to.ts'
import type { Task } from '../runners/runner.ts'
import { answerTask } from '../runners/task-requests.ts'
import { TaskTokens, type Pass } from '../runners/task-tokens.ts'

const HOST = '127.0.0.1'
const PATH = '/task'
const LONGEST_REQUEST = 1_000_000
/** Milliseconds in which a request has to arrive whole. */
const ARRIVAL = 30_000
const CONNECTIONS = 1_000
/** How long a stop waits for a caller that does not take its answer. */
const PARTING = 1_000

/** What a request comes to. */
type Answer = readonly [status: number, body: { readonly answer: unknown } | { readonly error: string }]

/**
 * Where applications ask for what the worker does for their run, and for nothing else: the same requests as by `TaskSocket`. It listens
 * on loopback, from the first run on that needs it, and serves whoever has the token of a run.
 */
export class TaskServer {
  readonly #tokens = new TaskTokens()
  #listening: Promise<{ readonly server: Server; readonly url: string }> | undefined

  /** @throws {Error} when nothing can listen there. */
  async open(task: Pick<Task, 'services' | 'signals'>): Promise<Pass> {
    this.#listening ??= listen((request, response) => void this.#serve(request, response))
    const { url } = await this.#listening.catch((error: unknown) => {
      // Another try with the next run.
      this.#listening = undefined
      throw error
    })
    return this.#tokens.open(task, url)
  }

  async stop(): Promise<void> {
    this.#tokens.endAll()
    const { server } = (await this.#listening?.catch(() => undefined)) ?? {}
    this.#listening = undefined
    if (server === undefined) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeIdleConnections()
    const late = setTimeout(() => server.closeAllConnections(), PARTING)
    await closed
    clearTimeout(late)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [status, body] = await this.#answer(request).catch((error: unknown): Answer => [500, errorOf(error)])
    // A caller may leave at any moment; that is its own affair.
    response.on('error', () => {})
    // What has not been read of a request that is refused would be taken for the next one.
    if (!request.complete) response.setHeader('connection', 'close')
    const text = written(body)
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    response.end(text)
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const refusal = refusalOf(request)
    if (refusal !== undefined) return refusal
    const token = /^Bearer ([\w-]+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (token === undefined)
      return [401, { error: 'a request needs the header "Authorization: Bearer" with the token' }]
    try {
      this.#tokens.taskOf(token)
    } catch (error) {
      return [401, errorOf(error)]
    }
    const text = await textOf(request)
    if (text === undefined) return [413, { error: `a request has at most ${LONGEST_REQUEST} bytes` }]
    const asked: unknown = tryTo(() => JSON.parse(text))
    if (typeof asked !== 'object' || asked === null) return [400, { error: 'a request is an object of JSON' }]
    try {
      return [200, { answer: await answerTask({ ...asked, token }, (one) => this.#tokens.taskOf(one)) }]
    } catch (error) {
      return [error instanceof CodedError ? 400 : 500, errorOf(error)]
    }
  }
}

/** Pages in a browser of this machine may send requests, too: they have no token, and cannot send what is asked for here. */
function refusalOf({ headers, method, url }: IncomingMessage): Answer | undefined {
  if (url !== PATH) return [404, { error: `there is nothing but ${PATH}` }]
  if (method !== 'POST') return [405, { error: 'only POST is taken' }]
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(headers.host ?? '')) return [403, { error: 'this is for this machine' }]
  if (/^application\/json\b/.test(headers['content-type'] ?? '')) return undefined
  return [415, { error: 'a request is application/json' }]
}

async function listen(serve: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = http.createServer({ requestTimeout: ARRIVAL, headersTimeout: ARRIVAL, keepAlive: true }, serve)
  server.maxConnections = CONNECTIONS
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, HOST, resolve))
  server.on('error', () => {})
  const address = server.address()
  return { server, url: `http://${HOST}:${typeof address === 'object' ? address?.port : ''}${PATH}` }
}

/** Undefined: it is too long. It is read to its end all the same: cut in the middle of its sending, the caller would not see the answer. */
async function textOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue
    length += chunk.length
    if (length <= LONGEST_REQUEST) chunks.push(chunk)
  }
  return length > LONGEST_REQUEST ? undefined : Buffer.concat(chunks).toString('utf8')
}

/** An answer that JSON does not take is an error like any other. */
function written(body: Answer[1]): string {
  try {
    return JSON.stringify(body)
  } catch (error) {
    return JSON.stringify(errorOf(error))
  }
}

function errorOf(thrown: unknown): { readonly error: string } {
  return { error: cutText(asError(thrown).message, LONGEST.error) }
}
