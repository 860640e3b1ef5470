import type { Clink } from '../../clink/records.ts'
import type { Route } from '../../handlers/route.ts'
import type { Memory } from '../../ledger/memory.ts'
import type { WorkerKey } from '../../keys/keys.ts'

/** A clink that was listed as pending. */
export interface Candidate {
  readonly clink: Clink
  /** As it was when the clink was listed. */
  readonly memory: Memory
  /** Local time when the list was asked for that shows it as pending. */
  readonly listedAt: number
  /** The key that listed it: to another owner the service shows other clinks. */
  readonly key: WorkerKey
}

/** More clinks than this are not kept while their routes are at their limits: a sweep brings them back. */
const HELD_BACK = 1_000

/** What is listed and waits to be claimed, in the order of the list. */
export class Backlog extends Map<string, Candidate> {
  get candidates(): readonly Candidate[] {
    return [...this.values()]
  }

  /** Those whose routes were at their limits, with these: what lies behind them goes on. */
  readonly #heldBack = new Map<string, Candidate & { readonly route: Route }>()
  /** There are more of them than are kept. */
  #isCut = false

  add(candidate: Candidate): void {
    const id = candidate.clink.clink_id
    const heldBack = this.#heldBack.get(id)
    if (heldBack === undefined) this.set(id, candidate)
    else this.#heldBack.set(id, { ...candidate, route: heldBack.route })
  }

  holdBack(candidate: Candidate, route: Route): void {
    const id = candidate.clink.clink_id
    if (this.#heldBack.size >= HELD_BACK && !this.#heldBack.has(id)) this.#isCut = true
    else this.#heldBack.set(id, { ...candidate, route })
  }

  get areHeldBack(): boolean {
    return this.#heldBack.size > 0
  }

  /** Whether some of what was forgotten may be claimed: true once. */
  get isShort(): boolean {
    const isShort = this.#isCut && this.#heldBack.size < HELD_BACK / 2
    if (isShort) this.#isCut = false
    return isShort
  }

  /** Those that may be claimed by now, the longest waiting first. */
  *let(hasRoom: (route: Route, clink: Clink) => boolean): Iterable<Candidate> {
    for (const { route, ...candidate } of this.#heldBack.values()) if (hasRoom(route, candidate.clink)) yield candidate
  }

  forget(clinkId: string): void {
    this.delete(clinkId)
    this.#heldBack.delete(clinkId)
  }

  /** It is the next to be claimed. */
  putBack(candidate: Candidate): void {
    const { candidates } = this
    this.clear()
    this.add(candidate)
    for (const one of candidates) this.add(one)
  }
}
