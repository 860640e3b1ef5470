import { randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { MEMBER } from '../ledger/fleet.ts'
import type { LedgerTables } from '../ledger/tables.ts'
import { FleetLedger } from './fleet-ledger.ts'
import type { SharedStore } from './store.ts'

export interface JoinOptions {
  readonly fleet: string
  /** The name of this machine. */
  readonly machine?: string
  readonly clock: Clock
  readonly onHealth: (problem: string | undefined) => void
  /** The shared store, as this member uses it. */
  readonly storeOf: (member: string) => SharedStore
}

/**
 * Makes a state directory a member of a fleet. A directory that is a copy is another member: what it says of clinks was told by the one that it was copied
 * from, and counts once.
 *
 * @param isOurs false: the directory is a copy.
 */
export function joinFleet(
  { clock, fleet, machine = '', onHealth, storeOf }: JoinOptions,
  local: LedgerTables,
  isOurs: boolean,
): FleetLedger {
  const kept = isOurs ? local.facts.get(MEMBER) : undefined
  const member = kept ?? randomBytes(8).toString('hex')
  if (kept === undefined) void local.facts.set(MEMBER, member)
  return new FleetLedger({
    local,
    store: storeOf(member),
    clock,
    member,
    machine,
    name: fleet,
    isCopy: !isOurs,
    onHealth,
  })
}
