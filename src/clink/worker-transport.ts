import { areFaked } from '../base/host-time.ts'
import { GotTransport } from './got-transport.ts'
import type { TransportOptions } from './http-transport.ts'
import type { Transport, TransportRequest, TransportResponse } from './transport.ts'
import { UndiciTransport } from './undici-transport.ts'

/**
 * The network of a worker: the calls that its work is made of go by undici, which costs a tenth, and all others by got. undici waits by the
 * global timers: while a handler has replaced them, all go by got, and so they do once the service has said what undici does not understand.
 */
export class WorkerTransport implements Transport {
  readonly #work: UndiciTransport
  readonly #other: GotTransport

  constructor(options: TransportOptions) {
    this.#work = new UndiciTransport(options)
    this.#other = new GotTransport(options)
  }

  send(request: TransportRequest): Promise<TransportResponse> {
    const isOther = request.line === undefined || this.#work.isBaffled || areFaked()
    return (isOther ? this.#other : this.#work).send(request)
  }

  /** Gives up what is under way and ends all connections. */
  close(): void {
    this.#work.close()
    this.#other.close()
  }
}
