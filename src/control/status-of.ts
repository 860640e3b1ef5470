import { isoTime } from '../base/time-text.ts'
import type { Membership } from '../ledger/fleet.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Liveness } from '../worker/liveness/liveness.ts'
import type { Readiness } from '../worker/liveness/readiness.ts'
import { CHECK, failedReload, unusedKey } from './failed-reload.ts'
import { pauseText } from './pause-text.ts'
import { resumeCommand } from './resume-command.ts'
import type { Status } from './status.ts'

/** One clink in hand. */
type Delivery = Status['deliveries'][number]

/** The worker at one moment, as it knows itself. Times in wall milliseconds. */
export interface StatusFacts extends Pick<
  Status,
  'slots' | 'claims' | 'inbox' | 'key' | 'identity' | 'leases' | 'notWorked' | 'server' | 'siblings' | 'totals'
> {
  readonly worker: Omit<Status['worker'], 'startedAt'> & { readonly startedAt: number }
  readonly isStopping: boolean
  /** It takes nothing, and nothing is in hand. */
  readonly isDrained: boolean
  readonly readiness: Readiness
  readonly liveness: Liveness
  readonly counts: Omit<Status['counts'], 'deadLetters' | 'failing' | 'lateResults'>
  readonly routes: Status['routes']
  readonly deliveries: readonly Delivery[]
  readonly pauses: readonly (Omit<Status['pauses'][number], 'since'> & { readonly since: number })[]
  readonly reload: { readonly problem: string; readonly since: number } | null
  readonly draining: (Omit<NonNullable<Status['draining']>, 'since'> & { readonly since: number }) | null
  readonly parked: readonly { readonly why: string }[]
  /** Why the worker looks for the clink that ends its process; null: it does not. */
  readonly search: string | null
  /** Whether the log of a clink has anything of this process. */
  readonly hasLog: (clinkId: string) => boolean
  readonly leftAlone: ReadonlyMap<string, number>
}

/** What a worker remembers, and with whom. */
interface Remembering {
  readonly ledger: Ledger
  readonly fleet?: Membership | undefined
}

/** More clinks than this are not told one by one. */
const TOLD = 200

export function statusOf(facts: StatusFacts, { fleet, ledger }: Remembering): Status {
  const {
    deliveries,
    draining,
    hasLog: _,
    isDrained: __,
    isStopping: ___,
    leftAlone,
    liveness,
    notWorked,
    parked,
    pauses,
    readiness,
    reload,
    search: ____,
    worker,
    ...rest
  } = facts
  const first = deliveries.toSorted((one, other) => rank(one) - rank(other) || other.for - one.for)
  const letters = ledger.letters.count
  const failing = notWorked.reduce((sum, { count, why }) => sum + (why === 'failing' ? count : 0), 0)
  const counts = { ...facts.counts, failing, deadLetters: letters, lateResults: ledger.late.size }
  const held = deliveries.flatMap(({ due, state, why }) =>
    due === null ? [] : [state === 'asleep' ? 'asleep' : (why ?? '')],
  )
  return {
    version: 1,
    ...rest,
    worker: { ...worker, startedAt: isoTime(worker.startedAt) },
    fleet: fleet === undefined ? null : { name: fleet.name, member: fleet.member, machine: fleet.machine },
    reload: reload && { ...reload, since: isoTime(reload.since) },
    state: stateOf(facts),
    ready: readiness.ready,
    alive: liveness.alive,
    reasons: [...liveness.reasons, ...readiness.reasons],
    next: nextOf(facts, letters),
    counts,
    notWorked,
    pauses: pauses.map((one) => ({ ...one, since: isoTime(one.since) })),
    draining: draining && { ...draining, since: isoTime(draining.since) },
    deliveries: first.slice(0, TOLD),
    deliveriesLeftOut: Math.max(0, first.length - TOLD),
    held: byWhy(held),
    parked: byWhy(parked.map(({ why }) => why)),
    leftAlone: [...leftAlone].map(([why, count]) => ({ why, count })).toSorted((a, b) => b.count - a.count),
  }
}

/** What has a handler that runs comes first, then what is about to start or being settled, then what waits. */
function rank({ due, state }: Delivery): number {
  if (state === 'running' || state === 'lost') return 0
  return due === null ? 1 : 2
}

function stateOf({ counts, draining, isDrained, isStopping, pauses, readiness }: StatusFacts): Status['state'] {
  if (isStopping) return 'stopping'
  if (draining !== null) return isDrained ? 'drained' : 'draining'
  if (pauses.some(({ route }) => route === null)) return 'paused'
  if (!readiness.ready) return 'not-ready'
  const { held, queued, running, settling } = counts
  return running + queued + held + settling > 0 ? 'working' : 'idle'
}

/** What keeps it from working comes first, then what keeps a route from it, then what waits for a person. */
function nextOf(facts: StatusFacts, letters: number): Status['next'] {
  const { counts, deliveries, draining, isStopping, key, liveness, pauses, readiness, reload, routes, search, slots } =
    facts
  const [notAlive] = liveness.reasons
  const [notReady] = readiness.reasons
  if (isStopping) return { why: 'the worker is stopping', command: null }
  if (notAlive !== undefined) return { why: notAlive, command: 'clink-worker stop' }
  const isHeld = draining !== null || pauses.some(({ route }) => route === null)
  if (isHeld) {
    const isOwn = draining !== null || pauses.some(({ isFleet, route }) => route === null && !isFleet)
    return { why: notReady ?? '', command: resumeCommand(null, !isOwn) }
  }
  if (key.refusal !== null) return { why: key.refusal, command: 'clink-worker check --online' }
  const kept = pauses.find(({ hasRoute, isFleet }) => !hasRoute && !isFleet)
  const failing = routes.find(({ waits }) => waits.includes('failing'))
  const stopped = routes.find(({ waits }) => waits.includes('operator'))
  if (stopped !== undefined && (notReady === undefined || failing === undefined)) {
    const [pause] = pauses.filter(({ route }) => route === stopped.name)
    const isFleet = pause?.isFleet === true
    const why = notReady ?? (pause === undefined ? `the route ${stopped.name} is paused` : pauseText(pause))
    return { why, command: resumeCommand(stopped.name, isFleet) }
  }
  if (failing !== undefined && notReady !== undefined) {
    const held = deliveries.filter(({ due, route }) => route === failing.name && due !== null)
    return { why: notReady, command: logOf(facts, [failing.lastFailure, ...held]) }
  }
  if (notReady !== undefined && notReady === search) {
    const alone = deliveries.filter(({ state }) => state === 'running')
    return { why: notReady, command: logOf(facts, alone) }
  }
  if (notReady !== undefined) return { why: notReady, command: 'clink-worker check --online' }
  const stuck = deliveries.find(({ isStuck }) => isStuck)
  if (stuck !== undefined)
    return {
      why: `the handler of ${stuck.id} ignores its abort, and keeps its slot`,
      command: logOf(facts, [stuck]),
    }
  if (reload !== null) return { why: failedReload(reload), command: CHECK }
  const unused = unusedKey(key)
  if (unused !== null) return unused
  if (slots.taken >= slots.total && counts.running > 0)
    return { why: `all ${slots.total} slots are taken (concurrency)`, command: null }
  if (kept !== undefined) return { why: pauseText(kept), command: resumeCommand(kept.route, false) }
  if (letters === 0) return null
  const were = letters === 1 ? 'one clink was' : `${letters} clinks were`
  return { why: `${were} given up`, command: 'clink-worker failed list' }
}

/** The log of the first of these clinks that has one: a command that shows nothing helps nobody. */
function logOf({ hasLog }: StatusFacts, clinks: readonly ({ readonly id: string } | null)[]): string | null {
  const found = clinks.find((one) => one !== null && hasLog(one.id))
  return found === undefined || found === null ? null : `clink-worker logs ${found.id}`
}

function byWhy(whys: readonly string[]): { why: string; count: number }[] {
  const counts = new Map<string, number>()
  for (const why of whys) counts.set(why, (counts.get(why) ?? 0) + 1)
  return [...counts].map(([why, count]) => ({ why, count })).toSorted((a, b) => b.count - a.count)
}
