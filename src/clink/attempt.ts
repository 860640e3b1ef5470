import { after, type Cancel, type Clock } from '../base/clock.ts'
import { onAbort } from '../base/on-abort.ts'
import { TransportError, type TransportFailure, type TransportRequest } from './transport.ts'

/** How far one request has come, and what ends it early: its timeout, its deadline, its caller. */
export class Attempt {
  readonly #clock: Clock
  readonly #request: TransportRequest
  readonly #cancels: Cancel[] = []
  #progress: 'waiting' | 'sent' | 'answering' = 'waiting'
  #end: TransportError | undefined
  #stop: Cancel | undefined

  constructor(request: TransportRequest, clock: Clock) {
    this.#clock = clock
    this.#request = request
    const { timeout, deadline, signal } = request
    this.#cancels.push(
      onAbort(signal, () => this.giveUp('aborted', 'given up by the caller')),
      after(clock, timeout, () => this.giveUp('timeout', `no whole answer within ${timeout} ms`)),
    )
    if (deadline === undefined) return
    if (this.#isLate()) this.#reachDeadline()
    else this.#cancels.push(clock.at(deadline, () => this.#reachDeadline()))
  }

  /** Runs `stop` as soon as the request is given up, at once where it already was. */
  onGivenUp(stop: Cancel): void {
    this.#stop = stop
    if (this.#end !== undefined) stop()
  }

  giveUp(kind: TransportFailure, message: string): void {
    this.#end ??= new TransportError(kind, this.#progress === 'waiting' ? 'no' : 'maybe', message)
    this.#stop?.()
  }

  /** Whether the request may go to its socket. To be asked in the turn in which it does. */
  handOver(): boolean {
    if (this.#isLate() || this.#request.isWanted?.() === false) this.#reachDeadline()
    if (this.#end !== undefined) return false
    this.#progress = 'sent'
    return true
  }

  answering(): void {
    this.#progress = 'answering'
  }

  /** Throws when the request was given up: a stream that is destroyed at its end does not say so by itself. */
  assertNotGivenUp(): void {
    if (this.#end !== undefined) throw this.#end
  }

  /** What a thrown error means at this point. Only its code is taken over: it may carry the whole request. */
  failure(thrown: unknown): TransportError {
    if (this.#end !== undefined) return this.#end
    if (thrown instanceof TransportError) return thrown
    const { cause, code } = partsOf(thrown)
    if (cause instanceof TransportError) return cause
    const why = typeof code === 'string' ? ` (${code})` : ''
    if (this.#progress === 'waiting') return new TransportError('refused', 'no', `the request could not be sent${why}`)
    if (this.#progress === 'answering' || why.includes('HPE_')) {
      return new TransportError('cut', 'maybe', `the answer is cut or broken${why}`)
    }
    return new TransportError('reset', 'maybe', `the connection was lost before an answer${why}`)
  }

  end(): void {
    for (const cancel of this.#cancels) cancel()
  }

  #isLate(): boolean {
    return this.#request.deadline !== undefined && this.#clock.now() >= this.#request.deadline
  }

  #reachDeadline(): void {
    if (this.#progress === 'waiting') this.giveUp('deadline', 'the deadline passed before it could be sent')
    else this.giveUp('timeout', 'the deadline passed without a whole answer')
  }
}

function partsOf(thrown: unknown): { cause?: unknown; code?: unknown } {
  return typeof thrown === 'object' && thrown !== null ? thrown : {}
}
