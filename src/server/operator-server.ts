import type { IncomingMessage, ServerResponse } from 'node:http'
import { asError, CodedError, systemCode } from '../base/coded-error.ts'
import { inAddress, isLoopbackName } from '../base/host-names.ts'
import { clearTimeout, setTimeout } from '../base/host-time.ts'
import type { Service } from '../base/service.ts'
import type { Access } from './access.ts'
import { jsonAnswer, NO_BODY, type Answer, type Stream } from './answer.ts'
import type { Api } from './api.ts'
import { hasBody, Listener } from './listener.ts'
import type { IsOurs } from './named-host.ts'
import type { Site } from './site.ts'

/** What is shown at each path, by GET and HEAD. */
export type Pages = Readonly<Record<string, () => Answer | Promise<Answer>>>

export interface OperatorServerOptions {
  readonly settings: {
    readonly host: string
    readonly port: number
    readonly allowedHosts: readonly string[]
    /** Somebody wrote down where it is to listen. */
    readonly isChosen: boolean
  }
  readonly pages: Pages
  /** For people and programs that operate the worker. Left out: there is nothing but the pages. */
  readonly operation?: { readonly access: Access; readonly api: Api; readonly site: Site } | undefined
  /** Takes secrets out of what is sent: the last line of defence. */
  readonly redact: (text: string) => string
  readonly listening: (url: string) => void
  /** Nobody chose where it is to listen, and something keeps it from there. It goes on trying; said once until it listens. */
  readonly unavailable: (problem: string, again: number) => void
}

const CONNECTIONS = 256
const SILENCE = 60_000
const AGAIN = 30_000

/** Where machines and people ask how the worker is, and operate it. */
export class OperatorServer implements Service {
  readonly #options: OperatorServerOptions
  readonly #listener: Listener
  #again: NodeJS.Timeout | undefined
  #problem: string | undefined
  #isStopped = false

  constructor(options: OperatorServerOptions) {
    const { allowedHosts, host, port } = options.settings
    this.#options = options
    this.#listener = new Listener({
      host,
      port,
      connections: CONNECTIONS,
      silence: SILENCE,
      isOurs: namesOf(host, allowedHosts),
      answer: async (request, response) => await this.#answer(request, response),
    })
  }

  /** Where it listens, or what keeps it from that, for people. */
  get state(): { readonly url: string | null; readonly problem: string | null } {
    return { url: this.#listener.url ?? null, problem: this.#problem ?? null }
  }

  /** @throws {CodedError} CANNOT_LISTEN where somebody chose the place. */
  async start(): Promise<void> {
    if (this.#isStopped) return
    const { listening, settings, unavailable } = this.#options
    try {
      await this.#listener.start()
    } catch (error) {
      const problem = whyNot(error, settings)
      if (settings.isChosen) throw new CodedError('CANNOT_LISTEN', `${problem}; ${ADVICE}`, { cause: error })
      if (this.#problem === undefined) unavailable(problem, AGAIN)
      this.#problem = problem
      this.#again = setTimeout(() => void this.start(), AGAIN)
      this.#again.unref()
      return
    }
    this.#problem = undefined
    listening(this.#listener.url ?? '')
    if (this.#isStopped) await this.#listener.stop()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#again)
    this.#options.operation?.api.stop()
    await this.#listener.stop()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<Answer | Stream> {
    const { operation, pages, redact } = this.#options
    const [path = ''] = (request.url ?? '').split('?', 1)
    // Nothing is made of a path: it is one of those that there are, letter by letter.
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined
    const isKnown = operation !== undefined && operation.access.refusalOf(request) === undefined
    const site = operation?.site.has(path) === true ? operation.site : undefined
    if (page !== undefined || site !== undefined) {
      const refusal = refusalOfPage(request)
      if (refusal !== undefined) return refusal
      if (page !== undefined) return shown(await page(), redact)
      if (site !== undefined) return await site.page(path, isKnown)
    }
    if (operation !== undefined && path.startsWith('/api/')) {
      // Nor is told which paths there are.
      const answer = operation.access.refusalOf(request) ?? (await operation.api.answer(path, request, response))
      if (answer !== undefined) return 'text' in answer ? shown(answer, redact) : answer
    }
    const others = operation === undefined ? '' : ', /, /api/'
    return jsonAnswer(404, { error: `there is nothing here but ${Object.keys(pages).join(', ')}${others}` })
  }
}

function shown(answer: Answer, redact: (text: string) => string): Answer {
  return { ...answer, text: redact(answer.text) }
}

function refusalOfPage({ headers, method }: IncomingMessage): Answer | undefined {
  if (method !== 'GET' && method !== 'HEAD')
    return jsonAnswer(405, { error: 'only GET and HEAD are taken' }, { allow: 'GET, HEAD' })
  return hasBody(headers) ? jsonAnswer(413, NO_BODY) : undefined
}

const ADVICE = 'choose another server.port or server.host, or write server: { enabled: false }'

/** On loopback names count, since a page in a browser of this machine may have any name lead there. Elsewhere they count where they are named. */
function namesOf(host: string, allowed: readonly string[]): IsOurs {
  const own = [host, ...allowed].map((name) => inAddress(name).toLowerCase())
  const isOpen = !isLoopbackName(own[0] ?? '') && allowed.length === 0
  return (name) => isOpen || isLoopbackName(name) || own.includes(name)
}

function whyNot(error: unknown, { host, port }: OperatorServerOptions['settings']): string {
  const what = {
    EADDRINUSE: 'is in use already',
    EACCES: 'is not allowed to this user',
    EADDRNOTAVAIL: 'is no address of this machine',
  }
  const code = systemCode(error)
  const why =
    Object.entries(what).find(([name]) => name === code)?.[1] ?? `cannot be had (${code || asError(error).message})`
  return `the HTTP server cannot listen: ${host}:${port} ${why}`
}
