import { after, steadyOf, type Cancel, type Clock } from '../../base/clock.ts'
import type { Clink } from '../../clink/records.ts'
import type { Limits, Route } from '../../handlers/route.ts'
import type { WorkerSignals } from '../signals.ts'

/** What is known of one route, by its name: a reload changes nothing about it. */
interface Usage {
  /** Places of clinks that run or are about to, those without a start yet among them. */
  readonly going: Set<Place>
  /** Whose turn it is, by serial keys. */
  readonly keys: Map<string, Place>
  /** Those that wait for their turn, the longest waiting first. */
  readonly waiting: Set<Place>
  /** When handlers were started, as far as the window of the rate reaches. */
  starts: readonly number[]
  cancel: Cancel
}

/**
 * What one clink takes of its route's limits: of `concurrency` from the time when its turn comes until it backs off or ends, of `serial`
 * until it ends, of `rate` at each start.
 */
export class Place {
  readonly limits: Limits
  readonly key: string | undefined
  /** It has its turn, and no start yet. */
  isDue = false
  /** Its turn did not come at once. */
  hasQueued = false
  readonly #usage: Usage
  readonly #owner: RouteLimits
  #turn: PromiseWithResolvers<void> | undefined

  constructor(limits: Limits, clink: Clink, usage: Usage, owner: RouteLimits) {
    this.limits = limits
    this.key = keyOf(limits, clink)
    this.#usage = usage
    this.#owner = owner
  }

  /** It cannot start yet. */
  get isWaiting(): boolean {
    return this.#usage.waiting.has(this)
  }

  /** Another has its serial key, for as long as that one backs off as well. */
  get isBehind(): boolean {
    return this.isWaiting && !isKeyFree(this, this.#usage)
  }

  /** Resolves when the limits let it start; never, where it is ended before. */
  async ready(): Promise<void> {
    if (this.#usage.going.has(this)) return
    this.#turn ??= Promise.withResolvers()
    const { promise } = this.#turn
    this.#usage.waiting.add(this)
    this.#owner.look(this.#usage)
    this.hasQueued = this.isWaiting
    await promise
  }

  /** Its turn has come. */
  go(): void {
    this.isDue = true
    this.#usage.waiting.delete(this)
    this.#usage.going.add(this)
    if (this.key !== undefined) this.#usage.keys.set(this.key, this)
    this.#turn?.resolve()
    this.#turn = undefined
  }

  /** A handler is started for it. */
  started(now: number): void {
    this.isDue = false
    this.#usage.starts = [...this.#usage.starts, now]
  }

  /** It waits since before: its key is its own, unless another has it. */
  keep(): void {
    if (this.key !== undefined && !this.#usage.keys.has(this.key)) this.#usage.keys.set(this.key, this)
  }

  /** It backs off: it keeps its key and nothing else. */
  rest(): void {
    this.isDue = false
    if (this.#usage.going.delete(this)) this.#owner.look(this.#usage)
  }

  /** It has ended, and its code too. */
  end(): void {
    this.isDue = false
    this.#turn = undefined
    this.#usage.going.delete(this)
    this.#usage.waiting.delete(this)
    if (this.key !== undefined && this.#usage.keys.get(this.key) === this) this.#usage.keys.delete(this.key)
    this.#owner.look(this.#usage)
  }
}

/**
 * How much of each route may go on: `concurrency`, `rate`, `serial`. A clink that is claimed by id has its place before the claim is sent, so
 * limits hold back claims. What a poll has brought, what an earlier process held and what is run again waits for its place, claimed.
 */
export class RouteLimits {
  readonly #clock: Clock
  readonly #opened: WorkerSignals['opened']
  readonly #usages = new Map<string, Usage>()
  /** Places of clinks that are being claimed. */
  readonly #reserved = new Map<string, { readonly route: string; readonly place: Place }>()
  /** What an earlier process has started is not known: until a window has passed, the rate is used up. */
  readonly #startedAt: number

  constructor({ clock, signals }: { readonly clock: Clock; readonly signals: Pick<WorkerSignals, 'opened'> }) {
    this.#clock = clock
    this.#opened = signals.opened
    this.#startedAt = this.#now
  }

  /** Takes a place for a clink that is to be claimed. @returns false: there is none. */
  reserve(route: Route, clink: Clink): boolean {
    const { limits, name } = route
    if (limits === undefined) return true
    const usage = this.#of(name)
    const place = new Place(limits, clink, usage, this)
    if (!this.#mayTake(place, usage)) {
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
    const startsLeft = limits.rate === undefined ? undefined : Math.max(0, this.#left(usage, limits.rate))
    return { going: usage.going.size, startsLeft }
  }

  /** Whether a place would be there for a clink that is to be claimed. */
  hasRoom({ limits, name }: Route, clink: Clink): boolean {
    if (limits === undefined) return true
    const usage = this.#of(name)
    return this.#mayTake(new Place(limits, clink, usage, this), usage)
  }

  /** Whether no other clink has the serial key of this one. */
  isKeyFree({ limits = {}, name }: Route, clink: Clink): boolean {
    const usage = this.#of(name)
    return isKeyFree(new Place(limits, clink, usage, this), usage)
  }

  /** The clink was not claimed, or is not worked. Nothing where it is. */
  giveBack(clinkId: string): void {
    const reserved = this.#reserved.get(clinkId)
    this.#reserved.delete(clinkId)
    reserved?.place.end()
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

  /** A handler is started. */
  started(place: Place | undefined): void {
    place?.started(this.#now)
  }

  /** Something about the route has changed: whoever may start now does. Those behind one that may not are not held up by it. */
  look(usage: Usage): void {
    for (const place of usage.waiting) {
      if (this.#mayGo(place, usage)) place.go()
      else this.#openLater(usage, place.limits)
    }
    this.#opened.say()
  }

  /** What waits, claimed, goes first. */
  #mayTake(place: Place, usage: Usage): boolean {
    return ![...usage.waiting].some((one) => isKeyFree(one, usage)) && this.#mayGo(place, usage)
  }

  #mayGo(place: Place, usage: Usage): boolean {
    const { concurrency = Infinity, rate } = place.limits
    if (!isKeyFree(place, usage) || usage.going.size >= concurrency) return false
    return rate === undefined || this.#left(usage, rate) > 0
  }

  /** How many starts the rate has left now. */
  #left(usage: Usage, { count, window }: NonNullable<Limits['rate']>): number {
    const since = this.#now - window
    if (since < this.#startedAt) return 0
    usage.starts = usage.starts.filter((at) => at > since)
    return count - usage.starts.length - dueIn(usage)
  }

  /** Looks again when the rate lets the next one start. */
  #openLater(usage: Usage, { rate }: Limits): void {
    if (rate === undefined) return
    const { count, window } = rate
    // So many of the starts have to leave the window; what is about to start leaves it by its start only.
    const leaving = usage.starts[usage.starts.length + dueIn(usage) - count] ?? -Infinity
    const wait = Math.max(leaving, this.#startedAt) + window - this.#now
    if (wait <= 0) return
    usage.cancel()
    usage.cancel = after(this.#clock, wait, () => this.look(usage))
  }

  #of(name: string): Usage {
    const known = this.#usages.get(name)
    if (known !== undefined) return known
    const usage: Usage = {
      going: new Set(),
      keys: new Map(),
      waiting: new Set(),
      starts: [],
      cancel: () => {},
    }
    this.#usages.set(name, usage)
    return usage
  }

  get #now(): number {
    return steadyOf(this.#clock).now()
  }
}

/** How many have their turn, and no start yet. */
function dueIn({ going }: Usage): number {
  return [...going].filter(({ isDue }) => isDue).length
}

function isKeyFree(place: Place, { keys }: Usage): boolean {
  const holder = place.key === undefined ? undefined : keys.get(place.key)
  return holder === undefined || holder === place
}

function keyOf({ serial }: Limits, { group_id, sender_id }: Clink): string | undefined {
  if (serial === undefined) return undefined
  return serial === 'group' ? group_id : sender_id
}

/** How many seats a clink of the route takes. */
export function weightOf({ limits }: Pick<Route, 'limits'>): number {
  return limits?.weight ?? 1
}
