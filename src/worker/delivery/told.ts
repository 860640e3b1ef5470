import type { DeliveryFacts, WorkerEvent } from '../../events.ts'
import type { Handle, Settled } from './handle.ts'

/**
 * What is said of how a clink in hand has ended. Undefined: nothing, since the worker names what it leaves behind, and a letter says
 * itself what became of it.
 *
 * @param ranFor milliseconds of its handler: how long a clink took is that, and how long Clink took to be told.
 */
export function endOf(settled: Settled, facts: DeliveryFacts, ranFor = 0): WorkerEvent | undefined {
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
    case 'unconfirmed':
    case 'kept':
      return undefined
  }
}

/** @param waited milliseconds that the clink waited for this start. */
export function startOf({ facts, of }: Pick<Handle, 'facts' | 'of'>, waited: number): WorkerEvent {
  if (of === 'letter') return { event: 'clink.rerun', ...facts, step: 'run' }
  return { event: 'clink.started', ...facts, waited }
}

const WHILE_TELLING = 'while Clink was being told about the result; it may have taken it'
