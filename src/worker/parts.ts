import { Acknowledgements } from './admission/acknowledgements.ts'
import { Batch } from './claiming/batch.ts'
import { Deliveries } from './delivery/deliveries.ts'
import { HeldBefore } from './claiming/held-before.ts'
import { Intake } from './admission/intake.ts'
import { Parked } from './admission/parked.ts'
import { InboxWatch } from './claiming/inbox-watch.ts'
import { Poller } from './claiming/poller.ts'
import { Reruns } from './rerun/reruns.ts'
import { CircuitBreaker } from './capacity/circuit-breaker.ts'
import { Pauses } from './capacity/pauses.ts'
import { Quota } from './capacity/quota.ts'
import { RunRegister } from './execution/run-register.ts'
import { Select } from './claiming/select.ts'
import { Capacity } from './capacity/capacity.ts'
import { Standstill } from './liveness/standstill.ts'
import { Ways } from './claiming/ways.ts'
import { LostClaims } from './claiming/lost-claims.ts'
import { UnsentResults } from './delivery/unsent-results.ts'
import { Undecided } from './admission/undecided.ts'
import type { AdmissionContext, AdmissionParts } from './admission/context.ts'

export type WorkerParts = ReturnType<typeof makeParts>

/** The parts of one worker: those first that others ask. */
export function makeParts(context: AdmissionContext, isOnce: boolean, most?: number) {
  const { clock, emit, router, signals } = context
  const deliveries = new Deliveries(context)
  const unsent = new UnsentResults(deliveries, context)
  const clinksHere = isOnce ? deliveries : undefined
  const health = new CircuitBreaker({ ...context, clinksHere, look: signals.look })
  const pauses = new Pauses(context)
  const quota = new Quota(most, deliveries)
  const capacity = new Capacity({ context, router, health, pauses, quota, inHand: deliveries })
  const runs = new RunRegister(new Standstill(clock, emit))
  const shared: AdmissionParts = { context, capacity, runs, health, pauses }
  const reruns = new Reruns({ ...shared, deliveries })
  const parked = new Parked(context, pauses, runs)
  const undecided = new Undecided(context, capacity)
  const acknowledgements = new Acknowledgements(shared, parked)
  const intake = new Intake(shared, { acknowledgements, deliveries, parked, undecided })
  const heldBefore = new HeldBefore(context)
  const lostClaims = new LostClaims(shared, intake, heldBefore)
  const batch = new Batch(shared, intake, lostClaims, heldBefore)
  const select = new Select(shared, intake)
  const ways = new Ways(shared, { batch, select, intake, parked })
  const poller = new Poller(shared, ways, unsent)
  const inboxWatch = new InboxWatch(context, poller)
  return {
    shared,
    deliveries,
    quota,
    reruns,
    parked,
    undecided,
    acknowledgements,
    intake,
    lostClaims,
    select,
    ways,
    poller,
    inboxWatch,
    unsent,
  }
}
