import { fullJitter, type BackoffPolicy, type Random } from '../base/backoff.ts'
import { sleep, type Clock } from '../base/clock.ts'
import type { AnswerReader } from './answer.ts'
import { ClinkApiError } from './errors.ts'
import type { WireCall } from './request.ts'
import { TransportError, type Transport, type TransportRequest, type TransportResponse } from './transport.ts'
import { isAway, isRateLimited } from './verdicts.ts'

const BACKOFF: BackoffPolicy = { base: 500, max: 10_000 }
/** A service that asks for a longer wait is not waited for: the caller decides. */
const LONGEST_RETRY_AFTER = 60_000

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /** `Clock.now` milliseconds: nothing is sent and nothing awaited after it. */
  readonly deadline?: number | undefined
  /** Asked before anything is sent. False: the deadline has come earlier than was known. */
  readonly isWanted?: (() => boolean) | undefined
  /** Milliseconds for each try. */
  readonly timeout?: number | undefined
  /** Most tries; 1: no repeat. */
  readonly attempts?: number | undefined
}

/** Told of each request: what it was answered with (a status, or what kept it from an answer), and after how many milliseconds. */
export type RequestWatch = (operation: WireCall['operation'], answer: number | string, duration: number) => void

type CallLimits = CallOptions & { readonly timeout: number; readonly attempts: number }

/** Sends calls, and sends them again where that cannot do anything twice. */
export class Caller {
  readonly #transport: Transport
  readonly #clock: Clock
  readonly #random: Random
  readonly #watch: RequestWatch | undefined

  constructor(transport: Transport, clock: Clock, random: Random, watch?: RequestWatch) {
    this.#transport = transport
    this.#clock = clock
    this.#random = random
    this.#watch = watch
  }

  /** @throws {ClinkApiError} for everything but a successful answer. */
  async send<T>(
    call: WireCall,
    headers: Readonly<Record<string, string>>,
    reader: AnswerReader<T>,
    limits: CallLimits,
  ): Promise<T> {
    const { deadline, isWanted, signal, timeout } = limits
    const request = {
      method: call.method,
      path: call.path,
      headers,
      timeout,
      ...(call.body === undefined ? {} : { body: call.body }),
      ...(deadline === undefined ? {} : { deadline }),
      ...(isWanted === undefined ? {} : { isWanted }),
      ...(signal === undefined ? {} : { signal }),
      ...(call.repeat === 'always' ? {} : { fresh: true }),
      ...(call.line === undefined ? {} : { line: call.line }),
    }
    for (let count = 1; ; count += 1) {
      let failed: ClinkApiError
      try {
        return reader.read(await this.#send(call, request), this.#clock.wall())
      } catch (thrown) {
        const error = thrown instanceof TransportError ? reader.lost(thrown) : thrown
        if (!(error instanceof ClinkApiError)) throw error
        failed = error
      }
      const wait = (failed.retryAfter ?? 0) + fullJitter(count, BACKOFF, this.#random)
      const late = deadline !== undefined && this.#clock.now() + wait >= deadline
      const tooLong = failed.retryAfter !== undefined && failed.retryAfter > LONGEST_RETRY_AFTER
      if (count >= limits.attempts || tooLong || late || !mayRepeat(call, failed)) throw failed
      await sleep(this.#clock, wait, signal)
      if (signal?.aborted === true) {
        const message = `given up by the caller before another try; the last one: ${failed.message}`
        throw reader.error(message, { status: 0, failure: 'aborted', mayHaveHappened: false })
      }
    }
  }

  #send({ operation }: WireCall, request: TransportRequest): Promise<TransportResponse> {
    return this.#watch === undefined
      ? this.#transport.send(request)
      : this.#sendWatched(operation, request, this.#watch)
  }

  async #sendWatched(
    operation: WireCall['operation'],
    request: TransportRequest,
    watch: RequestWatch,
  ): Promise<TransportResponse> {
    const startedAt = this.#clock.now()
    let answer: number | string = 'error'
    try {
      const response = await this.#transport.send(request)
      answer = response.status
      return response
    } catch (error) {
      if (error instanceof TransportError) answer = error.kind
      throw error
    } finally {
      watch(operation, answer, this.#clock.now() - startedAt)
    }
  }
}

/** Whether asking again may bring an answer and cannot do anything twice. A 429 says that nothing was done. */
function mayRepeat(call: WireCall, error: ClinkApiError): boolean {
  const { failure, mayHaveHappened, status } = error
  if (call.repeat === 'no' || failure === 'aborted' || failure === 'deadline' || failure === 'too-large') return false
  if (isRateLimited(error)) return true
  if (call.repeat === 'unsent') return status === 0 && !mayHaveHappened
  return isAway(error)
}
