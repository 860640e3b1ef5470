import { steadyOf } from '../base/clock.ts'
import type { Clink } from '../clink/records.ts'
import type { InboxCount, Waiting } from './claiming/inbox-watch.ts'
import type { Route } from '../handlers/route.ts'
import { PAUSED } from './delivery/backoff.ts'
import type { Delivery } from './delivery/delivery.ts'
import type { WorkerParts } from './parts.ts'

/** Clinks that are not worked for one reason: of a route, of a sender, or of both where the reason is about both. */
export interface NotWorked {
  readonly route: string | null
  readonly sender: string | null
  /** A word: a limit, a wait, a setting, or as in `LeftAlone`. */
  readonly why: string
  /** Their claims are kept meanwhile, and run out. */
  readonly isParked: boolean
  readonly count: number
  /** Milliseconds until that may change by itself, for the first of them; null: nobody knows. */
  readonly left: number | null
}

type Reason = Pick<NotWorked, 'route' | 'sender' | 'why' | 'left'>

/** What waits and is not worked now, by route and sender, as far as the last look at the inbox and the claims in hand tell. The most of them first. */
export function notWorked(parts: WorkerParts, waiting: readonly Waiting[]): readonly NotWorked[] {
  const { deliveries, inboxWatch, parked, reruns } = parts
  const found = new Map<string, NotWorked>()
  const add = ({ left, ...reason }: Reason, isParked: boolean): void => {
    const key = JSON.stringify([reason.route, reason.sender, reason.why, isParked])
    const { count = 0, left: before = null } = found.get(key) ?? {}
    const first = Math.min(left ?? Infinity, before ?? Infinity)
    found.set(key, { ...reason, isParked, count: count + 1, left: first === Infinity ? null : Math.round(first) })
  }
  const inHand = new Set(parked.ids)
  const routeOf = (name: string | null): Route | undefined =>
    parts.shared.context.router.routes.find((one) => one.name === name)
  for (const { clink, route: name } of reruns.paused) {
    inHand.add(clink.clink_id)
    const route = routeOf(name)
    const reason = route && waitOf(route, parts)
    if (reason !== undefined) add(reason, false)
  }
  for (const one of deliveries.live) {
    inHand.add(one.clink.clink_id)
    const reason = whyWaiting(one, parts)
    if (reason !== undefined) add(reason, false)
  }
  for (const { left, sender, why } of parked.list) add({ route: null, sender, why, left }, true)
  const { age = 0 } = inboxWatch.known ?? {}
  for (const { clink, left, route: name, why } of waiting) {
    // Nobody waits for what somebody has discarded.
    if (inHand.has(clink.clink_id) || why === DISCARDED) continue
    const route = routeOf(name)
    if (why !== null)
      add({ route: null, sender: clink.sender_id, why, left: left === null ? null : Math.max(0, left - age) }, false)
    else if (route !== undefined) {
      const reason = waitOf(route, parts) ?? limitOf(route, clink, parts) ?? slotsOf(parts)
      if (reason !== undefined) add({ route: route.name, sender: null, left: null, ...reason }, false)
    }
  }
  return [...found.values()].toSorted((a, b) => b.count - a.count)
}

/** What waits in the inbox, as the last look at it has shown, and as it was judged since. Null: nobody has looked. */
export function inboxNow(
  { inboxWatch, ways }: WorkerParts,
  waiting: readonly Waiting[],
): (Pick<InboxCount, 'isSaturated' | 'leftAlone' | 'pending'> & { readonly isStarved: boolean }) | null {
  const { known } = inboxWatch
  if (known === undefined) return null
  const pending = waiting.filter(({ why }) => why === null).length
  const leftAlone = waiting.length - pending + known.malformed.length
  return { pending, leftAlone, isSaturated: known.isSaturated, isStarved: ways.isStarved }
}

/**
 * How many clinks are left alone, by why. A look shows what no claim has come across yet, so that all that the inbox is said to have of them are among
 * these.
 */
export function leftAlone(
  { inboxWatch, intake }: WorkerParts,
  waiting: readonly Waiting[],
): ReadonlyMap<string, number> {
  const whys = new Map<string, string>(noticed(intake).map(([id, { why }]) => [id, why]))
  for (const { clink, why } of waiting)
    if (why === null) whys.delete(clink.clink_id)
    else whys.set(clink.clink_id, why)
  for (const [index, id] of (inboxWatch.known?.malformed ?? []).entries())
    whys.set(id ?? `malformed ${index}`, 'malformed')
  const counts = new Map<string, number>()
  for (const why of whys.values()) counts.set(why, (counts.get(why) ?? 0) + 1)
  return counts
}

/** What the last look at the inbox has shown. What was found out about a clink since counts for more. */
export function waitingNow({ inboxWatch, intake, shared }: WorkerParts): readonly Waiting[] {
  const { clock, ledger } = shared.context
  const { age = 0, waiting = [] } = inboxWatch.known ?? {}
  const lookedAt = steadyOf(clock).now() - age
  const noted = new Map(noticed(intake))
  return waiting.map((one) => {
    const id = one.clink.clink_id
    const { at = -Infinity, why: found = null } = noted.get(id) ?? {}
    const why = at > lookedAt ? found : one.why
    if (why !== 'given-up') return { ...one, why }
    // Somebody may have had it run again, or wants no more to be said of it.
    return { ...one, why: ledger.letters.get(id) !== undefined ? why : ledger.letters.has(id) ? DISCARDED : null }
  })
}

/** A clink of a paused route is wanted: what it waits for is known by its route, and may be over since. */
function noticed({ notices }: WorkerParts['intake']): WorkerParts['intake']['notices']['known'] {
  return notices.known.filter(([, { why }]) => why !== 'paused')
}

const DISCARDED = 'discarded'

/** Of one in hand; one that backs off for its own failure, or sleeps, is held for that. */
function whyWaiting({ backoff, clink, dueAt, route, state }: Delivery, parts: WorkerParts): Reason | undefined {
  if (state === 'waiting') return limitOf(route, clink, parts)
  if (state !== 'backingOff' || backoff.why !== PAUSED || dueAt === undefined) return undefined
  const left = Math.max(0, dueAt - parts.shared.context.clock.now())
  return { route: route.name, sender: null, why: 'failing', left }
}

/** Of an operator, or since all fails there. */
function waitOf(route: Route, { shared }: WorkerParts): Reason | undefined {
  const { health, pauses } = shared
  const of = { route: route.name, sender: null }
  if (pauses.holds(route)) {
    const lefts = pauses.list
      .filter((one) => one.route === undefined || one.route === route.name)
      .map(({ left = Infinity }) => left)
    const left = Math.max(pauses.isDraining ? Infinity : 0, ...lefts)
    return { ...of, why: 'paused', left: left === Infinity ? null : left }
  }
  return health.isPaused(route) ? { ...of, why: 'failing', left: null } : undefined
}

function limitOf(route: Route, clink: Clink, { shared }: WorkerParts): Reason | undefined {
  const { limits } = shared.capacity
  const { concurrency, serial } = route.limits ?? {}
  const of = { route: route.name, sender: null, left: null }
  const { going, startsLeft } = limits.usageOf(route)
  if (concurrency !== undefined && going >= concurrency) return { ...of, why: 'concurrency' }
  if (startsLeft === 0) return { ...of, why: 'rate' }
  if (serial === undefined || limits.isKeyFree(route, clink)) return undefined
  return { ...of, why: 'serial', sender: serial === 'sender' ? clink.sender_id : null }
}

function slotsOf({ shared }: WorkerParts): Pick<Reason, 'why'> | undefined {
  const { capacity, context } = shared
  return capacity.holders >= context.settings.current.concurrency ? { why: 'slots' } : undefined
}
