import type { ErrorFact } from '../base/error-fact.ts'

/** What a handler's run came to, as data: JSON holds all of it, whoever ran the handler. */
export type Outcome =
  | { readonly outcome: 'done'; readonly response?: string }
  | { readonly outcome: 'release'; readonly reason?: string }
  /** `after` in milliseconds; left out: `retry.backoff`. */
  | { readonly outcome: 'retry'; readonly after?: number; readonly reason?: string }
  | { readonly outcome: 'reject'; readonly reason: string }
  | { readonly outcome: 'failed'; readonly error: ErrorFact }
  /** It has ended to be run again at `until`, wall time in milliseconds. What it has done is kept under names; it waits by this one. */
  | { readonly outcome: 'asleep'; readonly name: string; readonly until: number }
  /** It could not be begun, whatever the clink: what runs it is away or not set up. `retryAfter` in milliseconds. */
  | { readonly outcome: 'unavailable'; readonly reason: string; readonly retryAfter?: number }
