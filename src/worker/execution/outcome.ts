import { asError, isError } from '../../base/coded-error.ts'
import { cutText, LONGEST } from '../../base/cut-text.ts'
import { errorFact } from '../../base/error-fact.ts'
import { equalJitter, type Random } from '../../base/backoff.ts'
import type { RetryPolicy } from '../../config/config.ts'
import { isControl, type Control } from '../../handlers/handler.ts'
import type { RunEnd } from '../../runners/runner.ts'
import { answerText } from './answer-text.ts'

/** What a handler's run came to, as data. Times in milliseconds. */
export type HandlerOutcome =
  | { readonly outcome: 'done'; readonly response?: string }
  | { readonly outcome: 'release'; readonly reason?: string }
  | { readonly outcome: 'retry'; readonly after: number; readonly reason?: string }
  | { readonly outcome: 'reject'; readonly reason: string }
  | { readonly outcome: 'failed'; readonly error: Error }

/** What follows from an outcome. */
export type Decision =
  | { readonly do: 'complete'; readonly response?: string }
  /** Back to the inbox, and left alone by this worker for `cooldown`. */
  | {
      readonly do: 'release'
      readonly why: 'handler' | 'hold-too-long'
      readonly reason?: string
      readonly cooldown: number
      readonly countsAttempt: boolean
    }
  /** Kept and run again after `wait`. */
  | { readonly do: 'hold'; readonly wait: number; readonly why: string; readonly countsAttempt: boolean }
  /** A dead letter; `tell` is what Clink is told, `notice` what the sender reads where it is completed. */
  | {
      readonly do: 'bury'
      readonly why: 'exhausted' | 'rejected'
      readonly reason: string
      readonly tell: 'release' | 'complete'
      readonly notice: string
    }

export interface OutcomePolicy {
  readonly retry: RetryPolicy & { readonly cooldown: number; readonly onExhausted: 'release' | 'complete' }
  /** Milliseconds that a clink may be held in all. */
  readonly maxHold: number
}

const SHORTEST_RETRY = 1_000

/**
 * The one place where what a handler returned or threw becomes an outcome.
 *
 * @param made the controls that the handler's context made during the run.
 */
export function readOutcome(end: RunEnd, made: readonly Control[]): HandlerOutcome {
  try {
    return read(end, made)
  } catch (error) {
    return failed(`what the handler ${end.ended} cannot be read: ${asError(error).message}`, error)
  }
}

function read(end: RunEnd, made: readonly Control[]): HandlerOutcome {
  const result = end.ended === 'returned' ? end.value : end.error
  if (isControl(result)) return fromControl(result)
  if (end.ended === 'threw') return { outcome: 'failed', error: errorFact(end.error) }
  const [unused] = made
  if (unused !== undefined) {
    const call = unused.kind === 'retry' ? 'retryAfter' : unused.kind
    return failed(`ctx.${call}() was called and its result neither returned nor thrown: write "return ctx.${call}(…)"`)
  }
  return fromValue(result)
}

/** `outcome × attempt × policy`: what is done with the clink. Pure but for the jitter. */
export function decide(
  outcome: HandlerOutcome,
  state: {
    readonly clinkId: string
    readonly attempt: number
    readonly heldFor: number
    /** A failure is not the clink's fault and costs no attempt. */
    readonly isFree?: boolean
  },
  policy: OutcomePolicy,
  random: Random,
): Decision {
  const { retry, maxHold } = policy
  switch (outcome.outcome) {
    case 'done':
      return outcome.response === undefined ? { do: 'complete' } : { do: 'complete', response: outcome.response }
    case 'release':
      return { do: 'release', why: 'handler', ...reasonOf(outcome), cooldown: retry.cooldown, countsAttempt: true }
    case 'reject':
      return bury('rejected', outcome.reason, retry.onExhausted, `This could not be done: ${outcome.reason}`)
    case 'retry':
      return hold(Math.max(outcome.after, SHORTEST_RETRY), outcome.reason ?? 'the handler asked to wait', false)
    case 'failed': {
      const backoff = { base: retry.backoff, max: retry.maxBackoff }
      const wait = equalJitter(state.attempt, backoff, random)
      if (state.isFree === true) return hold(wait, outcome.error.message, false)
      const notice = `This could not be done (handler-failed, ${state.clinkId}).`
      if (state.attempt >= retry.attempts) return bury('exhausted', outcome.error.message, retry.onExhausted, notice)
      return hold(wait, outcome.error.message, true)
    }
  }

  function hold(wait: number, why: string, countsAttempt: boolean): Decision {
    if (state.heldFor + wait > maxHold) {
      return { do: 'release', why: 'hold-too-long', reason: why, cooldown: wait, countsAttempt }
    }
    return { do: 'hold', wait, why, countsAttempt }
  }
}

/**
 * Before a start: what follows when the handler has gone on until its claim ran out as often as it may fail, because the service
 * does not renew claims. It would do so for ever, and no outcome would ever end it. Undefined: it starts.
 */
export function decideOutlived(
  outlived: number,
  state: {
    readonly clinkId: string
    /** The service's answers do not say when claims end: it may renew them unseen. */
    readonly timesAbsent: boolean
  },
  { retry }: OutcomePolicy,
): Decision | undefined {
  if (outlived < retry.attempts) return undefined
  const times = outlived === 1 ? 'once' : `${outlived} times`
  const renewals = state.timesAbsent
    ? 'nothing shows that the service renews claims'
    : 'the service does not renew claims'
  const advice = state.timesAbsent ? ', or set claim.trustRenewals if you know that it does' : ''
  const reason = `its claim ran out ${times} while the handler ran, and ${renewals}: make the handler shorter${advice}`
  return bury('exhausted', reason, retry.onExhausted, `This could not be done (claim-ran-out, ${state.clinkId}).`)
}

/** Before a start: it cannot be told whether the clink is the route's. */
export function decideUnmatched(fault: string, clinkId: string, { retry }: OutcomePolicy): Decision {
  return bury('rejected', fault, retry.onExhausted, `This could not be done (match-timeout, ${clinkId}).`)
}

function bury(why: 'exhausted' | 'rejected', reason: string, tell: 'release' | 'complete', notice: string): Decision {
  return { do: 'bury', why, reason, tell, notice }
}

function fromControl(control: Control): HandlerOutcome {
  switch (control.kind) {
    case 'release':
      return { outcome: 'release', ...reasonOf(control) }
    case 'reject':
      return { outcome: 'reject', reason: 'rejected by the handler', ...reasonOf(control) }
    case 'retry':
      return { outcome: 'retry', after: control.after ?? SHORTEST_RETRY, ...reasonOf(control) }
  }
}

/** An error that is returned counts as thrown: whoever collects what others threw hands it on so. */
function fromValue(value: unknown): HandlerOutcome {
  const isWrapped = typeof value === 'object' && value !== null && !isError(value) && 'response' in value
  const answer = isWrapped ? value.response : value
  if (isError(answer)) return { outcome: 'failed', error: errorFact(answer) }
  try {
    const response = answerText(answer)
    return response === undefined ? { outcome: 'done' } : done(response)
  } catch (error) {
    return failed(`the handler returned what cannot be sent as JSON: ${asError(error).message}`, error)
  }
}

const done = (response: string): HandlerOutcome => ({
  outcome: 'done',
  response: cutText(response, LONGEST.response),
})

function failed(message: string, cause?: unknown): HandlerOutcome {
  return { outcome: 'failed', error: errorFact(new Error(message, cause === undefined ? undefined : { cause })) }
}

/** Handlers need not be checked by a compiler, and an error is a reason as good as its text. What is kept has to be text. */
function reasonOf({ reason }: { readonly reason?: unknown }): { readonly reason?: string } {
  if (reason === undefined || reason === null) return {}
  return { reason: cutText(typeof reason === 'string' ? reason : asError(reason).message, LONGEST.error) }
}
