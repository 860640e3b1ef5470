import type { Cancel, Clock } from '../../src/base/clock.ts'
import {
  TransportError,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from '../../src/clink/transport.ts'
import type { TransportFailure } from '../../src/clink/transport.ts'
import type { Emulator } from '../../src/emulator/emulator.ts'
import { distorted, lengthsIn } from './distortion.ts'
import type { Fault } from './faults.ts'
import { resultIn } from './handlers.ts'
import type { OperationKind, Record, RequestRecord } from './record.ts'
import { stepReplyIn } from './stepping.ts'
import type { StateDirectory } from './state-directory.ts'
import type { Host, VirtualTime } from './virtual-time.ts'
import { SAYS, type World } from './world.ts'

/** What the worker's second session ends with, by which it finds out about siblings. */
const SECOND = '-sibling'

export interface NetworkParts {
  readonly time: VirtualTime
  readonly emulator: Emulator
  readonly record: Record
  readonly world: World
  /** What becomes of a request that is handed over now. */
  fault(kind: OperationKind, isSour: boolean): Fault
}

/** Carries the requests of one process to the embedded Clink, and does to them what the faults say. */
export class ProcessTransport implements Transport {
  readonly #parts: NetworkParts
  readonly #life: string
  readonly #host: Host
  readonly #clock: Clock
  readonly #state: StateDirectory

  constructor(parts: NetworkParts, state: StateDirectory, life: string, host: Host, clock: Clock) {
    this.#parts = parts
    this.#state = state
    this.#life = life
    this.#host = host
    this.#clock = clock
  }

  send(request: TransportRequest): Promise<TransportResponse> {
    const session = this.#sessionOf(request)
    if (this.#host.isDead) return new Promise(() => {})
    return new Promise((resolve, reject) => {
      new Journey(this.#parts, this.#life, session, this.#host, this.#clock, request, resolve, reject).begin()
    })
  }

  /**
   * The worker's session is random, so it is exchanged for the name of its state; it must be one, and the second one's. A process whose
   * journal cannot be opened has one of its own, which it may only read with.
   */
  #sessionOf(request: TransportRequest): string {
    const session = request.headers['x-clink-session-id'] ?? ''
    const isSecond = session.endsWith(SECOND)
    const own = isSecond ? session.slice(0, -SECOND.length) : session
    if (own === '') throw new Error(`${this.#life} has no session`)
    if (changesSomething(request)) this.#state.session ??= own
    if (changesSomething(request) && own !== this.#state.session) throw new Error(`${this.#life} changed its session`)
    return isSecond ? `${this.#state.name}${SECOND}` : this.#state.name
  }
}

/** One request on its way. */
class Journey {
  readonly #parts: NetworkParts
  readonly #life: string
  readonly #session: string
  readonly #host: Host
  readonly #clock: Clock
  readonly #request: TransportRequest
  readonly #resolve: (response: TransportResponse) => void
  readonly #reject: (error: Error) => void
  readonly #record: RequestRecord
  readonly #cancels: Cancel[] = []

  constructor(
    parts: NetworkParts,
    life: string,
    session: string,
    host: Host,
    clock: Clock,
    request: TransportRequest,
    resolve: (response: TransportResponse) => void,
    reject: (error: Error) => void,
  ) {
    this.#parts = parts
    this.#life = life
    this.#session = session
    this.#host = host
    this.#clock = clock
    this.#request = request
    this.#resolve = resolve
    this.#reject = reject
    const { record } = parts
    const read = readRequest(request)
    if (session.endsWith(SECOND)) read.kind = 'sibling'
    const key = nameOf(request, parts.emulator)
    this.#record = { ...read, key, n: record.requests.length + 1, begunAt: record.now, life, fault: '' }
    record.addRequest(this.#record)
  }

  begin(): void {
    const { timeout, deadline, signal } = this.#request
    const { time } = this.#parts
    const fault = this.#parts.fault(this.#record.kind, this.#isSour)
    this.#record.fault = fault.name
    if (signal?.aborted === true) return this.#fail('aborted')
    const aborted = (): void => this.#fail('aborted')
    signal?.addEventListener('abort', aborted, { once: true })
    this.#cancels.push(() => signal?.removeEventListener('abort', aborted))
    this.#cancels.push(this.#clock.at(this.#clock.now() + timeout, () => this.#fail('timeout')))
    if (deadline !== undefined) this.#cancels.push(this.#clock.at(deadline, () => this.#reachDeadline()))
    if (fault.unsent !== undefined) {
      const { unsent } = fault
      this.#cancels.push(time.at(time.now + fault.connect, () => this.#fail(unsent), this.#host))
      return
    }
    if (fault.connect === 0) this.#handOver(fault)
    else this.#cancels.push(time.at(time.now + fault.connect, () => this.#handOver(fault), this.#host))
  }

  get #isSour(): boolean {
    const { clinkId = '', kind } = this.#record
    return kind === 'claim' && this.#parts.emulator.clink(clinkId)?.content.startsWith(SAYS.sour) === true
  }

  #handOver(fault: Fault): void {
    const { deadline, isWanted } = this.#request
    const isLate = deadline !== undefined && this.#clock.now() >= deadline
    if (isLate || isWanted?.() === false) return this.#fail('deadline')
    const { time, record } = this.#parts
    this.#record.sentAt = time.now
    if (record.isTracing) record.say(this.#life, `→ ${this.#title()}`)
    // What is under way reaches the service whatever becomes of the process that sent it.
    if (fault.arrives) time.at(time.now + fault.there, () => this.#arrive(fault))
    else this.#back(fault)
  }

  #arrive(fault: Fault): void {
    const { emulator, record } = this.#parts
    const headers = { ...this.#request.headers, 'x-clink-session-id': this.#session }
    const { method, path, body } = this.#request
    // The service works in one turn; only its promise has another.
    void emulator.handle({ method, path, headers, ...(body === undefined ? {} : { body }) }).then((answer) => {
      this.#record.arrivedAt = record.now
      this.#record.status = answer.status
      this.#noteGrants(answer)
      if (record.isTracing) record.say('clink', `${answer.status} ${this.#life} ${this.#title()} ${short(answer.body)}`)
      this.#back(fault, distorted(answer, this.#parts.world))
    })
  }

  /** What comes back, if anything does. */
  #back(fault: Fault, real?: TransportResponse): void {
    const { time } = this.#parts
    const { answer, lost } = fault
    const given = answer === undefined ? real : answer(real, this.#clock.wall())
    if (lost === 'hang') return
    this.#cancels.push(
      time.at(
        time.now + fault.back,
        () => {
          if (lost !== undefined) this.#fail(lost)
          else if (given !== undefined) this.#succeed(given)
        },
        this.#host,
      ),
    )
  }

  #succeed(answer: TransportResponse): void {
    if (!this.#end('answered')) return
    this.#record.toldStatus = answer.status
    this.#record.toldWell = isWell(answer)
    this.#record.isEnveloped = isEnveloped(answer.body)
    const { kind } = this.#record
    if (kind === 'poll' || kind === 'claim') this.#record.lengths = lengthsIn(answer.body)
    const wait = waitOf(answer, this.#clock.wall())
    if (wait !== undefined) this.#record.notBefore = this.#parts.time.now + wait
    if (this.#record.fault !== '') this.#say(`← ${answer.status} ${short(answer.body)}`)
    this.#resolve(answer)
  }

  #fail(kind: TransportFailure): void {
    if (!this.#end(kind)) return
    this.#say(`✗ ${kind}`)
    const sent = this.#record.sentAt === undefined ? 'no' : 'maybe'
    this.#reject(new TransportError(kind, sent, `simulated: ${kind}`))
  }

  #reachDeadline(): void {
    this.#fail(this.#record.sentAt === undefined ? 'deadline' : 'timeout')
  }

  #end(how: TransportFailure | 'answered'): boolean {
    if (this.#record.ended !== undefined) return false
    this.#record.ended = how
    this.#record.endedAt = this.#parts.time.now
    for (const cancel of this.#cancels) cancel()
    return true
  }

  #say(text: string): void {
    const { record } = this.#parts
    if (record.isTracing) record.say(this.#life, `${text} ${this.#title()} ${this.#record.fault}`)
  }

  #title(): string {
    const { n, key, kind, clinkId, limit } = this.#record
    return `#${n} ${kind} ${clinkId ?? (limit > 0 ? `limit ${limit}` : '')} (${key})`
  }

  #noteGrants(answer: TransportResponse): void {
    const { kind, clinkId } = this.#record
    if ((kind === 'probe' || kind === 'other') && answer.status === 200) this.#record.listed = pageStates(answer.body)
    if (answer.status !== 200 || (kind !== 'poll' && kind !== 'claim')) return
    const { record, emulator } = this.#parts
    const ids = kind === 'poll' ? pageIds(answer.body) : [clinkId ?? '']
    for (const id of ids) {
      const claim = emulator.clink(id)?.claim
      if (claim?.session !== this.#session || (kind === 'poll' && claim.at !== emulator.now())) continue
      const expires = record.now + claim.expires - emulator.now()
      const last = emulator.history(id).at(-1)
      const isNew = last?.what === 'claimed' && last.at === emulator.now()
      record.addGrant({
        life: this.#life,
        clinkId: id,
        at: record.now,
        expires,
        via: kind,
        isNew,
        request: this.#record,
      })
    }
  }
}

function nameOf({ headers }: TransportRequest, { keys }: Emulator): string {
  return Object.keys(keys).find((name) => headers['authorization'] === `Bearer ${keys[name] ?? ''}`) ?? ''
}

function changesSomething({ method, path }: TransportRequest): boolean {
  return method !== 'GET' || path.includes('claim=true')
}

function readRequest({ method, path, body }: TransportRequest): {
  kind: OperationKind
  readonly clinkId: string | undefined
  readonly limit: number
  readonly asked?: number
  readonly result?: string
  readonly stepReply?: string
} {
  const [pathname = '', search = ''] = path.split('?')
  const query = new URLSearchParams(search)
  if (pathname === '/inbox') {
    const kind = query.get('claim') === 'true' ? 'poll' : 'probe'
    return { kind, clinkId: undefined, limit: Number(query.get('limit') ?? '10') }
  }
  const [, id, verb] = /^\/clinks\/([^/]+)\/(claim|complete|release)$/.exec(pathname) ?? []
  if (id !== undefined && verb !== undefined) {
    const { timeout_seconds: seconds } = JSON.parse(body ?? '{}') as { timeout_seconds?: number }
    const asked = seconds === undefined ? {} : { asked: seconds * 1_000 }
    return { kind: verb as 'claim' | 'complete' | 'release', clinkId: decodeURIComponent(id), limit: 0, ...asked }
  }
  if (method !== 'POST' || body === undefined) return { kind: 'other', clinkId: undefined, limit: 0 }
  const [result, stepReply] = [resultIn(body), stepReplyIn(body)]
  const carries = { ...(result !== undefined && { result }), ...(stepReply !== undefined && { stepReply }) }
  return { kind: 'send', clinkId: undefined, limit: 0, ...carries }
}

function pageIds(body: string): readonly string[] {
  const page = JSON.parse(body) as { data: { clinks: readonly { clink_id: string }[] } }
  return page.data.clinks.map(({ clink_id }) => clink_id)
}

function pageStates(body: string): ReadonlyMap<string, string> {
  const page = JSON.parse(body) as { data: { clinks?: readonly { clink_id: string; status: string }[] } }
  return new Map((page.data.clinks ?? []).map(({ clink_id, status }) => [clink_id, status]))
}

function isWell({ status, body }: TransportResponse): boolean {
  if (status < 200 || status > 299) return false
  try {
    return (JSON.parse(body) as { success?: boolean }).success === true
  } catch {
    return false
  }
}

/** Contract, section 1: only that is an answer of the service. */
function isEnveloped(body: string): boolean {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null && 'success' in value && typeof value.success === 'boolean'
  } catch {
    return false
  }
}

function short(body: string): string {
  return body.length > 400 ? `${body.slice(0, 400)}…` : body
}

/** How long an answer wants to be left alone, in milliseconds. */
function waitOf({ headers }: TransportResponse, wall: number): number | undefined {
  const text = headers['retry-after']
  if (text === undefined) return undefined
  // By the answer's own time, where it has one: the clocks may differ.
  const sentAt = headers['date'] === undefined ? wall : Date.parse(headers['date'])
  const wait = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - sentAt
  return Number.isNaN(wait) ? undefined : wait
}
