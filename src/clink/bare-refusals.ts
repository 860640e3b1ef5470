import { ClinkApiError } from './errors.ts'

/** How often, and over how many milliseconds, the same refusal has to come before it counts without the API's envelope. */
const TIMES = 3
const OVER = 5_000

/**
 * The memory of one request that is sent again and again. A refusal outside the API's envelope may come from a proxy, so it says nothing
 * at first; a service that knows no envelope would never be understood, though. So a refusal that stays the same counts after a while, for this
 * request only: whoever begins another one begins another memory. Times are those of a clock that nobody sets.
 */
export class BareRefusals {
  readonly #over: number
  #status: number | undefined
  #since = 0
  #count = 0

  /** @param time milliseconds that there are for the request: of a short time a third has to do. */
  constructor(time = Infinity) {
    this.#over = Math.min(OVER, time / TIMES)
  }

  /** The error as it counts now: a bare refusal that stayed is the service's word. An error page never is, however often it comes. */
  weigh(error: ClinkApiError, now: number): ClinkApiError {
    const stayed = this.stays(error, now)
    if (!stayed || !error.isBare || error.failure !== 'foreign') return error
    const { detail, isBare, mayHaveHappened, operation, retryAfter, status } = error
    const counted = { detail, isBare, mayHaveHappened, operation, retryAfter, status, failure: undefined }
    return new ClinkApiError(error.message, counted)
  }

  /** Notes a failure. True when it is a refusal that this request was given often enough, and for long enough. */
  stays({ failure, status }: ClinkApiError, now: number): boolean {
    // A failure in between, of the network or of the service, leaves open what a refusal meant.
    if (failure !== 'foreign') return false
    if (status !== this.#status) {
      this.#status = status
      this.#since = now
      this.#count = 0
    }
    this.#count += 1
    return this.#count >= TIMES && now - this.#since >= this.#over
  }
}
