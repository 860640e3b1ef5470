import { readHttpDate } from '../base/time-text.ts'
import type { Transport, TransportRequest, TransportResponse } from './transport.ts'

/** Compares the service's clock with ours on the way, by the header that says when an answer was made. */
export class DateWatch implements Transport {
  /** Milliseconds by which the service is ahead; undefined until an answer said what time it is. */
  ahead: number | undefined
  readonly #transport: Transport
  readonly #wall: () => number
  readonly #told: (ahead: number) => void

  constructor(transport: Transport, wall: () => number, told: (ahead: number) => void = () => {}) {
    this.#transport = transport
    this.#wall = wall
    this.#told = told
  }

  async send(request: TransportRequest): Promise<TransportResponse> {
    const before = this.#wall()
    const response = await this.#transport.send(request)
    const time = readHttpDate(response.headers['date'])
    if (time === undefined) return response
    // Half a second, since the header leaves the fraction out; half of the way, since the answer was on it.
    this.ahead = time + 500 - (before + this.#wall()) / 2
    this.#told(this.ahead)
    return response
  }
}
