import { randomUUID } from 'node:crypto'
import { steadyOf } from '../../base/clock.ts'
import { PERMIT_LASTS, type LimitsAnswer, type RateWish } from '../../ledger/fleet-limits.ts'
import type { WorkerContext } from '../context.ts'
import { HELD, UNUSED, type Asker, type Grants, type Permit, type Seats, type SharedPlace } from './fleet-grants.ts'

/** What is known of the rate of one route. */
interface Known {
  readonly route: string
  rate: { readonly count: number; readonly window: number }
  /** Permits that no clink has yet. */
  free: Permit[]
  /** When they are given back, unless clinks take them. */
  unusedAt: number
  /** Clinks that want one, and whether they wait in hand. */
  readonly wanted: Map<string, boolean>
  wasRefused: boolean
  notBefore: number
  /** Starts that the store does not know of yet: by permits, with their times. */
  readonly started: Map<string, number>
  readonly unused: Set<string>
  left: number | undefined
  /** Local time from which on that tells nothing: what had started by then counts no more. */
  leftUntil: number
}

/** Milliseconds before its end at which a permit starts nothing any more. */
const MARGIN = 250
/** Milliseconds by which the code of a handler may begin later than its start. */
const LATE = 25
/** Milliseconds that what was used up waits for what else there is to say. */
const SOON = 50
/** Milliseconds between two questions for what is used up: at least, and at most where the window is short. */
const SOONEST = 20
const LATEST = 250
/** Milliseconds until the next question where there are permits, which are left to members that have waited for longer. */
const AFTER_OTHERS = 100

/** Permits of rates that count in the fleet: each start takes one. */
export class FleetPermits {
  readonly #context: Pick<WorkerContext, 'clock' | 'random'>
  readonly #asker: Asker
  readonly #known = new Map<string, Known>()

  constructor(context: Pick<WorkerContext, 'clock' | 'random'>, asker: Asker) {
    this.#context = context
    this.#asker = asker
  }

  get dueAt(): number {
    return Math.min(...[...this.#known.values()].map((known) => this.#dueOf(known)))
  }

  #dueOf({ free, notBefore, started, unused, unusedAt, wanted }: Known): number {
    return Math.min(
      wanted.size > 0 ? notBefore : Infinity,
      free.length > 0 ? unusedAt : Infinity,
      started.size + unused.size > 0 ? this.#steady + SOON : Infinity,
    )
  }

  has(place: SharedPlace): boolean {
    if (!needsPermit(place)) return true
    if (place.permit !== undefined && this.#stands(place.permit)) return true
    return this.#known.get(place.route)?.free.some((permit) => this.#stands(permit)) === true
  }

  want(place: SharedPlace, isClaimed: boolean): void {
    const known = this.#of(place)
    known.wanted.set(place.clinkId, isClaimed)
    this.#asker.by(known.notBefore)
  }

  give(place: SharedPlace): void {
    if (!needsPermit(place) || (place.permit !== undefined && this.#stands(place.permit))) return
    this.giveBack(place)
    const known = this.#of(place)
    const permit = known.free.find((one) => this.#stands(one))
    place.permit = permit
    known.free = known.free.filter((one) => one !== permit)
    known.wanted.delete(place.clinkId)
  }

  /** @returns false: the permit is over. */
  started(place: SharedPlace): boolean {
    if (!needsPermit(place)) return true
    const { permit } = place
    if (permit === undefined || !this.#stands(permit)) return false
    this.#of(place).started.set(permit.id, this.#steady)
    place.permit = undefined
    this.#asker.by(this.#steady + SOON)
    return true
  }

  /** It has started nothing: another clink may. */
  giveBack(grants: Grants): void {
    const { permit } = grants
    grants.permit = undefined
    const known = permit && this.#known.get(permit.route)
    if (permit === undefined || known === undefined) return
    if (!this.#stands(permit)) return void known.unused.add(permit.id)
    if (known.free.length === 0) known.unusedAt = this.#steady + UNUSED
    known.free.push(permit)
    this.#asker.by(known.unusedAt)
  }

  left(route: string): number | undefined {
    const known = this.#known.get(route)
    if (known === undefined || known.leftUntil < this.#steady) return undefined
    return known.wasRefused && known.free.length === 0 ? 0 : known.left
  }

  /** Wants that were refused are said anew. */
  forgetWants(): void {
    for (const { wanted, wasRefused } of this.#known.values()) if (wasRefused) wanted.clear()
  }

  wish(now: number, seats: Seats): readonly RateWish[] {
    return [...this.#known.values()].flatMap((known) => {
      const { rate, route, started, unused, unusedAt } = known
      if (unusedAt <= now || !known.free.some((one) => this.#stands(one))) {
        for (const { id } of known.free) unused.add(id)
        known.free = []
      }
      const ids = Array.from({ length: wantedOf(known, now, seats) }, () => randomUUID())
      const ended = Object.fromEntries([
        ...[...started].map(([id, at]) => [id, Math.max(0, now - at - LATE)] as const),
        ...[...unused].map((id) => [id, null] as const),
      ])
      if (ids.length + started.size + unused.size === 0) return []
      if (ids.length > 0) known.wanted.clear()
      return [{ route, ...rate, wanted: ids, ended }]
    })
  }

  /** Seats are free again. */
  freed(): void {
    for (const known of this.#known.values())
      if (!known.wasRefused && known.wanted.size > 0) {
        known.notBefore = 0
        this.#asker.by(0)
      }
  }

  /** @param answer undefined: there was none, so that nobody knows what was done. @param sentAt local time. */
  answered(wishes: readonly RateWish[], answer: LimitsAnswer | undefined, sentAt: number): void {
    const now = this.#steady
    for (const { ended, route, wanted, window } of wishes) {
      const known = this.#known.get(route)
      if (known === undefined) continue
      if (answer === undefined) {
        // They may have been given, and are used by nobody.
        for (const id of wanted) known.unused.add(id)
        continue
      }
      for (const id of Object.keys(ended)) {
        known.started.delete(id)
        known.unused.delete(id)
      }
      const ids = wanted.filter((id) => answer.granted.has(id))
      const { left = 0, wait = 0 } = answer.rates.get(route) ?? {}
      known.left = left
      known.leftUntil = now + Math.max(window, LATEST)
      if (known.free.length === 0) known.unusedAt = now + UNUSED
      known.free.push(...ids.map((id) => ({ route, id, deadline: sentAt + PERMIT_LASTS - MARGIN })))
      if (wanted.length === 0) continue
      known.wasRefused = ids.length < wanted.length
      const pause = left > 0 ? AFTER_OTHERS : Math.max(SOONEST, Math.min(wait, Math.max(LATEST, window / 4)))
      known.notBefore = known.wasRefused ? now + pause + SOONEST * this.#context.random() : 0
    }
  }

  /** What no clink has is given back. */
  close(): void {
    for (const known of this.#known.values()) {
      for (const { id } of known.free) known.unused.add(id)
      known.free = []
      known.wanted.clear()
    }
  }

  #of({ limits: { rate = { count: 1, window: 1 } }, route }: SharedPlace): Known {
    const known = this.#known.get(route)
    const { count, window } = rate
    if (known !== undefined) {
      known.rate = { count, window }
      return known
    }
    const made: Known = {
      route,
      rate: { count, window },
      free: [],
      unusedAt: Infinity,
      wanted: new Map(),
      wasRefused: false,
      notBefore: 0,
      started: new Map(),
      unused: new Set(),
      left: undefined,
      leftUntil: 0,
    }
    this.#known.set(route, made)
    return made
  }

  #stands({ deadline }: Permit): boolean {
    return this.#context.clock.now() < deadline
  }

  get #steady(): number {
    return steadyOf(this.#context.clock).now()
  }
}

/** How many are to be asked for. */
function wantedOf(known: Known, now: number, seats: Seats): number {
  const { free, notBefore, rate, wanted } = known
  if (notBefore > now) return 0
  const claimed = [...wanted.values()].filter(Boolean).length
  const some = Math.min(wanted.size - claimed, Math.max(0, seats.unclaimed)) + (seats.isForClaimed ? claimed : 0)
  const most = Math.min(rate.count, some - free.length)
  if (some < wanted.size) seats.isShort = true
  if (most <= 0 && wanted.size > 0) known.notBefore = now + HELD
  return Math.max(0, most)
}

function needsPermit({ limits: { rate } }: SharedPlace): boolean {
  return rate?.scope === 'fleet'
}
