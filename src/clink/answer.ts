import { unsliced } from '../base/cut-text.ts'
import { tryTo } from '../base/try-to.ts'
import { isRecord } from '../base/record.ts'
import { withoutCredentials } from '../base/web-address.ts'
import { UnusableData, type Decode } from './decode.ts'
import { ClinkApiError, type ApiFailure } from './errors.ts'
import { http } from '../base/node-http.ts'
import type { WireCall } from './request.ts'
import { retryAfter } from './retry-after.ts'
import type { TransportError, TransportResponse } from './transport.ts'
import { needsEnvelope } from './verdicts.ts'

/** Texts of the service are for people; a whole page would drown the log line that it ends in. */
const LONGEST_TEXT = 500
const FOREIGN = ' (not in the form of the Clink API: it may come from something in front of the service)'

/** Makes of the answers to one call its result or its error. */
export class AnswerReader<T> {
  readonly #call: WireCall
  readonly #decode: Decode<T>
  readonly #hide: (text: string) => string
  #mayHaveHappened = false

  /** `hide` takes the key out of what the service sent, in case that something on the way echoes requests. */
  constructor(call: WireCall, decode: Decode<T>, hide: (text: string) => string) {
    this.#call = call
    this.#decode = decode
    this.#hide = hide
  }

  /**
   * The result of a successful answer.
   *
   * @throws {ClinkApiError} for every other answer.
   */
  read(response: TransportResponse, wall: number): T {
    const { status } = response
    const whole = parseObject(response.body)
    if (status < 200 || status > 299 || whole?.['success'] === false) throw this.#refused(response, whole, wall)
    if (whole === undefined) throw this.#unreadable(status, this.#notJson(response))
    try {
      return this.#decode(whole)
    } catch (error) {
      if (!(error instanceof UnusableData)) throw error
      if (error.kind === 'none') throw this.error(`404 ${error.message}`, { status: 404 })
      throw this.#unreadable(status, error.message)
    }
  }

  /** No answer. */
  lost(error: TransportError): ClinkApiError {
    return this.error(error.message, {
      status: 0,
      failure: error.kind,
      mayHaveHappened: this.#call.changes && error.sent !== 'no',
    })
  }

  /** The doubts of earlier tries of this call stay: a refusal does not undo what an unanswered try may have done. */
  error(message: string, facts: Partial<ApiFailure> & { readonly status: number }): ClinkApiError {
    this.#mayHaveHappened ||= facts.mayHaveHappened ?? (this.#call.changes && mayHaveWorked(facts))
    return new ClinkApiError(`${this.#call.operation}: ${this.#hide(message)}`, {
      detail: undefined,
      operation: this.#call.operation,
      retryAfter: undefined,
      failure: undefined,
      isBare: false,
      ...facts,
      mayHaveHappened: this.#mayHaveHappened,
    })
  }

  #refused(response: TransportResponse, whole: Record<string, unknown> | undefined, wall: number): ClinkApiError {
    const { status, headers } = response
    const detail = this.#text(whole?.['error'])
    const redirect = status >= 300 && status < 400 ? redirected(headers['location']) : undefined
    const said =
      this.#text(whole?.['message']) ??
      detail ??
      redirect ??
      (whole === undefined ? this.#notJson(response) : 'no reason given')
    const title = [status, http.STATUS_CODES[status]].filter((part) => part !== undefined).join(' ')
    const isEnveloped = whole?.['success'] === false
    const isForeign = needsEnvelope(status) && !isEnveloped
    return this.error(`${title}: ${said}${isForeign ? FOREIGN : ''}`, {
      status,
      detail,
      retryAfter: retryAfter(headers, wall),
      isBare: whole !== undefined && !isEnveloped,
      ...(isForeign ? { failure: 'foreign' as const } : {}),
    })
  }

  #unreadable(status: number, problem: string): ClinkApiError {
    return this.error(`${status}, but the answer cannot be used: ${problem}`, { status, failure: 'unreadable' })
  }

  #notJson({ headers, body }: TransportResponse): string {
    return `the answer is not a JSON object (${body.length} characters, ${this.#text(headers['content-type']) ?? 'no type'})`
  }

  #text(value: unknown): string | undefined {
    if (typeof value !== 'string' || value === '') return undefined
    const text = this.#hide(value)
    return text.length > LONGEST_TEXT ? `${unsliced(text.slice(0, LONGEST_TEXT))}…` : text
  }
}

/** A proxy between us and the service may hide any answer. An unusable 2xx says that the service did it. */
function mayHaveWorked({ failure, status }: Pick<ApiFailure, 'status'> & Partial<ApiFailure>): boolean {
  return failure === 'foreign' || status === 408 || status >= 500 || (status >= 200 && status < 300)
}

/** A target may carry what a request carried: only where it is, is shown. */
function redirected(target: string | undefined): string {
  const place = target === undefined ? '' : ` to ${withoutCredentials(target.replace(/[?#].*$/s, ''))}`
  return `a redirect${place.slice(0, LONGEST_TEXT)} is not followed; the address of Clink must be the one that answers`
}

function parseObject(text: string): Record<string, unknown> | undefined {
  const value = tryTo<unknown>(() => JSON.parse(text))
  return isRecord(value) ? value : undefined
}
