import type { KeyRight } from '../../ledger/fleet-limits.ts'
import type { Limits } from '../../handlers/route.ts'

/** Milliseconds for which something that was given is kept though no clink has taken it. */
export const UNUSED = 2_000
/** Milliseconds that one waits for which there is no seat, unless one is free before. */
export const HELD = 1_000

/** The right to a key: until when it certainly stands, by local time. */
export class Right implements KeyRight {
  readonly route: string
  readonly key: string
  readonly token: string
  /** The clink that goes on with it. */
  clink: string
  /** Local time when the statement was sent that has given or renewed it. */
  grantedAt: number
  #deadline: number
  /** The store does not know it any more: another member has it, or this one by another right. */
  isGone = false

  /** @param lasts milliseconds for which it is trusted from when the statement was sent. */
  constructor({ clink, key, route, token }: KeyRight, grantedAt: number, lasts: number) {
    this.route = route
    this.key = key
    this.token = token
    this.clink = clink
    this.grantedAt = grantedAt
    this.#deadline = grantedAt + lasts
  }

  get deadline(): number {
    return this.isGone ? -Infinity : this.#deadline
  }

  renewed(grantedAt: number, lasts: number): void {
    this.grantedAt = Math.max(this.grantedAt, grantedAt)
    this.#deadline = Math.max(this.#deadline, grantedAt + lasts)
  }
}

/** A start that the rate of a route allows, until this local time. */
export interface Permit {
  readonly route: string
  readonly id: string
  readonly deadline: number
}

/** What a clink was given by its fleet. */
export interface Grants {
  right: Right | undefined
  permit: Permit | undefined
}

/** Who wants a key, a permit, or both. */
export interface SharedPlace extends Grants {
  readonly route: string
  readonly clinkId: string
  readonly key: string | undefined
  readonly limits: Limits
  /** Its right is over. */
  readonly isBarred: boolean
}

/** Seats, for what is to be claimed and for what waits in hand: nothing is asked for that could not start. */
export interface Room {
  readonly free: number
  readonly taken: number | undefined
}

/** Who asks the store. */
export interface Asker {
  /** There is something to ask, at this time of the clock without jumps. */
  by(at: number): void
}

/** What there is room for in one turn. */
export interface Seats {
  /** For what is to be claimed. */
  readonly unclaimed: number
  /** What waits in hand would have one. */
  readonly isForClaimed: boolean
  /** Somebody wanted something, and would have had none. */
  isShort: boolean
}
