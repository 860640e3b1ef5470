import type { Cancel } from '../../base/clock.ts'
import type { Clink } from '../../clink/records.ts'
import type { Limits } from '../../handlers/route.ts'
import type { Grants, SharedPlace } from './fleet-grants.ts'

/** Who keeps the limits. */
export interface PlaceOwner {
  /** Local time, by which rights and permits end. */
  readonly now: number
  /** Undefined: nothing is shared. */
  readonly fleet: FleetGrants | undefined
  /** Something about the route has changed. */
  look(usage: Usage): void
  /** Neither another clink here has its key, nor another member, as far as is known. */
  isFree(place: Place, usage: Usage): boolean
}

/** What the fleet gives to places, and takes back. */
interface FleetGrants {
  give(place: SharedPlace): void
  started(place: SharedPlace): boolean
  rest(grants: Grants): void
  end(grants: Grants, isUnused: boolean): void
}

/** What is known of one route, by its name: a reload changes nothing about it. */
export interface Usage {
  readonly route: string
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
export class Place implements SharedPlace {
  readonly limits: Limits
  readonly clinkId: string
  readonly key: string | undefined
  /** It has its turn, and no start yet. */
  isDue = false
  /** Its turn did not come at once. */
  hasQueued = false
  right: Grants['right']
  permit: Grants['permit']
  readonly #usage: Usage
  readonly #owner: PlaceOwner
  #turn: PromiseWithResolvers<void> | undefined

  constructor(limits: Limits, clink: Clink, usage: Usage, owner: PlaceOwner) {
    this.limits = limits
    this.clinkId = clink.clink_id
    this.key = keyOf(limits, clink)
    this.#usage = usage
    this.#owner = owner
  }

  get route(): string {
    return this.#usage.route
  }

  /** Its right to its key is over: another member may work a clink of that key. */
  get isBarred(): boolean {
    return this.right !== undefined && this.right.deadline <= this.#owner.now
  }

  /** It has waited for its seat for too long, and what it was given is over: its turn has to come once more. */
  get isVoid(): boolean {
    const isLate = this.permit !== undefined && this.permit.deadline <= this.#owner.now
    return this.isBarred || isLate
  }

  /** It cannot start yet. */
  get isWaiting(): boolean {
    return this.#usage.waiting.has(this)
  }

  /** Another has its serial key, for as long as that one backs off as well. */
  get isBehind(): boolean {
    return this.isWaiting && !this.#owner.isFree(this, this.#usage)
  }

  /** Resolves when the limits let it start; never, where it is ended before. */
  async ready(): Promise<void> {
    if (this.#usage.going.has(this)) {
      if (!this.isVoid) return
      this.rest()
    }
    this.#turn ??= Promise.withResolvers()
    const { promise } = this.#turn
    this.#usage.waiting.add(this)
    this.#owner.look(this.#usage)
    this.hasQueued = this.isWaiting
    await promise
  }

  /** Its turn has come. */
  go(): void {
    this.#owner.fleet?.give(this)
    this.isDue = true
    this.#usage.waiting.delete(this)
    this.#usage.going.add(this)
    if (this.key !== undefined) this.#usage.keys.set(this.key, this)
    this.#turn?.resolve()
    this.#turn = undefined
  }

  /** A handler is started for it. @returns false: it may not, since what the fleet has given it is over. */
  started(now: number): boolean {
    if (this.#owner.fleet?.started(this) === false) return false
    this.isDue = false
    this.#usage.starts = [...this.#usage.starts, now]
    return true
  }

  /** It waits since before: its key is its own, unless another has it. */
  keep(): void {
    if (this.key !== undefined && !this.#usage.keys.has(this.key)) this.#usage.keys.set(this.key, this)
  }

  /** It backs off: it keeps its key and nothing else. */
  rest(): void {
    this.isDue = false
    this.#owner.fleet?.rest(this)
    if (this.#usage.going.delete(this)) this.#owner.look(this.#usage)
  }

  /** It waits for its route, which is paused, and keeps nothing: what shows that the route works again may be another clink of its key. */
  leave(isUnused = false): void {
    this.isDue = false
    this.#owner.fleet?.end(this, isUnused)
    this.#usage.going.delete(this)
    if (this.key !== undefined && this.#usage.keys.get(this.key) === this) this.#usage.keys.delete(this.key)
    this.#owner.look(this.#usage)
  }

  /** It has ended, and its code too. @param isUnused it was not worked. */
  end(isUnused = false): void {
    this.#turn = undefined
    this.#usage.waiting.delete(this)
    this.leave(isUnused)
  }
}

/** No other clink here has its key. */
export function isKeyFree(place: Place, { keys }: Usage): boolean {
  const holder = place.key === undefined ? undefined : keys.get(place.key)
  return holder === undefined || holder === place
}

function keyOf({ serial }: Limits, { group_id, sender_id }: Clink): string | undefined {
  if (serial === undefined) return undefined
  return serial === 'group' ? group_id : sender_id
}
