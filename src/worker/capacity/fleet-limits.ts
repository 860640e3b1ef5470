import { after, steadyOf, type Cancel } from '../../base/clock.ts'
import { Signal } from '../../base/signal.ts'
import type { LimitsAnswer, LimitStore, LimitsWish } from '../../ledger/fleet-limits.ts'
import type { WorkerContext } from '../context.ts'
import type { Asker, Grants, Room, Seats, SharedPlace } from './fleet-grants.ts'
import { FleetKeys } from './fleet-keys.ts'
import { FleetPermits } from './fleet-permits.ts'

export type FleetLimitsContext = Pick<WorkerContext, 'clock' | 'ledger' | 'random' | 'settings' | 'signals'>

/** Milliseconds until a statement that has failed is tried again. */
const RETRY = 500

/**
 * What of routes' limits is the fleet's, as its store says it: keys of `serial` and permits of `rate`. All that is wanted in one turn, and all that is
 * given back, is one statement; there is one at a time. Nobody waits here: who may not go on yet is looked at again after each answer, and says anew
 * what it wants, so that nothing is asked for that nobody wants any more.
 */
export class FleetLimits implements Asker {
  /** All that wait for the fleet are to be looked at. */
  readonly changed = new Signal()
  readonly #context: FleetLimitsContext
  readonly #store: LimitStore
  readonly #room: Room
  readonly #keys: FleetKeys
  readonly #permits: FleetPermits
  #cancel: Cancel = () => {}
  #dueAt = Infinity
  /** After a statement that has failed. */
  #notBefore = -Infinity
  #asking: Promise<void> | undefined
  /** So much of what is listed can be claimed at once, and for no more of it is anything asked. Others may have it. */
  mayClaim = Infinity
  /** Somebody wanted something for which no seat was free. */
  #isShort = false
  #isClosed = false

  constructor(context: FleetLimitsContext, store: LimitStore, room: Room) {
    this.#context = context
    this.#store = store
    this.#room = room
    this.#keys = new FleetKeys(context, store, this)
    this.#permits = new FleetPermits(context, this)
    context.signals.freed.on(() => {
      if (!this.#isShort) return
      this.#isShort = false
      this.#keys.freed()
      this.#permits.freed()
    })
  }

  /** Whether the place has all that it needs of the fleet, or could have it at once. If not, that is asked for. @param isClaimed it waits in hand. */
  mayGo(place: SharedPlace, isClaimed: boolean): boolean {
    const hasKey = this.#keys.has(place)
    const hasPermit = this.#permits.has(place)
    if (!hasKey) this.#keys.want(place, isClaimed)
    // Who is behind somebody else's key has no use for a permit.
    if (!hasPermit && (hasKey || !this.#keys.isTaken(place))) this.#permits.want(place, isClaimed)
    return hasKey && hasPermit
  }

  /** The place takes what `mayGo` has found in this turn. */
  give(place: SharedPlace): void {
    this.#keys.give(place)
    this.#permits.give(place)
  }

  /** Another member has its key, as far as is known. */
  isTaken(place: SharedPlace): boolean {
    return this.#keys.isTaken(place)
  }

  /** How many starts the rate of a route has left, as far as is known. */
  left(route: string): number | undefined {
    return this.#permits.left(route)
  }

  /** A handler is about to start. @returns false: what it was given is over by the clock, and it may not. */
  started(place: SharedPlace): boolean {
    return !place.isBarred && this.#permits.started(place)
  }

  rest(grants: Grants): void {
    this.#permits.giveBack(grants)
  }

  /** @param isUnused what it was given may be of use to another clink. */
  end(grants: Grants, isUnused: boolean): void {
    this.#permits.giveBack(grants)
    this.#keys.giveBack(grants, isUnused)
  }

  by(time: number): void {
    const at = Math.max(time, this.#notBefore)
    if (this.#isClosed || at >= this.#dueAt) return
    this.#cancel()
    this.#dueAt = at
    this.#cancel = after(this.#context.clock, Math.max(0, at - this.#now), () => {
      this.#dueAt = Infinity
      if (this.#asking === undefined) void this.#turn()
    })
  }

  /** Gives back what nobody has in use. */
  async close(): Promise<void> {
    this.#cancel()
    this.#isClosed = true
    await this.#asking
    this.#keys.close()
    this.#permits.close()
    if (this.#context.ledger.isHealthy) await this.#ask()
  }

  get #now(): number {
    return steadyOf(this.#context.clock).now()
  }

  async #turn(): Promise<void> {
    if (!this.#context.ledger.isHealthy) return this.by(this.#now + RETRY)
    // Who was refused before says again whether it still wants it.
    this.#keys.forgetWants()
    this.#permits.forgetWants()
    this.changed.say()
    this.#asking = this.#ask()
    await this.#asking
    this.#asking = undefined
    this.changed.say()
    this.by(Math.min(this.#keys.dueAt, this.#permits.dueAt))
  }

  async #ask(): Promise<void> {
    const now = this.#now
    const seats: Seats = {
      unclaimed: this.#isClosed ? 0 : Math.min(this.mayClaim, this.#room.free),
      isForClaimed: !this.#isClosed && this.#room.taken === undefined,
      isShort: false,
    }
    const wish: LimitsWish = { ...this.#keys.wish(now, seats), rates: this.#permits.wish(now, seats) }
    this.#isShort ||= seats.isShort
    if (wish.keys.length + wish.freed.length + wish.rates.length === 0) return
    const sentAt = this.#context.clock.now()
    let answer: LimitsAnswer | undefined
    try {
      answer = await this.#store.ask(wish, this.#keys.length)
    } catch {
      this.#notBefore = this.#now + RETRY
    }
    this.#keys.answered(wish, answer, sentAt)
    this.#permits.answered(wish.rates, answer, sentAt)
  }
}
