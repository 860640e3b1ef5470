import { hostname } from 'node:os'
import { systemClock } from '../base/clock.ts'
import { asError } from '../base/coded-error.ts'
import type { Secret } from '../base/secret.ts'
import type { LedgerTables } from '../ledger/tables.ts'
import type { FleetLedger } from './fleet-ledger.ts'
import { joinFleet } from './join.ts'
import type { Member } from './members.ts'
import { PostgresStore } from './postgres.ts'

export interface OpenFleetOptions {
  readonly url: Secret
  readonly fleet: string
  /** Of this program. */
  readonly version: string
  readonly onHealth: (problem: string | undefined) => void
}

/** Of whoever looks at a fleet and is none of it. */
const NOBODY = { fleet: '', member: '', version: '' }

/** Makes a state directory a member of a fleet in PostgreSQL. @param isOurs false: the directory is a copy. */
export function openFleet(
  { fleet, onHealth, url, version }: OpenFleetOptions,
  local: LedgerTables,
  isOurs: boolean,
): FleetLedger {
  const storeOf = (member: string): PostgresStore =>
    new PostgresStore({ url, fleet, member, version, name: hostname() })
  return joinFleet({ fleet, clock: systemClock(), onHealth, storeOf }, local, isOurs)
}

/**
 * @param isAsked whether it is looked at, or only named.
 * @returns where it is, and what is there, for people.
 * @throws {Error} for people, when it cannot be reached.
 */
export async function probeStore(url: Secret, isAsked: boolean): Promise<string> {
  const store = new PostgresStore({ ...NOBODY, url, name: hostname() })
  try {
    if (!isAsked) return store.place
    const version = await store.look()
    return `${store.place} answers${version === 0 ? ', and holds nothing yet' : ''}`
  } catch (error) {
    throw new Error(`${store.place}: ${asError(error).message}`, { cause: error })
  } finally {
    await store.close()
  }
}

/**
 * The workers of a fleet, and where it remembers.
 *
 * @throws {Error} for people, when the store cannot be reached.
 */
export async function membersOf(
  url: Secret,
  fleet: string,
): Promise<{ readonly place: string; readonly members: readonly Member[] }> {
  const store = new PostgresStore({ ...NOBODY, url, fleet, name: hostname() })
  try {
    return { place: store.place, members: await store.members() }
  } catch (error) {
    throw new Error(`${store.place}: ${asError(error).message}`, { cause: error })
  } finally {
    await store.close()
  }
}
