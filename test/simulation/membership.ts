import type { Clock } from '../../src/base/clock.ts'
import type { FleetLedger } from '../../src/fleet/fleet-ledger.ts'
import { joinFleet } from '../../src/fleet/join.ts'
import type { SharedStore } from '../../src/fleet/store.ts'
import type { LedgerTables } from '../../src/ledger/ledger.ts'
import type { Record } from './record.ts'
import type { MemberParts, SimulatedStore } from './shared-store.ts'

export interface MembershipParts extends MemberParts {
  readonly clock: Clock
  readonly record: Record
  readonly shared: SimulatedStore
  /** To break it on purpose. */
  readonly broken: (real: SharedStore) => SharedStore
}

/** A process as a member of a fleet, from its start to its end, as a worker does it. */
export function joinSimulated(parts: MembershipParts, local: LedgerTables): FleetLedger {
  const { broken, clock, life, record, shared } = parts
  const said = (problem: string | undefined): void =>
    record.say(life, problem === undefined ? '* store.recovered' : `* store.failed ${problem}`)
  const storeOf = (member: string): SharedStore => broken(shared.for(member, parts))
  return joinFleet({ fleet: 'simulated', clock, onHealth: said, storeOf }, local, true)
}
