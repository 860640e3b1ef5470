import type { IncomingMessage, ServerResponse } from 'node:http'
import { CodedError, type ErrorCode } from '../base/coded-error.ts'
import { tryTo } from '../base/try-to.ts'
import { isRecord } from '../base/record.ts'
import { repeatedKey } from '../base/repeated-key.ts'
import { errorOf, jsonAnswer, NO_BODY, type Answer, type Stream } from './answer.ts'
import type { EventStreams } from './event-streams.ts'
import { bodyOf, hasBody } from './listener.ts'

/** A request of the one table, as HTTP sees it. */
export interface ApiRequest {
  /** Whether it changes something. */
  readonly changes: boolean
  /** @throws {CodedError} why it cannot be done. */
  readonly ask: (given: URLSearchParams | Readonly<Record<string, unknown>>) => Promise<unknown>
}

export interface ApiOptions {
  /** By what follows `/api/`. */
  readonly requests: ReadonlyMap<string, ApiRequest>
  readonly events: EventStreams
}

const PREFIX = '/api/'
const EVENTS = '/api/events'
/** Bytes. */
const LONGEST_REQUEST = 100_000
/** Characters. */
const LONGEST_QUERY = 8_000

const NO_HEAD = { error: 'a stream is asked for by GET' }
const NO_QUERY = 'the stream takes no parameters'
const BODY_ONLY = 'what changes something has its parameters in the body, as JSON, and none in the query'

/** What is not an error of the worker's own. */
const STATUS: Partial<Record<ErrorCode, number>> = { USAGE: 400, STATE_UNAVAILABLE: 503, STATE_BUSY: 503 }

/** Requests to the worker by HTTP: by GET those that only look, by POST those that change something. */
export class Api {
  readonly #options: ApiOptions

  constructor(options: ApiOptions) {
    this.#options = options
  }

  /** Undefined: this is no path of ours. */
  async answer(path: string, request: IncomingMessage, response: ServerResponse): Promise<Answer | Stream | undefined> {
    const { events, requests } = this.#options
    const asked = path.startsWith(PREFIX) ? requests.get(path.slice(PREFIX.length)) : undefined
    if (asked === undefined && path !== EVENTS) return undefined
    const refusal = refusalOf(request, asked?.changes ?? false)
    if (refusal !== undefined) return refusal
    if (asked === undefined && request.method !== 'GET') return jsonAnswer(405, NO_HEAD, { allow: 'GET' })
    const query = queried(request)
    if ('status' in query) return query
    if (asked?.changes === false) return await answered(asked, query.params)
    // Without the route that only its query names, a pause would be one of everything.
    const [first] = query.params.keys()
    if (first !== undefined)
      return jsonAnswer(400, { error: `${asked === undefined ? NO_QUERY : BODY_ONLY}: ${first}` })
    if (asked === undefined) return events.open()
    const given = await posted(request, response)
    return 'status' in given ? given : await answered(asked, given.params)
  }

  stop(): void {
    this.#options.events.stop()
  }
}

/** A browser says where a request comes from; only our own page, and who types the address, is to ask. */
function refusalOf({ headers, method }: IncomingMessage, changes: boolean): Answer | undefined {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return jsonAnswer(403, { error: 'the page that asks is of another origin' })
  if (changes && method !== 'POST')
    return jsonAnswer(405, { error: 'this changes something: POST it' }, { allow: 'POST' })
  if (!changes && method !== 'GET' && method !== 'HEAD')
    return jsonAnswer(405, { error: 'only GET and HEAD are taken' }, { allow: 'GET, HEAD' })
  if (!changes && hasBody(headers)) return jsonAnswer(413, NO_BODY)
  // What a form of another page can send is none of these types.
  if (changes && !/^application\/json *(;|$)/i.test(headers['content-type'] ?? ''))
    return jsonAnswer(415, { error: 'a request is application/json' })
  return undefined
}

type Given<Params> = { readonly params: Params } | Answer

function queried({ url = '' }: IncomingMessage): Given<URLSearchParams> {
  const [, query = ''] = url.split(/\?(.*)/s, 2)
  if (query.length > LONGEST_QUERY) return jsonAnswer(414, { error: `a query has at most ${LONGEST_QUERY} characters` })
  return { params: new URLSearchParams(query) }
}

async function posted(
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Given<Readonly<Record<string, unknown>>>> {
  const tooLong = jsonAnswer(413, { error: `a request has at most ${LONGEST_REQUEST} bytes` })
  // What says itself that it is too long is not read.
  if (Number(request.headers['content-length'] ?? 0) > LONGEST_REQUEST) return tooLong
  const text = await bodyOf(request, response, LONGEST_REQUEST)
  if (text === undefined) return tooLong
  const params: unknown = tryTo(() => JSON.parse(text))
  if (!isRecord(params) || Array.isArray(params)) return jsonAnswer(400, { error: 'a request is an object of JSON' })
  const key = repeatedKey(text)
  return key === undefined ? { params } : jsonAnswer(400, { error: `${JSON.stringify(key)} is given twice` })
}

async function answered({ ask }: ApiRequest, params: Parameters<ApiRequest['ask']>[0]): Promise<Answer> {
  try {
    return jsonAnswer(200, await ask(params))
  } catch (error) {
    const code = error instanceof CodedError ? error.code : 'INTERNAL'
    return jsonAnswer(STATUS[code] ?? 500, { ...errorOf(error), code })
  }
}
