import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorAnswer, type Ending, type PlainAnswer, type PlainRequest } from './answer.ts'
import { delayMs, type FaultAction, type Faults } from './faults.ts'
import { readBody } from './intake/body.ts'
import { RequestLog } from './request-log.ts'
import type { ClinkService, Reading } from './service.ts'
import type { World } from './world.ts'

type Note = ReturnType<RequestLog['add']>

/** Stands between the sockets and the service: keeps the record of requests, and does to them what fault rules say. */
export class Front {
  readonly log = new RequestLog()
  readonly #world: World
  readonly #service: ClinkService
  readonly #faults: Faults

  constructor(world: World, service: ClinkService, faults: Faults) {
    this.#world = world
    this.#service = service
    this.#faults = faults
  }

  /** Without socket and without faults. */
  handle(request: PlainRequest): PlainAnswer {
    return this.#carryOut(request, this.#note(request, this.#service.read(request)))
  }

  /** `signal` aborts when the service goes away: nothing that waits has an effect after that. */
  async serve(incoming: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const body = await readBody(incoming)
    if (body === undefined) {
      writeAnswer(response, errorAnswer(413, 'The body is larger than 1 MiB'))
      return
    }
    const wait = async (ms: number): Promise<boolean> => {
      await sleep(ms, undefined, { signal }).catch(() => undefined)
      return !signal.aborted
    }
    const ending = await this.withFaults(plain(incoming, body), wait)
    if (ending.is === 'answered') writeAnswer(response, ending.answer)
    else if (ending.is === 'truncated') truncate(response, ending.answer, ending.bytes)
    else if (ending.is === 'cut') response.socket?.resetAndDestroy()
  }

  /**
   * Without socket, and with what the fault rules make of it.
   *
   * @param wait lets so many milliseconds pass; false: the service has gone away meanwhile.
   */
  async withFaults(request: PlainRequest, wait: (ms: number) => Promise<boolean>): Promise<Ending> {
    const reading = this.#service.read(request)
    const note = this.#note(request, reading)
    const fault = this.#faults.next({ operation: reading.operation, method: request.method, path: request.path })
    const isThere = async (delay: FaultAction['delayBefore']): Promise<boolean> => {
      const ms = delayMs(delay)
      return ms === 0 || (await wait(ms))
    }
    const end = (ending: 'cut' | 'hung'): Ending => {
      note({ ending, status: undefined })
      return { is: ending }
    }
    if (!(await isThere(fault?.delayBefore)) || fault?.cut === 'before') return end('cut')
    if (fault?.hang === 'before') return end('hung')
    const answer = withFault(fault, () => this.#carryOut(request, note))
    note({ status: undefined })
    if (!(await isThere(fault?.delayAfter)) || fault?.cut === 'after') return end('cut')
    if (fault?.hang === 'after') return end('hung')
    note({ status: answer.status })
    if (fault?.truncate === undefined) return { is: 'answered', answer }
    note({ ending: 'truncated' })
    return { is: 'truncated', answer, bytes: fault.truncate }
  }

  #note({ method, path }: PlainRequest, reading: Reading): Note {
    return this.log.add({ ...reading, at: this.#world.clock.now(), method, path })
  }

  #carryOut(request: PlainRequest, note: Note): PlainAnswer {
    const answer = this.#service.answer(request)
    note({ status: answer.status, effect: answer.status < 300 })
    return answer
  }
}

function plain(incoming: IncomingMessage, body: string): PlainRequest {
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  )
  return { method: incoming.method ?? 'GET', path: incoming.url ?? '/', headers, body }
}

/** The answer that a fault leaves of the real one, or puts in its place. */
function withFault(fault: FaultAction | undefined, carryOut: () => PlainAnswer): PlainAnswer {
  if (fault === undefined) return carryOut()
  const status = fault.status ?? (fault.error === undefined ? undefined : 500)
  const real = status === undefined || fault.effect === true ? carryOut() : undefined
  let answer = real ?? errorAnswer(500, 'Made up by a fault rule')
  if (status !== undefined) {
    answer = errorAnswer(status, 'Made up by a fault rule', fault.error)
    const { body } = fault
    if (body !== undefined) answer = { ...answer, body: typeof body === 'string' ? body : JSON.stringify(body) }
  }
  if (fault.replaceBody !== undefined) answer = { ...answer, body: fault.replaceBody }
  return { ...answer, headers: { ...answer.headers, ...lowerCased(fault.headers) } }
}

function lowerCased(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

export function writeAnswer(response: ServerResponse, answer: PlainAnswer): void {
  response.writeHead(answer.status, { ...answer.headers, 'content-length': Buffer.byteLength(answer.body) })
  response.end(answer.body)
}

/** Announces the whole body and sends a part of it. */
function truncate(response: ServerResponse, answer: PlainAnswer, bytes: number): void {
  const body = Buffer.from(answer.body)
  response.writeHead(answer.status, { ...answer.headers, 'content-length': body.length })
  response.flushHeaders()
  // Past the response, which would refuse to end short of what it announced.
  response.socket?.write(body.subarray(0, bytes), () => response.socket?.destroy())
}
