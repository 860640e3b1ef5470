import { fullJitter, type BackoffPolicy, type Random } from '../base/backoff.ts'
import { sleep, type Clock } from '../base/clock.ts'
import type { AnswerReader } from './answer.ts'
import { ClinkApiError } from './errors.ts'
import type { WireCall } from './request.ts'
import { TransportError, type Transport } from './transport.ts'
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
      const startedAt = this.#watch === undefined ? 0 : this.#clock.now()
      try {
        const response = await this.#transport.send(request)
        this.#say(call, response.status, startedAt)
        return reader.read(response, this.#clock.wall())
      } catch (thrown) {
        const isLost = thrown instanceof TransportError
        if (!(thrown instanceof ClinkApiError)) this.#say(call, isLost ? thrown.kind : 'error', startedAt)
        const error = isLost ? reader.lost(thrown) : thrown
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

  #say({ operation }: WireCall, answer: number | string, startedAt: number): void {
    this.#watch?.(operation, answer, this.#clock.now() - startedAt)
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
