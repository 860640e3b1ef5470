import type { Clock } from '../../src/base/clock.ts'
import {
  TransportError,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from '../../src/clink/transport.ts'

export type Step =
  TransportError | TransportResponse | ((request: TransportRequest) => TransportError | TransportResponse)

/** A transport that plays its steps in order and notes what it was asked. It fails loudly when asked once too often. */
export class ScriptedTransport implements Transport {
  readonly requests: TransportRequest[] = []
  readonly #steps: Step[]

  constructor(...steps: Step[]) {
    this.#steps = steps
  }

  get left(): number {
    return this.#steps.length
  }

  send(request: TransportRequest): Promise<TransportResponse> {
    this.requests.push(request)
    const step = this.#steps.shift()
    if (step === undefined) return Promise.reject(new Error(`unexpected request ${request.method} ${request.path}`))
    const result = typeof step === 'function' ? step(request) : step
    return result instanceof TransportError ? Promise.reject(result) : Promise.resolve(result)
  }
}

/** Jumps to the next timer instead of waiting, and notes the waits. */
export class JumpingClock implements Clock {
  readonly waits: number[] = []
  #now = 1_000_000

  now(): number {
    return this.#now
  }

  wall(): number {
    return Date.UTC(2026, 10, 1, 12) + this.#now
  }

  at(time: number, run: () => void): () => void {
    this.waits.push(time - this.#now)
    const timer = setImmediate(() => {
      this.#now = Math.max(this.#now, time)
      run()
    })
    return () => clearImmediate(timer)
  }
}

export const ok = (data: unknown): TransportResponse => answer(200, { success: true, data })

export function answer(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): TransportResponse {
  return { status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) }
}
