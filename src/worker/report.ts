import type { Route } from '../handlers/route.ts'
import type { Delivery } from './delivery/delivery.ts'
import { inboxNow, leftAlone, notWorked, waitingNow } from './not-worked.ts'
import type { WorkerParts } from './parts.ts'

export type WorkerReport = ReturnType<typeof report>

/** What the worker does at one moment, for whoever looks. Durations in milliseconds. */
export function report(parts: WorkerParts) {
  const { acknowledgements, deliveries, parked, reruns, undecided, ways } = parts
  const { capacity, context, pauses } = parts.shared
  const { identity, keys, router, settings, siblings, terms } = context
  const { mode } = ways
  const { draining } = pauses
  const waiting = waitingNow(parts)
  return {
    slots: { total: settings.current.concurrency, taken: capacity.holders },
    routes: [...router.routes.map((route) => routeReport(route, parts)), ...goneRoutes(parts)],
    deliveries: [...deliveries.live, ...deliveries.in('lost')].map((one) => deliveryReport(one, parts)),
    inHand: {
      undecided: undecided.ids.length,
      acknowledging: acknowledgements.ids.length,
      parked: parked.size,
      rerunning: reruns.size,
    },
    parked: parked.list,
    notWorked: notWorked(parts, waiting),
    inbox: inboxNow(parts, waiting),
    leftAlone: leftAlone(parts, waiting),
    pauses: pauses.list.map(({ at, by, isFleet, left, note, route }) => ({
      route: route ?? null,
      isFleet,
      hasRoute: route === undefined || router.routes.some(({ name }) => name === route),
      by,
      note: note ?? null,
      since: at,
      left: left ?? null,
    })),
    draining: draining === undefined ? null : { by: draining.by, note: draining.note ?? null, since: draining.at },
    key: {
      fingerprint: keys.current.fingerprint,
      isProven: keys.current.isProven,
      refusal: keys.refusal?.reason ?? null,
      unused: keys.unused ?? null,
    },
    identity: identity.id ?? null,
    siblings: settings.current.claim.exclusive ? ('exclusive' as const) : (siblings.verdict ?? ('unknown' as const)),
    claims: mode.mode,
    /** Why what was in hand at a crash runs alone now, for people. */
    search: capacity.suspects > 0 ? context.crashWatch.why(capacity.suspects) : null,
    leases: { areTold: terms.areTold ?? null, areRenewed: terms.areRenewed ?? null },
  }
}

/** Routes that a reload has taken away, and whose clinks are still in hand. */
function goneRoutes(parts: WorkerParts) {
  const names = new Set(parts.shared.context.router.routes.map(({ name }) => name))
  const gone = new Map(
    parts.deliveries.live.flatMap(({ route }) => (names.has(route.name) ? [] : [[route.name, route]])),
  )
  return [...gone.values()].map((route) => ({ ...routeReport(route, parts), waits: [], isGone: true }))
}

function routeReport(route: Route, { deliveries, shared }: WorkerParts) {
  const { capacity, health, pauses } = shared
  const own = deliveries.live.filter((one) => one.route.name === route.name)
  const count = (state: Delivery['state']): number => own.filter((one) => one.state === state).length
  const { concurrency, rate, serial, serialScope, weight } = route.limits ?? {}
  const { going, startsLeft } = capacity.limits.usageOf(route)
  const waits = [
    pauses.holds(route) ? ('operator' as const) : [],
    health.isPaused(route) ? ('failing' as const) : [],
    concurrency !== undefined && going >= concurrency ? ('concurrency' as const) : [],
    startsLeft === 0 ? ('rate' as const) : [],
  ].flat()
  return {
    name: route.name,
    file: route.file,
    generation: route.generation,
    isGone: false,
    running: count('running'),
    waiting: count('waiting'),
    held: count('backingOff'),
    settling: count('settling'),
    limits: {
      concurrency: concurrency ?? null,
      rate: rate === undefined ? null : { scope: 'worker' as const, ...rate, left: startsLeft ?? null },
      serial: serial ?? null,
      serialScope: serial === undefined ? null : (serialScope ?? ('worker' as const)),
      weight: weight ?? 1,
    },
    /** Why no clink of it is taken now. */
    waits,
    lastFailure: health.lastFailure(route) ?? null,
  }
}

function deliveryReport(one: Delivery, { shared }: WorkerParts) {
  const { clock } = shared.context
  const now = clock.now()
  const { backoff, clink, handle, route, since, state } = one
  const isHeld = state === 'backingOff'
  return {
    id: clink.clink_id,
    group: clink.group_slug ?? clink.group_id,
    sender: clink.sender_id,
    route: route.name,
    state: isHeld ? (handle.isAsleep ? ('asleep' as const) : ('held' as const)) : state,
    attempt: one.attempt === 0 ? handle.memory.tried.starts : one.attempt,
    for: Math.max(0, Math.round(now - since)),
    lease: state === 'lost' ? 0 : Math.max(0, Math.round(handle.deadline - now)),
    due: one.dueAt === undefined ? null : Math.max(0, Math.round(one.dueAt - now)),
    why: isHeld ? (backoff.why ?? null) : null,
    isStuck: one.stuckSince !== undefined,
  }
}
