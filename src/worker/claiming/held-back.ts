import type { InboxPage } from '../../clink/client.ts'
import { startOf } from '../../clink/service-time.ts'
import type { Route } from '../../handlers/route.ts'
import type { Purpose } from '../admission/verdict.ts'
import type { AdmissionParts } from '../admission/context.ts'
import { PASSED_OVER } from '../capacity/seat-line.ts'
import type { Candidate } from './candidate.ts'
import { shows } from './sweep.ts'

interface HeldBackCandidate {
  readonly candidate: Candidate
  readonly route: Route
  /** Local time from which on it is passed over for want of seats; `Infinity`: its route has no place for it. */
  readonly since: number
}

/** More clinks than this are not kept: a sweep brings them back. */
const KEPT = 1_000

/** Listed clinks whose routes have no place for them, or that take more seats than are free. What lies behind them goes on. */
export class HeldBack {
  readonly #shared: Pick<AdmissionParts, 'capacity' | 'context'>
  readonly #all = new Map<string, HeldBackCandidate>()
  /** There are more of them than are kept. */
  #isCut = false

  constructor(shared: Pick<AdmissionParts, 'capacity' | 'context'>) {
    this.#shared = shared
  }

  get size(): number {
    return this.#all.size
  }

  /** Whether some of what was forgotten may be claimed: true once. */
  get isShort(): boolean {
    const isShort = this.#isCut && this.#all.size < KEPT / 2
    if (isShort) this.#isCut = false
    return isShort
  }

  /** Some take more seats than were free. */
  get lackSeats(): boolean {
    return [...this.#all.values()].some(({ since }) => since !== Infinity)
  }

  /** The route has no place for one of them now, though nobody has its serial key: it starts as soon as there is one. */
  waitsForPlace({ name }: Route): boolean {
    const { limits } = this.#shared.capacity
    return [...this.#all.values()].some(
      ({ candidate, route, since }) =>
        route.name === name && since === Infinity && limits.isKeyFree(route, candidate.clink),
    )
  }

  /** Some of them may be claimed by now. */
  get areStartable(): boolean {
    const [first] = this.startable()
    return first !== undefined
  }

  /** The one that takes several seats and was passed over for so long that the next free ones are kept for it. */
  get saved(): Candidate | undefined {
    const next = this.#next
    return next === undefined || this.#shared.capacity.hasSeatsFor(next.route) ? undefined : next.candidate
  }

  /** A list shows it again. @returns false: it is none of them. */
  refresh(candidate: Candidate): boolean {
    const id = candidate.clink.clink_id
    const known = this.#all.get(id)
    if (known !== undefined) this.#all.set(id, { ...known, candidate })
    return known !== undefined
  }

  /** The oldest of those that are meant. */
  oldest(isMeant: (candidate: Candidate) => boolean): Candidate | undefined {
    const meant = [...this.#all.values()].flatMap(({ candidate }) => (isMeant(candidate) ? [candidate] : []))
    return meant.toSorted((a, b) => startOf(a.clink.created_at) - startOf(b.clink.created_at))[0]
  }

  /** A page from one clink on tells of all that it would show: others may have worked them, and to look for each by itself takes as many pages. */
  listed(page: InboxPage, { clink: from, key, listedAt }: Omit<Candidate, 'memory'>): void {
    const onPage = new Map(page.clinks.map((clink) => [clink.clink_id, clink]))
    const isShown = shows(page, startOf(from.created_at))
    for (const [id, { candidate }] of this.#all) {
      if (candidate.key !== key) continue
      const clink = onPage.get(id)
      if (clink?.status === 'pending') this.refresh({ ...candidate, clink, listedAt })
      else if (clink !== undefined || isShown(candidate.clink)) this.#all.delete(id)
    }
  }

  forgetAll(isMeant: (candidate: Candidate) => boolean): void {
    for (const [id, { candidate }] of this.#all) if (isMeant(candidate)) this.#all.delete(id)
  }

  /** Those that may be claimed by now, the longest waiting first; only the next one, where seats are kept for it. */
  *startable(): Iterable<Candidate> {
    const { capacity } = this.#shared
    const next = this.#next
    // Those as they are now: one that is held back anew is no other one.
    const all = next === undefined ? [...this.#all.values()] : [next]
    let hasRoom = capacity.limits.rooms()
    for (const { candidate, route } of all) {
      if (!capacity.hasSeatsFor(route) || !hasRoom(route, candidate.clink)) continue
      yield candidate
      // It may have taken its place.
      hasRoom = capacity.limits.rooms()
    }
  }

  forget(clinkId: string): void {
    this.#all.delete(clinkId)
  }

  /**
   * The clink takes its place in its route, before it is claimed.
   *
   * @param own seats that it has already.
   * @returns how many it takes; undefined: it is held back.
   */
  place(candidate: Candidate, wanted: Purpose, own = 0): number | undefined {
    if (!('run' in wanted)) return 1
    const { capacity, context } = this.#shared
    const { route } = wanted.run
    const hasSeats = capacity.hasSeatsFor(route, own)
    if (hasSeats && capacity.limits.reserve(route, candidate.clink)) return capacity.seatsOf(route)
    const { since = Infinity } = this.#all.get(candidate.clink.clink_id) ?? {}
    this.#keep({ candidate, route, since: hasSeats ? Infinity : Math.min(since, context.clock.now()) })
    return undefined
  }

  #keep(one: HeldBackCandidate): void {
    const id = one.candidate.clink.clink_id
    if (this.#all.size >= KEPT && !this.#all.has(id)) this.#isCut = true
    else this.#all.set(id, one)
  }

  get #next(): HeldBackCandidate | undefined {
    const { capacity, context } = this.#shared
    const before = context.clock.now() - PASSED_OVER
    const hasRoom = capacity.limits.rooms()
    const isNext = ({ candidate, route, since }: HeldBackCandidate): boolean =>
      since <= before && capacity.isOpen(route) && hasRoom(route, candidate.clink)
    return [...this.#all.values()].find(isNext)
  }
}
