import { systemBoot } from '../base/boot.ts'
import { sleep, systemClock } from '../base/clock.ts'
import { CodedError } from '../base/coded-error.ts'
import { humanDuration } from '../base/duration.ts'
import { wallNow } from '../base/host-time.ts'
import type { Act } from '../ledger/audit.ts'
import type { LetterChange } from '../ledger/dead-letters.ts'
import { endOf, type Pause } from '../ledger/pauses.ts'
import { forgetGroups } from './failures.ts'
import type { Asked, Drained, LogLevel, Stopped, Wish } from './asked.ts'

/** How many dead letters are changed at once, in one commit. */
export const MOST = 500

/** Milliseconds that an operator waits for the store of a fleet. */
const PATIENCE = 1_000

/** @throws {CodedError} STATE_UNAVAILABLE where only its state is there. */
export function running({ worker }: Asked): NonNullable<Asked['worker']> {
  if (worker === undefined) throw new CodedError('STATE_UNAVAILABLE', 'no worker runs with this state directory')
  return worker
}

/** What is paused: each by its route, or null for everything. */
export interface Paused {
  readonly routes: readonly (string | null)[]
  /** The same of what only `resume --fleet` ends; left out: there is nothing. */
  readonly fleet?: readonly (string | null)[]
  /** False: the next worker of the state directory goes by it. */
  readonly isRunning: boolean
}

/** From now on nothing is taken: of a route, or at all. Where no worker runs, the next one takes nothing. */
export async function pause(wish: Wish & { readonly for?: number | undefined }, asked: Asked): Promise<Paused> {
  const { ledger, worker } = asked
  const { for: lasts, ...of } = wish
  mustBeRoute(of.route, asked)
  if (worker === undefined) {
    const [boot, wall] = [systemBoot(), wallNow()]
    const until = lasts === undefined ? {} : { until: endOf(lasts, boot, wall) }
    const { by, note, route } = of
    const kept = { ...(route !== undefined && { route }), by, ...(note !== undefined && { note }) }
    await ledger.pauses.set({ ...kept, at: wall, ...until })
  } else await worker.pause(of, lasts)
  const outcome = lasts === undefined ? {} : { outcome: `for ${humanDuration(lasts)}` }
  await note(asked, { act: 'pause', ...wishOf(of), ...outcome })
  mustBeKept(asked, 'it is paused, and the journal cannot be written: after a restart it would not be')
  return await paused(asked)
}

/** @throws {CodedError} USAGE where the worker that runs has none of that name. */
function mustBeRoute(name: string | undefined, { worker }: Asked): void {
  if (name === undefined || worker === undefined || worker.routes.includes(name)) return
  throw noRoute(name, worker.routes)
}

export function noRoute(name: string, routes: readonly string[]): CodedError {
  return new CodedError('USAGE', `there is no route ${JSON.stringify(name)}; there are: ${routes.join(', ')}`)
}

/** A route that is paused can be resumed though it is there no more. */
export async function resume(wish: Wish, asked: Asked): Promise<Paused & { readonly was: boolean }> {
  const { ledger, worker } = asked
  const { route } = wish
  const was = worker === undefined ? ledger.pauses.of(route) !== undefined : await worker.resume(route)
  if (worker === undefined) await ledger.pauses.end(route)
  const now = await paused(asked)
  if (!was && now.fleet?.includes(route ?? null) !== true) mustBeRoute(route, asked)
  if (was) await note(asked, { act: 'resume', ...wishOf(wish) })
  mustBeKept(asked, 'it goes on, and the journal cannot be written: after a restart it would be paused')
  return { ...now, was }
}

/** Of the fleet as it is now, as far as its store answers at once: what the worker saw last may be some seconds old. */
async function paused({ fleet: store, ledger, worker }: Asked): Promise<Paused> {
  const { fleetPauses, pauses } = ledger
  const over = new AbortController()
  await Promise.race([store?.lookAgain(), sleep(systemClock(), PATIENCE, over.signal)])
  over.abort()
  const routesOf = (all: readonly Pick<Pause, 'route'>[]) => all.map(({ route }) => route ?? null)
  const fleet = routesOf(fleetPauses?.seen.list() ?? fleetPauses?.kept.all() ?? [])
  return { routes: routesOf(pauses.all()), ...(fleet.length > 0 && { fleet }), isRunning: worker !== undefined }
}

export async function drain(wish: Wish, asked: Asked): Promise<Drained> {
  const worker = running(asked)
  worker.drain(wish)
  await note(asked, { act: 'drain', ...wishOf(wish) })
  return worker.drained()
}

/** It is written down before the worker goes. */
export async function stop(wish: Wish, asked: Asked): Promise<void> {
  const worker = running(asked)
  await note(asked, { act: 'stop', ...wishOf(wish) })
  worker.stop(`${wish.by} asked for it${wish.note === undefined ? '' : `: ${wish.note}`}`)
}

/** @throws {CodedError} STATE_UNAVAILABLE where no stop has begun. */
export async function stoppedOf(asked: Asked): Promise<Stopped> {
  const stopped = running(asked).stopped()
  if (stopped === undefined) throw new CodedError('STATE_UNAVAILABLE', 'no stop has begun')
  return await stopped
}

export async function cancel(
  { id, to, ...wish }: Wish & { readonly id: string; readonly to: 'release' | 'reject' },
  asked: Asked,
): Promise<'aborted' | 'waited' | 'late' | 'unknown'> {
  const { by, note: why } = wish
  const outcome = running(asked).cancel(id, to, `cancelled by ${by}${why === undefined ? '' : `: ${why}`}`)
  if (outcome !== 'unknown')
    await note(asked, { act: 'cancel', ...wishOf(wish), about: id, outcome: `${outcome} (${to})` })
  return outcome
}

export async function reload(
  wish: Wish,
  asked: Asked,
): Promise<{ problem: string | null; restart: readonly string[]; kept: readonly string[] }> {
  const worker = running(asked)
  const { problem = null, restart } = await worker.reload()
  const outcome = problem === null ? {} : { outcome: problem.replaceAll('\n', '; ') }
  await note(asked, { act: 'reload', ...wishOf(wish), ...outcome })
  const paused = asked.ledger.pauses.all().flatMap(({ route }) => route ?? [])
  return { problem, restart, kept: paused.filter((route) => !worker.routes.includes(route)) }
}

export async function setLogLevel(
  { for: lasts, level, ...wish }: Wish & { readonly level: LogLevel; readonly for?: number | undefined },
  asked: Asked,
): Promise<void> {
  running(asked).logLevel(level, lasts)
  const outcome = lasts === undefined ? {} : { outcome: `for ${humanDuration(lasts)}` }
  await note(asked, { act: 'log-level', ...wishOf(wish), about: level, ...outcome })
}

/** @throws {CodedError} STATE_UNAVAILABLE when it cannot be written. */
export async function changeLetters(
  what: 'retry' | 'discard',
  { ids, matching, ...wish }: Wish & { readonly ids: readonly string[]; readonly matching?: string | undefined },
  asked: Asked,
): Promise<LetterChange[]> {
  const { ledger, worker } = asked
  const isAway = (): boolean => ledger.isKept() && !ledger.isHealthy
  // It may be back before it is noted who has asked.
  let wasAway = isAway()
  const changes = await Promise.all(
    ids.map(async (id) => {
      const change = what === 'retry' ? await ledger.retry(id) : await ledger.discard(id)
      wasAway ||= isAway()
      if (what === 'retry' && (change === 'done' || change === 'rerun')) worker?.retried(id)
      return change
    }),
  )
  forgetGroups(ledger)
  const count = changes.filter((change) => change !== 'unknown').length
  const [first = ''] = ids
  const which = ids.length === 1 ? first : `${count} dead letters`
  const about = matching === undefined ? which : `${which} (${matching})`
  if (count > 0) await note(asked, { act: what, ...wishOf(wish), about })
  mustBeKept(asked, 'the journal cannot be written, so that this may be forgotten')
  if (wasAway || isAway()) throw new CodedError('STATE_UNAVAILABLE', count > 0 ? STORE_AWAY : UNKNOWN_AWAY)
  return changes
}

function wishOf({ by, note, route }: Wish): Omit<Act, 'act' | 'at'> {
  const about = route === undefined ? {} : { about: `the route ${route}` }
  return { by, ...about, ...(note !== undefined && { note }) }
}

async function note({ ledger, worker }: Asked, act: Omit<Act, 'at'>): Promise<void> {
  await ledger.audit.note(act)
  worker?.acted(act)
}

const STORE_AWAY =
  'the shared store is away: this is noted here, the other workers are told of it when the store is back, and what they have done meanwhile may undo it'

const UNKNOWN_AWAY =
  'the shared store is away, and this worker knows nothing of that: nothing was changed; ask again when the store is back'

function mustBeKept({ ledger }: Asked, problem: string): void {
  if (!ledger.isKept()) throw new CodedError('STATE_UNAVAILABLE', problem)
}
