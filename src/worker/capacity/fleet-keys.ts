import { randomUUID } from 'node:crypto'
import { steadyOf } from '../../base/clock.ts'
import type { LimitsAnswer, LimitStore, LimitsWish } from '../../ledger/fleet-limits.ts'
import type { WorkerContext } from '../context.ts'
import { HELD, UNUSED, type Asker, type Grants, type Right, type Seats, type SharedPlace } from './fleet-grants.ts'
import { KeyRenewals } from './fleet-renewals.ts'

/** What is known of one key that some clink here wants, or may have. */
interface Wanted {
  readonly route: string
  readonly key: string
  /** The right to it, where no clink has it yet. */
  right: Right | undefined
  /** When it is given up, unless a clink takes it. */
  unusedAt: number
  /** The clink that wants it, and whether it waits in hand. */
  by: string | undefined
  isClaimed: boolean
  /** It was refused, and when it is asked for again. */
  isRefused: boolean
  notBefore: number
  /** By its token: the right of another member that stood in the way, and since when that was seen. */
  holder: string | undefined
  heldSince: number
}

/**
 * A key that another member has is asked for again after this part of the time for which that member was seen with it: nobody knows when it is given
 * up, and until then it stands idle if who has waited the longest does not ask. In milliseconds, at least and at most; all that is due in a step of
 * time is asked for at once.
 */
const PART = 1 / 4
const SOONEST = 25
const LATEST = 500
const STEP = 20
/** Milliseconds for which a right is kept that no clink has taken, where the clink that had it was not claimed: the next one is here, or nowhere. */
const UNUSED_AGAIN = 300

/** Keys of `serial` that are one at a time in the fleet. */
export class FleetKeys {
  readonly #context: Pick<WorkerContext, 'clock' | 'random' | 'settings' | 'signals'>
  readonly #asker: Asker
  readonly #known = new Map<string, Wanted>()
  readonly #renewals: KeyRenewals
  #freed: LimitsWish['freed'][number][] = []

  constructor(
    context: Pick<WorkerContext, 'clock' | 'random' | 'settings' | 'signals'>,
    store: LimitStore,
    asker: Asker,
  ) {
    this.#context = context
    this.#asker = asker
    this.#renewals = new KeyRenewals(context, store)
  }

  /** Milliseconds that a key is taken for. */
  get length(): number {
    return this.#renewals.length
  }

  /** When there is something to ask. */
  get dueAt(): number {
    const times = [...this.#known.values()].map(({ by, isRefused, notBefore, right, unusedAt }) => {
      if (right !== undefined) return unusedAt
      return by !== undefined || isRefused ? notBefore : Infinity
    })
    return Math.min(this.#freed.length > 0 ? this.#steady : Infinity, ...times)
  }

  has(place: SharedPlace): boolean {
    if (!needsKey(place)) return true
    if (place.right !== undefined && this.#stands(place.right)) return true
    const free = this.#known.get(idOf(place))?.right
    return free !== undefined && this.#stands(free)
  }

  isTaken(place: SharedPlace): boolean {
    return needsKey(place) && this.#known.get(idOf(place))?.isRefused === true && !this.has(place)
  }

  want(place: SharedPlace, isClaimed: boolean): void {
    const known = this.#of(place)
    known.by ??= place.clinkId
    known.isClaimed ||= isClaimed
    this.#asker.by(known.notBefore)
  }

  give(place: SharedPlace): void {
    if (!needsKey(place) || (place.right !== undefined && this.#stands(place.right))) return
    const id = idOf(place)
    if (place.right !== undefined) this.#free(place.right)
    place.right = this.#known.get(id)?.right
    if (place.right !== undefined) this.#renewals.pass(place.right, place.clinkId)
    this.#known.delete(id)
  }

  /** @param isUnused its clink was not claimed: another one may have it. */
  giveBack(grants: Grants, isUnused: boolean): void {
    const { right } = grants
    grants.right = undefined
    if (right === undefined) return
    if (!isUnused || !this.#stands(right)) return this.#free(right)
    const known = this.#of(right)
    known.right = right
    known.unusedAt = this.#steady + UNUSED_AGAIN
    this.#asker.by(known.unusedAt)
  }

  /** Wants that were refused are said anew. */
  forgetWants(): void {
    for (const known of this.#known.values()) if (known.isRefused) known.by = undefined
  }

  /** All that is to be asked for, and given up, now. */
  wish(now: number, seats: Seats): Pick<LimitsWish, 'keys' | 'freed'> {
    for (const [id, known] of this.#known) {
      if (known.right !== undefined && (known.unusedAt <= now || !this.#stands(known.right))) {
        this.#free(known.right)
        known.right = undefined
      }
      if (known.right !== undefined || known.by !== undefined || known.notBefore > now) continue
      this.#known.delete(id)
      this.#leave(known)
    }
    const all = [...this.#known.values()]
    let left = seats.unclaimed - all.filter(({ right }) => right !== undefined).length
    const keys = all.flatMap((known) => {
      const { by: clink, isClaimed, key, notBefore, right, route } = known
      if (clink === undefined || right !== undefined || notBefore > now) return []
      const isFor = isClaimed ? seats.isForClaimed : left > 0
      if (!isFor) {
        seats.isShort = true
        known.notBefore = now + HELD
        this.#leave(known)
        return []
      }
      if (!isClaimed) left -= 1
      known.by = undefined
      known.isClaimed = false
      return [{ route, key, token: randomUUID(), clink }]
    })
    const freed = this.#freed
    this.#freed = []
    return { keys, freed }
  }

  /** Seats are free again. */
  freed(): void {
    for (const known of this.#known.values())
      if (!known.isRefused && known.by !== undefined) {
        known.notBefore = 0
        this.#asker.by(0)
      }
  }

  /** @param answer undefined: there was none, so that nobody knows what was done. @param sentAt local time. */
  answered({ freed, keys }: LimitsWish, answer: LimitsAnswer | undefined, sentAt: number): void {
    // Tokens of which nobody knows whether they were given are nobody's here.
    if (answer === undefined) this.#freed.push(...freed, ...keys)
    const now = this.#steady
    for (const key of keys) {
      const known = this.#of(key)
      if (answer?.granted.has(key.token) === true) {
        known.right = this.#renewals.add(key, sentAt)
        known.unusedAt = now + UNUSED
        known.isRefused = false
        known.holder = undefined
      } else if (answer !== undefined) {
        const holder = answer.holders.get(key.token)
        if (holder !== known.holder) known.heldSince = now
        known.holder = holder
        known.isRefused = true
        const wait = Math.max(SOONEST, Math.min(LATEST, (now - known.heldSince) * PART))
        known.notBefore = Math.ceil((now + wait * (0.75 + this.#context.random() / 2)) / STEP) * STEP
      }
    }
  }

  /** What no clink has is given up. */
  close(): void {
    for (const known of this.#known.values())
      if (known.right !== undefined) this.#free(known.right)
      else this.#leave(known)
    this.#known.clear()
    this.#renewals.close()
  }

  /** Nobody waits for it here any more, if somebody has: nobody else is kept from it. */
  #leave(known: Wanted): void {
    const { isRefused, key, route } = known
    known.isRefused = false
    known.holder = undefined
    if (isRefused) this.#freed.push({ route, key, token: '' })
  }

  #free(right: Right): void {
    this.#renewals.delete(right)
    this.#freed.push(right)
    this.#asker.by(this.#steady)
  }

  #of({ key = '', route }: Pick<SharedPlace, 'key' | 'route'>): Wanted {
    const id = idOf({ key, route })
    const known = this.#known.get(id)
    if (known !== undefined) return known
    const wanted: Wanted = {
      route,
      key,
      right: undefined,
      unusedAt: 0,
      by: undefined,
      isClaimed: false,
      isRefused: false,
      notBefore: 0,
      holder: undefined,
      heldSince: 0,
    }
    this.#known.set(id, wanted)
    return wanted
  }

  #stands({ deadline }: Right): boolean {
    return this.#context.clock.now() < deadline
  }

  get #steady(): number {
    return steadyOf(this.#context.clock).now()
  }
}

function needsKey({ key, limits }: SharedPlace): boolean {
  return key !== undefined && limits.serialScope === 'fleet'
}

/** Of everything that waits, with each answer of the fleet: it has to cost little. No two have the same. */
function idOf({ key = '', route }: Pick<SharedPlace, 'key' | 'route'>): string {
  return `${route.length} ${route}${key}`
}
