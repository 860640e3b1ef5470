import type { OperationName } from './contract.ts'
import type { TransportFailure } from './transport.ts'

/** What is known about a call that failed. */
export interface ApiFailure {
  /** HTTP status; 0: no answer, or not a whole one. */
  readonly status: number
  /** The service's own code or detail, as it sent it. */
  readonly detail: string | undefined
  readonly operation: OperationName | 'health'
  /**
   * The call may have taken effect. Holds for the whole call: it is also true when the last try was refused for certain but
   * an earlier one was left without an answer. Always false for reads that change nothing.
   */
  readonly mayHaveHappened: boolean
  /** Milliseconds that the service asks to wait. */
  readonly retryAfter: number | undefined
  /**
   * What went wrong on the way. `unreadable`: a successful answer without what it must hold; `foreign`: a refusal outside the API's
   * envelope, which something in front of the service may have written; undefined: the service said no.
   */
  readonly failure: TransportFailure | 'unreadable' | 'foreign' | undefined
  /** The answer's body is a JSON object, though not in the API's envelope. */
  readonly isBare: boolean
}

/** A call of the Clink API that failed. Holds neither the key nor headers at any depth, so it can be printed. */
export class ClinkApiError extends Error implements ApiFailure {
  override readonly name = 'ClinkApiError'
  readonly status: number
  readonly detail: string | undefined
  readonly operation: OperationName | 'health'
  readonly mayHaveHappened: boolean
  readonly retryAfter: number | undefined
  readonly failure: ApiFailure['failure']
  readonly isBare: boolean

  // No `cause`: the errors of HTTP libraries carry the request with its headers, and so the key.
  constructor(message: string, facts: ApiFailure) {
    super(message)
    this.status = facts.status
    this.detail = facts.detail
    this.operation = facts.operation
    this.mayHaveHappened = facts.mayHaveHappened
    this.retryAfter = facts.retryAfter
    this.failure = facts.failure
    this.isBare = facts.isBare
  }
}
