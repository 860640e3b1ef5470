import type { LateResult } from '../../ledger/late-results.ts'
import { brokenBy, type Outcome } from '../../runners/outcome.ts'
import type { RunVerdict } from '../capacity/circuit-breaker.ts'
import type { Run } from './run.ts'

/**
 * After the abort of a stop, an error or an empty return says that the handler broke off; only a response says that it
 * finished. To take an empty return for an ending would complete work that was not done.
 */
export function isNothing(outcome: Outcome): boolean {
  if (outcome.outcome === 'done') return outcome.response === undefined
  return outcome.outcome === 'failed' || outcome.outcome === 'unavailable'
}

/** After an operator's cancel, a wait for another run is none either. */
export function isNoEnding(outcome: Outcome): boolean {
  return isNothing(outcome) || outcome.outcome === 'retry' || outcome.outcome === 'asleep'
}

/** What the end of a run says about its route: nothing, where it was aborted for another reason than its timeout. */
export function verdictOnRoute(run: Run, outcome: Outcome): RunVerdict {
  if (run.abortedBy !== undefined && run.abortedBy !== 'timeout') return 'nothing'
  if (outcome.outcome === 'failed') return brokenBy(outcome)
  if (outcome.outcome === 'unavailable')
    return { ...brokenBy(outcome), isUnavailable: true, retryAfter: outcome.retryAfter }
  return outcome.outcome === 'done' ? 'done' : 'other'
}

/** What somebody may want although it came too late: it is kept for the operator. */
export function resultOf(outcome: Outcome): Pick<LateResult, 'outcome' | 'response' | 'reason'> | undefined {
  switch (outcome.outcome) {
    case 'done':
      return outcome
    case 'release':
    case 'reject':
    case 'retry': {
      const { outcome: is, reason } = outcome
      return { outcome: is, ...(reason !== undefined && { reason }) }
    }
    case 'failed':
    case 'asleep':
    case 'unavailable':
      return undefined
  }
}
