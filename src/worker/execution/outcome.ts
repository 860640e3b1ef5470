import { equalJitter, type Random } from '../../base/backoff.ts'
import type { Policy } from '../../handlers/policy.ts'
import type { Outcome } from '../../runners/outcome.ts'
import { noticeOf, often } from './given-up.ts'

/** What follows from an outcome. */
export type Decision =
  | { readonly do: 'complete'; readonly response?: string }
  /** Back to the inbox, and left alone by this worker for `cooldown`. */
  | {
      readonly do: 'release'
      readonly why: 'handler' | 'hold-too-long' | 'parked' | 'unavailable' | 'cancelled'
      readonly reason?: string
      readonly cooldown?: number
      readonly countsAttempt: boolean
    }
  /** Kept and run again after `wait`. */
  | {
      readonly do: 'hold'
      readonly wait: number
      readonly why: string
      readonly countsAttempt: boolean
      /** Its handler wants it so, and nothing has gone wrong. */
      readonly isSleep?: true
    }
  /** A dead letter; `tell` is what Clink is told, `notice` what the sender reads where it is completed. */
  | {
      readonly do: 'deadLetter'
      readonly why: 'exhausted' | 'rejected'
      readonly reason: string
      readonly tell: 'release' | 'complete'
      readonly notice: string
    }

/** Milliseconds; as long as what asks for less waits. */
const SHORTEST_WAIT = 1_000

/** `outcome × attempt × policy`: what is done with the clink. Pure but for the jitter. */
export function decide(
  outcome: Outcome,
  state: {
    readonly clinkId: string
    readonly attempt: number
    readonly heldFor: number
    /** Wall time in milliseconds. */
    readonly now: number
    /** A failure is not the clink's fault and costs no attempt. */
    readonly isFree?: boolean
  },
  policy: Pick<Policy, 'maxHold' | 'retry'>,
  random: Random,
): Decision {
  const { retry, maxHold } = policy
  switch (outcome.outcome) {
    case 'done':
      return outcome.response === undefined ? { do: 'complete' } : { do: 'complete', response: outcome.response }
    case 'release': {
      const { outcome: _, ...why } = outcome
      return { do: 'release', why: 'handler', ...why, cooldown: retry.cooldown, countsAttempt: true }
    }
    case 'reject':
      return deadLetter('rejected', outcome.reason, retry.onExhausted, `This could not be done: ${outcome.reason}`)
    case 'retry':
      return hold(
        Math.max(outcome.after ?? retry.backoff, SHORTEST_WAIT),
        outcome.reason ?? 'the handler asked to wait',
        false,
      )
    case 'asleep':
      return hold(Math.max(outcome.until - state.now, SHORTEST_WAIT), `it sleeps: ${outcome.name}`, false, true)
    case 'unavailable': {
      // Another worker may be able to. The route is paused here, so it is not claimed again at once.
      const cooldown = Math.max(outcome.retryAfter ?? retry.backoff, SHORTEST_WAIT)
      return { do: 'release', why: 'unavailable', reason: outcome.reason, cooldown, countsAttempt: false }
    }
    case 'failed': {
      const backoff = { base: retry.backoff, max: retry.maxBackoff }
      const wait = equalJitter(state.attempt, backoff, random)
      if (state.isFree === true) return hold(wait, outcome.error.message, false)
      if (state.attempt >= retry.attempts)
        return deadLetter('exhausted', outcome.error.message, retry.onExhausted, noticeOf('handler-failed', state))
      return hold(wait, outcome.error.message, true)
    }
  }

  function hold(wait: number, why: string, countsAttempt: boolean, isSleep = false): Decision {
    if (state.heldFor + wait > maxHold) {
      return { do: 'release', why: 'hold-too-long', reason: why, cooldown: wait, countsAttempt }
    }
    return { do: 'hold', wait, why, countsAttempt, ...(isSleep && { isSleep }) }
  }
}

/**
 * What follows without another start; undefined: it starts. It is a dead letter; or nothing tells whether the clink is the route's; or its handler has gone on
 * until its claim ran out as often as it may fail, because the service does not renew claims: it would do so for ever, and no outcome
 * would ever end it.
 */
export function decideUnstarted(
  state: {
    readonly clinkId: string
    /** Why it is left alone though it was claimed: somebody has acted on its letter, or has had it, since it was listed. */
    readonly givenBack?: string | undefined
    /** Why the route cannot be told to take the clink. */
    readonly fault?: string | undefined
    /** How often its handler has outlived its claim. */
    readonly times: number
    /** Its starts that count in a fleet; 0 where there is none. */
    readonly inFleet?: number
    /** The service's answers do not say when claims end: it may renew them unseen. */
    readonly timesAbsent: boolean
  },
  { retry }: Pick<Policy, 'retry'>,
): Decision | undefined {
  const { fault, givenBack, inFleet = 0, times, timesAbsent } = state
  if (givenBack !== undefined) return { do: 'release', why: 'parked', reason: givenBack, countsAttempt: false }
  if (fault !== undefined) return deadLetter('rejected', fault, retry.onExhausted, noticeOf('match-timeout', state))
  // Whoever made the last one has ended, or lost its claim, before it could say what came of it.
  if (inFleet >= retry.attempts) {
    const reason = `it was started ${often(inFleet)} in the fleet, and what came of the last start is not known`
    return deadLetter('exhausted', reason, retry.onExhausted, noticeOf('handler-failed', state))
  }
  if (times < retry.attempts) return undefined
  const renewals = timesAbsent ? 'nothing shows that the service renews claims' : 'the service does not renew claims'
  const advice = timesAbsent ? ', or set claim.trustRenewals if you know that it does' : ''
  const reason = `its claim ran out ${often(times)} while the handler ran, and ${renewals}: make the handler shorter${advice}`
  return deadLetter('exhausted', reason, retry.onExhausted, noticeOf('claim-ran-out', state))
}

/** An operator wants it to end. The clink is given back and left alone for a while, or is a dead letter; why is not for its sender. No attempt is counted. */
export function decideCancelled(to: 'release' | 'reject', why: string, id: string, retry: Policy['retry']): Decision {
  if (to === 'reject') return deadLetter('rejected', why, retry.onExhausted, noticeOf('cancelled', { clinkId: id }))
  return { do: 'release', why: 'cancelled', reason: why, cooldown: retry.cooldown, countsAttempt: false }
}

function deadLetter(
  why: 'exhausted' | 'rejected',
  reason: string,
  tell: 'release' | 'complete',
  notice: string,
): Decision {
  return { do: 'deadLetter', why, reason, tell, notice }
}
