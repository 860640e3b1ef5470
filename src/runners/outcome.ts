import { cutText, LONGEST } from '../base/cut-text.ts'
import { errorOf, type ErrorFact } from '../base/error-fact.ts'

/**
 * How a run ended, apart: `own` in the worker's words, which quote nobody, and `said` in those of the code that it ran. Without `own` all that an
 * outcome says is taken for the words of that code.
 */
interface Ending {
  readonly own?: string
  readonly said?: string
}

/** What a handler's run came to, as data: JSON holds all of it, whoever ran the handler. */
export type Outcome =
  | { readonly outcome: 'done'; readonly response?: string }
  | (Ending & { readonly outcome: 'release'; readonly reason?: string })
  /** `after` in milliseconds; left out: `retry.backoff`. */
  | (Ending & { readonly outcome: 'retry'; readonly after?: number; readonly reason?: string })
  | (Ending & { readonly outcome: 'reject'; readonly reason: string })
  | (Ending & { readonly outcome: 'failed'; readonly error: ErrorFact })
  /** It has ended to be run again at `until`, wall time in milliseconds. What it has done is kept under names; it waits by this one. */
  | { readonly outcome: 'asleep'; readonly name: string; readonly until: number }
  | Unavailable

/** It could not be begun, whatever the clink: what runs it is away or not set up. `retryAfter` in milliseconds. */
export type Unavailable = Ending & {
  readonly outcome: 'unavailable'
  readonly reason: string
  readonly retryAfter?: number
}

export function unavailable(own: string, said?: string): Unavailable {
  if (said === undefined) return { outcome: 'unavailable', reason: own, own }
  return { outcome: 'unavailable', reason: `${own}: ${said}`, own, said }
}

type Told = Exclude<Outcome, { outcome: 'done' | 'asleep' }>

/** What events tell of an end. */
export interface Words {
  readonly reason: string
  readonly said?: string
}

const UNNAMED = {
  release: 'the handler gave it back',
  retry: 'the handler asked to wait',
  reject: 'rejected by the handler',
  failed: 'the handler failed',
  unavailable: 'the handler could not be begun',
} as const

/** What the code of a run that has ended said, for another end that is made of it. */
export function saidIn(outcome: Told): Pick<Words, 'said'> {
  const { said } = wordsOn(outcome)
  return said === undefined ? {} : { said }
}

function wordsOn(outcome: Told): Words {
  const { own: reason = UNNAMED[outcome.outcome], own } = outcome
  const text = outcome.outcome === 'failed' ? outcome.error.message : outcome.reason
  const said = own === undefined ? text : outcome.said
  const isTwice = said === reason || reason.endsWith(`: ${said}`)
  return said === undefined || isTwice ? { reason } : { reason, said: cutText(said, LONGEST.error) }
}

/** An empty one where it was done or sleeps: the outcome tells it all. */
export function toldOf(outcome: Outcome): Partial<Words> & { readonly error?: Error } {
  if (outcome.outcome === 'done' || outcome.outcome === 'asleep') return {}
  return outcome.outcome === 'failed' ? brokenBy(outcome) : wordsOn(outcome)
}

export function brokenBy(outcome: Extract<Told, { outcome: 'failed' | 'unavailable' }>): Words & { error: Error } {
  const error = outcome.outcome === 'failed' ? errorOf(outcome.error) : new Error(outcome.reason)
  return { ...wordsOn(outcome), error }
}
