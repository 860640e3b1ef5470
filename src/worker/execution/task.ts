import type { Clock } from '../../base/clock.ts'
import type { Clink } from '../../clink/records.ts'
import type { Memory } from '../../ledger/memory.ts'
import type { Config } from '../../config/config.ts'
import type { DeliveryFacts } from '../../events.ts'
import type { PlannedClink } from '../../handlers/policy.ts'
import type { Route } from '../../handlers/route.ts'
import type { Envelope } from '../../runners/envelope.ts'
import type { Task } from '../../runners/runner.ts'
import { hopsOf, readText } from '../replies/hops.ts'
import type { ExecutionContext } from './context.ts'
import { Services, type Served, type ServedRun } from './task-services.ts'

/** A clink in hand, as far as starts of its handler need it. */
export interface ClinkInHand extends Served {
  readonly memory: Memory
  /** Whether it is still ours. Only answers, by the clock as it is now. */
  valid(): boolean
  /** Ends a claim that is past its deadline as lost, even where its timer is late. @returns whether something may be done with it. */
  check(): boolean
  /**
   * Journals that its handler is about to start.
   *
   * @param isAlone nothing runs beside it.
   * @returns the number of the start, from 1.
   */
  begin(isAlone: boolean): Promise<number>
}

/** What a runner is given for one start. */
export function taskOf(
  inHand: ClinkInHand,
  planned: PlannedClink,
  facts: Required<DeliveryFacts>,
  context: ExecutionContext,
  run: ServedRun,
): Omit<Task, 'signals'> & { readonly services: Services } {
  const { clink, key } = inHand
  const { clock, settings } = context
  const { route } = planned
  return {
    target: route.target,
    envelope: envelopeOf(clink, planned, facts.attempt, { clock, config: settings.current }),
    env: environmentOf(route, key.key.reveal(), settings.current.clink.url),
    services: new Services(inHand, route, facts, context, run),
  }
}

/** What a handler that starts now is told. */
export function envelopeOf(
  clink: Clink,
  { match, policy, route }: PlannedClink,
  attempt: number,
  { clock, config }: { readonly clock: Clock; readonly config: Config },
): Envelope {
  const { ending, text } = readText(clink.content, config.replies.mark)
  return {
    clink: { ...clink, content: text },
    attempt,
    hops: hopsOf(ending),
    deadline: clock.wall() + policy.timeout,
    idempotencyKey: clink.clink_id,
    match,
    with: route.with,
  }
}

export function environmentOf({ passKey }: Route, key: string, url: string): Record<string, string> {
  return passKey === true ? { CLINK_API_KEY: key, CLINK_API_URL: url } : {}
}
