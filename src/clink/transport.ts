/**
 * The one seam to the network. The client above it knows what Clink is, what is behind it knows how bytes travel; a test
 * or a simulation puts its own behind it.
 */
export interface Transport {
  /**
   * Sends one request once and reads the whole answer. Never retries, never follows a redirect.
   *
   * @throws {TransportError} for everything but a whole answer.
   */
  send(request: TransportRequest): Promise<TransportResponse>
}

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Below the base address, already percent-encoded, with the query: `/inbox?claim=true`. */
  readonly path: string
  /** Lower-case names. Carries the key: a transport puts them into no error. */
  readonly headers: Readonly<Record<string, string>>
  /** JSON text; left out: no body. */
  readonly body?: string
  /** Milliseconds for everything from now on: waiting for a socket, connecting, sending, reading. */
  readonly timeout: number
  /**
   * Local time (`Clock.now`) after which the request must not be handed to a socket. The clock is compared in the same
   * turn; being late is a `deadline` error with `sent: 'no'`. A request that was sent is given up when it is reached.
   */
  readonly deadline?: number
  /** Asked in the turn in which it would be handed to a socket. False: its deadline has come earlier than was known, and it is not sent. */
  readonly isWanted?: () => boolean
  readonly signal?: AbortSignal
  /**
   * Not over a connection that has been idle for long: a server that closes idle ones may do so just as this request is
   * sent, and then nobody can say whether it arrived.
   */
  readonly fresh?: boolean
  /** Of the calls that work is made of: what it does. Absent: any other call. */
  readonly line?: 'poll' | 'look' | 'claim' | 'complete' | 'release'
}

export interface TransportResponse {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * - `refused`, `dns`, `tls`, `deadline`: no byte of the request left.
 * - `aborted`: the caller's signal; `timeout`, `reset`, `cut`, `too-large`: the request may have arrived.
 */
export type TransportFailure =
  'refused' | 'dns' | 'tls' | 'deadline' | 'aborted' | 'timeout' | 'reset' | 'cut' | 'too-large'

/** No answer, or not a whole one. Carries neither headers nor the address with its query, so it can be printed. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly kind: TransportFailure
  /** `no`: surely no byte of the request reached the service. */
  readonly sent: 'no' | 'maybe'

  constructor(kind: TransportFailure, sent: 'no' | 'maybe', message: string) {
    super(message)
    this.kind = kind
    this.sent = sent
  }
}
