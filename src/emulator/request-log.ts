import type { Reading } from './service.ts'

/** How a request's connection ended where it got no whole answer. */
type Ending = 'cut' | 'hung' | 'truncated'

export interface SeenRequest extends Reading {
  /** From 1, in order of arrival. */
  readonly n: number
  /** Emulator milliseconds at arrival. */
  readonly at: number
  readonly method: string
  readonly path: string
  /** What was answered; absent while the request is under way and when it got no answer. */
  readonly status?: number | undefined
  readonly ending?: Ending | undefined
  /** Whether the service carried the request out, whatever was answered. */
  readonly effect: boolean
}

const KEPT = 100_000

/** The newest requests. */
export class RequestLog {
  readonly #seen: SeenRequest[] = []
  #count = 0

  add(
    request: Omit<SeenRequest, 'n' | 'effect'>,
  ): (outcome: Partial<Pick<SeenRequest, 'status' | 'ending' | 'effect'>>) => void {
    this.#count += 1
    const n = this.#count
    this.#seen.push({ ...request, n, effect: false })
    if (this.#seen.length > KEPT * 1.1) this.#seen.splice(0, this.#seen.length - KEPT)
    return (outcome) => {
      const at = n - 1 - (this.#count - this.#seen.length)
      const seen = this.#seen[at]
      if (seen !== undefined) this.#seen[at] = { ...seen, ...outcome }
    }
  }

  all(): readonly SeenRequest[] {
    return this.#seen.slice(-KEPT)
  }
}
