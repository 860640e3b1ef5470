import { Recent } from '../../base/recent.ts'
import type { Emit, LeftAlone } from '../../events.ts'

/** How many clinks are remembered as left alone. */
const SAID = 10_000

/** Says why clinks are left alone, once: a list shows them again and again. */
export class LeftAloneNotices {
  readonly #emit: Emit
  readonly #said = new Recent<LeftAlone>(SAID)

  constructor(emit: Emit) {
    this.#emit = emit
  }

  say(id: string | undefined, why: LeftAlone, detail?: string): void {
    if (id !== undefined && this.#said.get(id) === why) return
    if (id !== undefined) this.#said.set(id, why)
    this.#emit({ event: 'clink.leftAlone', clinkId: id, why, ...(detail === undefined ? {} : { detail }) })
  }
}
