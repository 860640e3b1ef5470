import { hostname } from 'node:os'
import { systemClock } from '../base/clock.ts'
import { asError, CodedError } from '../base/coded-error.ts'
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
 * @throws {CodedError} STATE_UNAVAILABLE, for people.
 */
export async function probeStore(url: Secret, isAsked: boolean): Promise<string> {
  return await visit(url, '', async (store) => {
    if (!isAsked) return store.place
    return `${store.place} answers${(await store.look()) ? '' : ', and holds nothing yet'}`
  })
}

/**
 * The workers of a fleet, and where it remembers.
 *
 * @throws {CodedError} STATE_UNAVAILABLE, for people.
 */
export async function membersOf(
  url: Secret,
  fleet: string,
): Promise<{ readonly place: string; readonly members: readonly Member[] }> {
  return await visit(url, fleet, async (store) => ({ place: store.place, members: await store.members() }))
}

/** Looks at a store as nobody's member. */
async function visit<T>(url: Secret, fleet: string, look: (store: PostgresStore) => Promise<T>): Promise<T> {
  const store = new PostgresStore({ url, fleet, member: '', version: '', name: hostname() })
  try {
    return await look(store)
  } catch (error) {
    throw new CodedError('STATE_UNAVAILABLE', `${store.place}: ${asError(error).message}`, { cause: error })
  } finally {
    await store.close()
  }
}
