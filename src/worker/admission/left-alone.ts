import { Recent } from '../../base/recent.ts'
import type { Emit, LeftAlone } from '../../events.ts'

/** How many clinks are remembered as left alone. */
const SAID = 10_000

/** Says why clinks are left alone, once, and counts them: a list shows them again and again. */
export class LeftAloneNotices {
  readonly #emit: Emit
  readonly #said = new Recent<LeftAlone>(SAID)
  #unrouted = 0

  constructor(emit: Emit) {
    this.#emit = emit
  }

  /** How many clinks were left alone, by why, of those that are remembered. */
  get counts(): ReadonlyMap<LeftAlone, number> {
    const counts = new Map<LeftAlone, number>()
    for (const why of this.#said.values()) counts.set(why, (counts.get(why) ?? 0) + 1)
    return counts
  }

  /** It is left alone no more. */
  forget(id: string): void {
    this.#said.delete(id)
  }

  /** How many clinks no route has taken. */
  get unrouted(): number {
    return this.#unrouted
  }

  say(id: string | undefined, why: LeftAlone, detail?: string): void {
    if (id !== undefined && !this.note(id, why)) return
    this.#emit({ event: 'clink.leftAlone', clinkId: id, why, ...(detail === undefined ? {} : { detail }) })
  }

  /** @returns whether that is new. */
  note(id: string, why: LeftAlone): boolean {
    if (this.#said.get(id) === why) return false
    this.#said.set(id, why)
    if (why === 'no-route') this.#unrouted += 1
    return true
  }
}
