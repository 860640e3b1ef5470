import type { IncomingMessage, ServerResponse } from 'node:http'
import { CodedError } from '../base/coded-error.ts'
import { isLoopbackName } from '../base/host-names.ts'
import { repeatedKey } from '../base/repeated-key.ts'
import { tryTo } from '../base/try-to.ts'
import type { Task } from '../runners/runner.ts'
import { answerTask } from '../runners/task-requests.ts'
import { TaskTokens, type Pass } from '../runners/task-tokens.ts'
import { errorOf, jsonAnswer, type Answer } from './answer.ts'
import { bodyOf, Listener } from './listener.ts'

const HOST = '127.0.0.1'
const PATH = '/task'
const LONGEST_REQUEST = 1_000_000
const CONNECTIONS = 1_000

/**
 * Where applications ask for what the worker does for their run, and for nothing else: the same requests as by `TaskSocket`. It listens
 * on loopback, from the first run on that needs it, and serves whoever has the token of a run.
 */
export class TaskServer {
  readonly #tokens = new TaskTokens()
  #listening: Promise<Listener> | undefined

  /** @throws {Error} when nothing can listen there. */
  async open(task: Pick<Task, 'services' | 'signals'>): Promise<Pass> {
    this.#listening ??= this.#listen()
    const { url = '' } = await this.#listening.catch((error: unknown) => {
      // Another try with the next run.
      this.#listening = undefined
      throw error
    })
    return this.#tokens.open(task, url + PATH)
  }

  async stop(): Promise<void> {
    this.#tokens.endAll()
    const listener = await this.#listening?.catch(() => undefined)
    this.#listening = undefined
    await listener?.stop()
  }

  async #listen(): Promise<Listener> {
    const answer = async (request: IncomingMessage, response: ServerResponse): Promise<Answer> =>
      await this.#answer(request, response)
    const listener = new Listener({ host: HOST, port: 0, connections: CONNECTIONS, isOurs: isLoopbackName, answer })
    await listener.start()
    return listener
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<Answer> {
    const refusal = refusalOf(request)
    if (refusal !== undefined) return refusal
    const token = /^Bearer ([\w-]+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (token === undefined) {
      return jsonAnswer(401, { error: 'a request needs the header "Authorization: Bearer" with the token' })
    }
    try {
      this.#tokens.taskOf(token)
    } catch (error) {
      return jsonAnswer(401, errorOf(error))
    }
    const text = await bodyOf(request, response, LONGEST_REQUEST)
    if (text === undefined) return jsonAnswer(413, { error: `a request has at most ${LONGEST_REQUEST} bytes` })
    const asked: unknown = tryTo(() => JSON.parse(text))
    if (typeof asked !== 'object' || asked === null) return jsonAnswer(400, { error: 'a request is an object of JSON' })
    const key = repeatedKey(text)
    if (key !== undefined) return jsonAnswer(400, { error: `${JSON.stringify(key)} is given twice` })
    try {
      return jsonAnswer(200, { answer: await answerTask({ ...asked, token }, (one) => this.#tokens.taskOf(one)) })
    } catch (error) {
      return jsonAnswer(error instanceof CodedError ? 400 : 500, errorOf(error))
    }
  }
}

/** Pages in a browser of this machine may send requests, too: they have no token, and cannot send what is asked for here. */
function refusalOf({ headers, method, url }: IncomingMessage): Answer | undefined {
  if (url !== PATH) return jsonAnswer(404, { error: `there is nothing but ${PATH}` })
  if (method !== 'POST') return jsonAnswer(405, { error: 'only POST is taken' }, { allow: 'POST' })
  if (/^application\/json\b/.test(headers['content-type'] ?? '')) return undefined
  return jsonAnswer(415, { error: 'a request is application/json' })
}
