import { after, steadyOf, type Clock } from '../../base/clock.ts'
import type { Clink } from '../../clink/records.ts'
import type { Limits, Route } from '../../handlers/route.ts'
import type { WorkerSignals } from '../signals.ts'
import type { Room } from './fleet-grants.ts'
import { FleetLimits, type FleetLimitsContext } from './fleet-limits.ts'
import { isKeyFree, Place, type PlaceOwner, type Usage } from './place.ts'

export type { Place } from './place.ts'

/**
 * How much of each route may go on: `concurrency`, `rate`, `serial`. A clink that is claimed by id has its place before the claim is sent, so
 * limits hold back claims. What a poll has brought, what an earlier process held and what is run again waits for its place, claimed.
 */
export class RouteLimits implements PlaceOwner {
  readonly #clock: Clock
  readonly #opened: WorkerSignals['opened']
  readonly #usages = new Map<string, Usage>()
  /** Places of clinks that are being claimed. */
  readonly #reserved = new Map<string, { readonly route: string; readonly place: Place }>()
  /** What an earlier process has started is not known: until a window has passed, the rate is used up. */
  readonly #startedAt: number
  /** Undefined: nothing is shared, and limits of the fleet are this worker's. */
  readonly fleet: FleetLimits | undefined

  constructor(context: FleetLimitsContext, room: Room) {
    const { fleetLimits } = context.ledger
    this.#clock = context.clock
    this.#opened = context.signals.opened
    this.#startedAt = this.#steady
    this.fleet = fleetLimits && new FleetLimits(context, fleetLimits, room)
    this.fleet?.changed.on(() => {
      for (const usage of this.#usages.values()) this.#startWaiting(usage)
      this.#opened.say()
    })
  }

  /** @param most so much of what is listed may be claimed at once, until this is said anew: more than that wants nothing of the fleet. */
  mayClaim(most: number): void {
    if (this.fleet !== undefined) this.fleet.mayClaim = most
  }

  /** Takes a place for a clink that is to be claimed. @returns false: there is none. */
  reserve(route: Route, clink: Clink): boolean {
    const { limits, name } = route
    if (limits === undefined) return true
    const usage = this.#of(name)
    const place = new Place(limits, clink, usage, this)
    if (this.#isBehind(usage) || !this.#mayGo(place, usage)) {
      this.#openLater(usage, limits)
      return false
    }
    place.go()
    this.#reserved.set(clink.clink_id, { route: name, place })
    return true
  }

  /** For whoever looks: how many go on, and how many starts its rate has left now. */
  usageOf({ limits = {}, name }: Route): { readonly going: number; readonly startsLeft: number | undefined } {
    const usage = this.#of(name)
    const rate = this.#rateHere(limits)
    const startsLeft = rate === undefined ? this.fleet?.left(name) : Math.max(0, this.#left(usage, rate))
    return { going: usage.going.size, startsLeft }
  }

  /** Says of clinks that are to be claimed, one after the other and as things are now, whether a place would be there. */
  rooms(): (route: Route, clink: Clink) => boolean {
    // The same for all of a route, of which a thousand may be asked about with each answer of the fleet.
    const behind = new Map<Usage, boolean>()
    return ({ limits, name }, clink) => {
      if (limits === undefined) return true
      const usage = this.#of(name)
      const isBehind = behind.get(usage) ?? this.#isBehind(usage)
      behind.set(usage, isBehind)
      return !isBehind && this.#mayGo(new Place(limits, clink, usage, this), usage)
    }
  }

  /** Whether no other clink has the serial key of this one. */
  isKeyFree({ limits = {}, name }: Route, clink: Clink): boolean {
    const usage = this.#of(name)
    return this.isFree(new Place(limits, clink, usage, this), usage)
  }

  /** Neither another clink here has its key, nor another member, as far as is known. */
  isFree(place: Place, usage: Usage): boolean {
    return isKeyFree(place, usage) && this.fleet?.isTaken(place) !== true
  }

  /** The clink was not claimed, or is not worked. Nothing where it is. */
  giveBack(clinkId: string): void {
    const reserved = this.#reserved.get(clinkId)
    this.#reserved.delete(clinkId)
    reserved?.place.end(true)
  }

  /** The place of a clink that is worked from now on: whoever works it ends it. Undefined: its route has no limits. */
  placeOf({ limits, name }: Route, clink: Clink): Place | undefined {
    if (limits === undefined) return undefined
    const reserved = this.#reserved.get(clink.clink_id)
    if (reserved?.route === name) {
      this.#reserved.delete(clink.clink_id)
      return reserved.place
    }
    return new Place(limits, clink, this.#of(name), this)
  }

  /** A handler is started. @returns false: it may not be after all. */
  started(place: Place | undefined): boolean {
    return place?.started(this.#steady) !== false
  }

  /** Local time, by which rights and permits end. */
  get now(): number {
    return this.#clock.now()
  }

  /** Something about the route has changed: whoever may start now does. Those behind one that may not are not held up by it. */
  look(usage: Usage): void {
    this.#startWaiting(usage)
    this.#opened.say()
  }

  #startWaiting(usage: Usage): void {
    for (const place of usage.waiting) {
      if (this.#mayGo(place, usage)) place.go()
      else this.#openLater(usage, place.limits)
    }
  }

  /** What waits, claimed, goes first. */
  #isBehind(usage: Usage): boolean {
    return [...usage.waiting].some((one) => this.isFree(one, usage))
  }

  #mayGo(place: Place, usage: Usage): boolean {
    const { concurrency = Infinity } = place.limits
    if (!isKeyFree(place, usage) || usage.going.size >= concurrency) return false
    const rate = this.#rateHere(place.limits)
    if (rate !== undefined && this.#left(usage, rate) <= 0) return false
    return this.fleet?.mayGo(place, usage.waiting.has(place)) !== false
  }

  /** The rate that this worker keeps by itself. */
  #rateHere({ rate }: Limits): Limits['rate'] {
    return rate?.scope === 'fleet' && this.fleet !== undefined ? undefined : rate
  }

  /** How many starts the rate has left now. */
  #left(usage: Usage, { count, window }: NonNullable<Limits['rate']>): number {
    const since = this.#steady - window
    if (since < this.#startedAt) return 0
    usage.starts = usage.starts.filter((at) => at > since)
    return count - usage.starts.length - dueIn(usage)
  }

  /** Looks again when the rate lets the next one start. */
  #openLater(usage: Usage, limits: Limits): void {
    const rate = this.#rateHere(limits)
    if (rate === undefined) return
    const { count, window } = rate
    // So many of the starts have to leave the window; what is about to start leaves it by its start only.
    const leaving = usage.starts[usage.starts.length + dueIn(usage) - count] ?? -Infinity
    const wait = Math.max(leaving, this.#startedAt) + window - this.#steady
    if (wait <= 0) return
    usage.cancel()
    usage.cancel = after(this.#clock, wait, () => this.look(usage))
  }

  #of(name: string): Usage {
    const known = this.#usages.get(name)
    if (known !== undefined) return known
    const usage: Usage = {
      route: name,
      going: new Set(),
      keys: new Map(),
      waiting: new Set(),
      starts: [],
      cancel: () => {},
    }
    this.#usages.set(name, usage)
    return usage
  }

  get #steady(): number {
    return steadyOf(this.#clock).now()
  }
}

/** How many have their turn, and no start yet. */
function dueIn({ going }: Usage): number {
  return [...going].filter(({ isDue }) => isDue).length
}

/** How many seats a clink of the route takes. */
export function weightOf({ limits }: Pick<Route, 'limits'>): number {
  return limits?.weight ?? 1
}
