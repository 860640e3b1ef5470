import type { DeliveryFacts, WorkerEvent } from '../../events.ts'
import type { WorkerContext } from '../context.ts'
import type { Decision } from '../execution/outcome.ts'
import type { Start } from '../execution/start.ts'
import type { Handle, Settled } from './handle.ts'

type Tellers = Pick<WorkerContext, 'emit' | 'signals'>

/**
 * Tells Clink what was decided. A clink that may not back off in hand is left alone as long as it would have.
 *
 * @param decision undefined: a stop has cut the run short, which costs no attempt.
 */
export function settleBy(
  decision: Decision | undefined,
  handle: Handle,
  start: Start | undefined,
  isStopping: boolean,
): Promise<Settled> {
  switch (decision?.do) {
    case undefined:
      return handle.release('shutdown', { noted: start?.takeBack() })
    case 'complete':
      return handle.complete(decision.response)
    case 'release': {
      const { cooldown, reason, why } = decision
      return handle.release(why, { reason, cooldown, noted: start?.charge(decision) })
    }
    case 'hold': {
      const { wait: cooldown, why: reason } = decision
      const noted = start?.charge(decision)
      return handle.release(isStopping ? 'shutdown' : 'too-many-held', { reason, cooldown, noted })
    }
    case 'deadLetter':
      return handle.giveUp(decision)
  }
}

/** Of a clink that waits, and will not start. @param cancelled what an operator wants instead of what a stop does. */
export function settleWaiting(
  handle: Handle,
  cooldown: number | undefined,
  cancelled: Decision | undefined,
): Promise<Settled> {
  if (cancelled !== undefined) return settleBy(cancelled, handle, undefined, false)
  return handle.hasKept ? handle.completeKept() : handle.release('shutdown', { cooldown })
}

/**
 * Says how a clink in hand has ended. An end that is not known is none, since the worker names what it leaves behind, and a letter says
 * itself what became of it.
 *
 * @param ranFor milliseconds of its handler: how long a clink took is that, and how long Clink took to be told.
 */
export function tellEnd(settled: Settled, facts: DeliveryFacts, { emit, signals }: Tellers, ranFor = 0): void {
  if (settled.is === 'unconfirmed' || settled.is === 'kept') return
  emit(endOf(settled, facts, ranFor))
  signals.settled.say(facts.clink, settled)
}

/** @param waited milliseconds that the clink waited for this start. */
export function tellStart(
  { facts, of }: Pick<Handle, 'facts' | 'of'>,
  waited: number,
  { emit, signals }: Tellers,
): void {
  emit(of === 'letter' ? { event: 'clink.rerun', ...facts, step: 'run' } : { event: 'clink.started', ...facts, waited })
  if (of === 'claim') signals.started.say()
}

function endOf(
  settled: Exclude<Settled, { is: 'unconfirmed' | 'kept' }>,
  facts: DeliveryFacts,
  ranFor: number,
): WorkerEvent {
  switch (settled.is) {
    case 'completed': {
      const { is: _, duration, ...rest } = settled
      return { event: 'clink.completed', ...facts, ...rest, duration: duration + ranFor }
    }
    case 'released': {
      const { is: _, ...rest } = settled
      return { event: 'clink.released', ...facts, ...rest }
    }
    case 'elsewhere':
      return { event: 'clink.settledElsewhere', ...facts, detail: settled.detail }
    case 'left-to-expire':
      return { event: 'clink.leftToExpire', ...facts, why: settled.why }
    case 'lost': {
      const detail = settled.whileTelling ? { detail: WHILE_TELLING } : {}
      return { event: 'clink.lost', ...facts, cause: settled.cause, ...detail }
    }
  }
}

const WHILE_TELLING = 'while Clink was being told about the result; it may have taken it'
