import type { IncomingHttpHeaders } from 'node:http'
import { systemClock, type Clock } from '../base/clock.ts'
import { Crowd } from '../base/present.ts'
import type { ForwardProxy } from '../base/proxy.ts'
import { Attempt } from './attempt.ts'
import { TransportError, type Transport, type TransportRequest, type TransportResponse } from './transport.ts'

/** What transports over HTTP are made with. */
export interface TransportOptions {
  /** Address of the service, with a path prefix or none. */
  readonly url: string
  /** What requests go through. Default: nothing. */
  readonly proxy?: ForwardProxy | undefined
  readonly clock?: Clock | undefined
}

/** What is the same whoever speaks HTTP: each request is an attempt that can be given up, and closing gives up all of them. */
export abstract class HttpTransport implements Transport {
  readonly #clock: Clock
  readonly #attempts = new Crowd<Attempt>()
  #closed = false

  constructor({ clock = systemClock() }: TransportOptions) {
    this.#clock = clock
  }

  async send(request: TransportRequest): Promise<TransportResponse> {
    if (this.#closed) throw new TransportError('aborted', 'no', 'the transport is closed')
    const attempt = new Attempt(request, this.#clock)
    const leave = this.#attempts.add(attempt)
    try {
      return await this.exchange(request, attempt)
    } catch (error) {
      throw attempt.failure(error)
    } finally {
      attempt.end()
      leave()
    }
  }

  /** Gives up what is under way and ends all connections. */
  close(): void {
    this.#closed = true
    for (const attempt of this.#attempts) attempt.giveUp('aborted', 'the transport was closed')
    this.disconnect()
  }

  /** Sends the request, unless it is given up before. What it throws is read by the attempt. */
  protected abstract exchange(request: TransportRequest, attempt: Attempt): Promise<TransportResponse>

  protected abstract disconnect(): void
}

/** In bytes, after decompression. The largest real answer, 100 clinks of 4096 characters, stays below 2 MiB. */
export const LARGEST_ANSWER = 10 * 1024 * 1024

export function flatHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const flattened: Record<string, string> = {}
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value !== undefined) flattened[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return flattened
}
