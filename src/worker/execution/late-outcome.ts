import type { RoutedFacts } from '../../events.ts'
import type { LateResult } from '../../ledger/late-results.ts'
import type { Outcome } from '../../runners/outcome.ts'
import type { WorkerContext } from '../context.ts'

/** An outcome that somebody may want although it came too late. */
type Result = Extract<Outcome, { outcome: LateResult['outcome'] }>

export function isResult(outcome: Outcome): outcome is Result {
  return outcome.outcome !== 'failed' && outcome.outcome !== 'asleep' && outcome.outcome !== 'unavailable'
}

/** A handler has come to something after its claim had ended: it is kept for the operator. */
export function keepLate(
  { clink, route, attempt }: RoutedFacts,
  outcome: Result,
  { clock, ledger }: WorkerContext,
): void {
  const starts = attempt ?? ledger.startsOf(clink.clink_id)
  void ledger.late.keep({ clink, route, attempt: starts, why: 'late', at: clock.wall(), ...keptOf(outcome) })
}

/** What is kept of an outcome that came too late. */
function keptOf(outcome: Result): Pick<LateResult, 'outcome' | 'response' | 'reason'> {
  switch (outcome.outcome) {
    case 'done':
      return outcome
    case 'reject':
    case 'release':
    case 'retry':
      return { outcome: outcome.outcome, ...(outcome.reason === undefined ? {} : { reason: outcome.reason }) }
  }
}
