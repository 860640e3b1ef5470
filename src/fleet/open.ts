import { hostname } from 'node:os'
import { systemClock } from '../base/clock.ts'
import { asError, CodedError } from '../base/coded-error.ts'
import { wallNow } from '../base/host-time.ts'
import type { Secret } from '../base/secret.ts'
import type { Act } from '../ledger/audit.ts'
import { isKnownAbsent, type FleetView } from '../ledger/fleet.ts'
import type { LedgerTables } from '../ledger/tables.ts'
import type { FleetLedger } from './fleet-ledger.ts'
import { joinFleet } from './join.ts'
import type { KeptFleetPause } from './pauses.ts'
import { PostgresStore } from './postgres.ts'

export interface OpenFleetOptions {
  readonly url: Secret
  readonly fleet: string
  /** Of this program. */
  readonly version: string
  readonly onHealth: (problem: string | undefined) => void
}

/** Without a pause it is one that ends: of a route, or of everything. */
export interface PauseChange {
  readonly pause?: KeptFleetPause
  readonly route?: string | undefined
  readonly act: Omit<Act, 'at'>
}

export interface ChangedPauses {
  /** There was something to end. */
  readonly was: boolean
  /** What is paused now: each by its route, or null for everything. */
  readonly routes: readonly (string | null)[]
}

/** Makes a state directory a member of a fleet in PostgreSQL. @param isOurs false: the directory is a copy. */
export function openFleet(
  { fleet, onHealth, url, version }: OpenFleetOptions,
  local: LedgerTables,
  isOurs: boolean,
): FleetLedger {
  const machine = hostname()
  const storeOf = (member: string): PostgresStore => new PostgresStore({ url, fleet, member, version, name: machine })
  return joinFleet({ fleet, machine, clock: systemClock(), onHealth, storeOf }, local, isOurs)
}

/**
 * @param isAsked whether it is looked at, or only named.
 * @returns where it is, and what is there, for people.
 * @throws {CodedError} STATE_UNAVAILABLE, for people.
 */
export async function probeStore(url: Secret, isAsked: boolean): Promise<string> {
  return await visit(url, '', async (store) => {
    if (!isAsked) return store.place
    return `${store.place} answers${(await store.look(true)) ? '' : ', and holds nothing yet'}`
  })
}

/**
 * Looks at a fleet as nobody's member.
 *
 * @throws {CodedError} STATE_UNAVAILABLE, for people.
 */
export async function membersOf(url: Secret, fleet: string): Promise<FleetView> {
  return await visit(url, fleet, async (store) => {
    const members = await store.members()
    return { fleet, place: store.place, members, pauses: (await store.look()) ? await store.pauses() : [] }
  })
}

/**
 * Pauses a fleet, or ends that, as nobody's member; and what is told of it to whoever looks at what operators did.
 *
 * @throws {CodedError} STATE_UNAVAILABLE, for people; USAGE where nobody of the fleet has the route.
 */
export async function changePauses(url: Secret, fleet: string, change: PauseChange): Promise<ChangedPauses> {
  return await visit(url, fleet, async (store) => {
    // A fleet can be paused before its first member starts, as a worker can.
    if (!(await store.look())) {
      if (change.pause === undefined)
        throw new Error('it holds nothing yet, so nothing is paused: no worker of a fleet has been there')
      await store.make()
    }
    const at = wallNow()
    const act = { id: `${at} 1 ${process.pid}`, row: JSON.stringify({ ...change.act, at }) }
    if (change.pause !== undefined) await checkRoute(store, change.pause.route)
    const was = change.pause === undefined ? await store.resume(change.route, act) : true
    // One that is paused can be resumed though nobody has it any more.
    if (!was) await checkRoute(store, change.route)
    if (change.pause !== undefined) await store.pause(change.pause, act)
    const routes = (await store.pauses()).map(({ route }) => route ?? null)
    return { was, routes }
  })
}

/** A route that all who are there would have to have, and none has, is misspelt. */
async function checkRoute(store: PostgresStore, route: string | undefined): Promise<void> {
  const members = await store.members()
  if (route === undefined || !isKnownAbsent(route, members)) return
  const there = members.filter(({ isSilent }) => !isSilent)
  const known = new Set(there.flatMap(({ signs }) => signs?.routes.map(({ name }) => name) ?? []))
  const routes = [...known].toSorted().join(', ')
  throw new CodedError('USAGE', `no worker of the fleet has a route ${JSON.stringify(route)}; there are: ${routes}`)
}

/** Looks at a store as nobody's member. */
async function visit<T>(url: Secret, fleet: string, look: (store: PostgresStore) => Promise<T>): Promise<T> {
  const store = new PostgresStore({ url, fleet, member: '', version: '', name: hostname() })
  try {
    return await look(store)
  } catch (error) {
    if (error instanceof CodedError) throw error
    throw new CodedError('STATE_UNAVAILABLE', `${store.place}: ${asError(error).message}`, { cause: error })
  } finally {
    await store.close()
  }
}
