import type { Deliveries } from './delivery/deliveries.ts'

/**
 * What became of a wish to cancel a clink. `aborted`: its handler is told, and what follows comes when that has ended; `waited`: it did not run,
 * and is given back, or given up, at once; `late`: it has come to something, of which Clink is being told; `unknown`: it is not in hand.
 */
export type Cancelled = 'aborted' | 'waited' | 'late' | 'unknown'

/** @param reason for people: who wants it, and why. */
export function cancel(
  clinkId: string,
  to: 'release' | 'reject',
  reason: string,
  deliveries: Pick<Deliveries, 'withClaimOn'>,
): Cancelled {
  const delivery = deliveries.withClaimOn(clinkId)
  if (delivery === undefined) return 'unknown'
  const isRunning = delivery.state === 'running'
  if (!delivery.cancel(to, reason)) return 'late'
  return isRunning ? 'aborted' : 'waited'
}
