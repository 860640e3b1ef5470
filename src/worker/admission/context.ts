import type { Router } from '../../handlers/route.ts'
import type { Capacity } from '../capacity/capacity.ts'
import type { Pauses } from '../capacity/pauses.ts'
import type { DeliveryParts } from '../delivery/context.ts'
import type { ExecutionContext } from '../execution/context.ts'
import type { SettlementContext } from '../settlement/context.ts'
import type { NameWarnings } from './name-warnings.ts'
import type { Scope } from './scope.ts'

/** What judging a clink takes beside what working it does. */
export interface AdmissionContext extends ExecutionContext, SettlementContext {
  readonly nameWarnings: NameWarnings
  readonly router: Router
  readonly scope: Scope
}

export interface AdmissionParts extends DeliveryParts {
  readonly context: AdmissionContext
  readonly capacity: Capacity
  readonly pauses: Pauses
}
