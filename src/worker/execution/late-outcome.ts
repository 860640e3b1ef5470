import { cutText, LONGEST } from '../../base/cut-text.ts'
import type { RoutedFacts } from '../../events.ts'
import type { LateResult } from '../../ledger/late-results.ts'
import type { HandlerOutcome } from './outcome.ts'
import type { WorkerContext } from '../context.ts'

type Ending = Exclude<HandlerOutcome, { outcome: 'failed' }>

/** A handler has come to something after its claim had ended: it is kept for the operator. */
export function keepLate(facts: RoutedFacts, outcome: Ending, context: WorkerContext): void {
  keep(facts, 'late', outcome, context)
}

/** Somebody else has settled the clink: what was to be sent is kept for the operator, and costs no attempt. */
export function keepUnsent(facts: RoutedFacts, context: WorkerContext): void {
  // The operator has the letter.
  void context.ledger.letters.noticed(facts.clink.clink_id)
  const result = context.ledger.keptResult(facts.clink)
  if (result === undefined) return
  const { response } = result
  keep(facts, 'elsewhere', { outcome: 'done', ...(response === undefined ? {} : { response }) }, context)
  void context.ledger.takeBackAttempt(facts.clink.clink_id)
}

function keep(
  { clink, route, attempt }: RoutedFacts,
  why: LateResult['why'],
  outcome: Ending,
  { clock, ledger }: WorkerContext,
): void {
  const starts = attempt ?? ledger.startsOf(clink.clink_id)
  void ledger.late.keep({ clink, route, attempt: starts, why, at: clock.wall(), ...keptOf(outcome) })
}

/** What is kept of an outcome that came too late. */
function keptOf(outcome: Ending): Pick<LateResult, 'outcome' | 'response' | 'reason'> {
  switch (outcome.outcome) {
    case 'done':
      if (outcome.response === undefined) return outcome
      return { ...outcome, response: cutText(outcome.response, LONGEST.result) }
    case 'reject':
    case 'release':
    case 'retry':
      return { outcome: outcome.outcome, ...(outcome.reason === undefined ? {} : { reason: outcome.reason }) }
  }
}
