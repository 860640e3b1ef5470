import type { Cancel } from '../base/clock.ts'
import { Recent } from '../base/recent.ts'
import type { Clink } from '../clink/records.ts'
import type { LeftAlone } from '../events.ts'
import type { ClinkApi } from '../clink/clink-api.ts'
import type { WorkerKey } from '../keys/keys.ts'
import type { WorkerContext } from './context.ts'
import type { Lease, LeaseHolder } from './lease.ts'
import { release } from './release.ts'

/** How many clinks are remembered as parked before. */
const KNOWN = 10_000

interface Entry {
  readonly clink: Clink
  readonly api: ClinkApi
  readonly holder: LeaseHolder
  readonly forget: Cancel
}

/**
 * Claims on clinks that are not run now. A claiming poll gives them whether wanted or not; released at once they would come
 * back with the next poll, so they are kept, without a slot and without renewal, until they run out. A stop releases them.
 */
export class Parked {
  readonly #context: WorkerContext
  readonly #entries = new Map<string, Entry>()
  readonly #known = new Recent<true>(KNOWN)
  /** A claim is released once, though the end of polling closes again; a new claim on the same clink is another one. */
  readonly #releases = new Map<Entry, Promise<void>>()
  #closed = false

  constructor(context: WorkerContext) {
    this.#context = context
  }

  get size(): number {
    return this.#entries.size
  }

  get ids(): readonly string[] {
    return [...this.#entries.keys()]
  }

  /** Whether a claim on the clink is parked. */
  has(clinkId: string): boolean {
    return this.#entries.has(clinkId)
  }

  /** Whether the clink was ever parked. */
  knows(clinkId: string): boolean {
    return this.#known.get(clinkId) !== undefined
  }

  add(clink: Clink, lease: Lease, why: LeftAlone, { api }: WorkerKey): void {
    const { clock, emit } = this.#context
    const holder = unrenewed(lease, () => clock.now())
    const forget = clock.at(lease.end, () => this.#entries.delete(clink.clink_id))
    this.#entries.get(clink.clink_id)?.forget()
    this.#entries.set(clink.clink_id, { clink, api, holder, forget })
    this.#known.set(clink.clink_id, true)
    emit({ event: 'clink.parked', clink, why, lease: lease.deadline - clock.now() })
    if (this.#closed) this.#release(clink.clink_id)
  }

  /** Releases the claim on one clink, if it is parked, so that it comes back at once. Resolves when that is over. */
  async giveBack(clinkId: string): Promise<void> {
    this.#release(clinkId)
    const entry = this.#entries.get(clinkId)
    if (entry !== undefined) await this.#releases.get(entry)
  }

  /** Releases what is parked, and from now on whatever is added. Resolves when nothing is left to release. */
  async close(): Promise<void> {
    this.#closed = true
    for (const id of this.#entries.keys()) this.#release(id)
    while (this.#releases.size > 0) await Promise.all(this.#releases.values())
  }

  #release(id: string): void {
    const entry = this.#entries.get(id)
    if (entry === undefined || this.#releases.has(entry)) return
    const work = this.#endClaim(entry).finally(() => this.#releases.delete(entry))
    this.#releases.set(entry, work)
  }

  async #endClaim(entry: Entry): Promise<void> {
    const { api, clink, holder, forget } = entry
    const claimed = { clink, api, holder, facts: () => ({ clink }), isLast: () => this.#closed }
    const event = await release(claimed, 'parked', undefined, this.#context)
    // At the end of the time for stopping the entry stays: it is named as left behind.
    if (this.#context.closing.aborted) return
    forget()
    if (this.#entries.get(clink.clink_id) === entry) this.#entries.delete(clink.clink_id)
    this.#context.emit(event)
  }
}

/** A claim that nobody renews. */
export function unrenewed(lease: Lease, now: () => number): LeaseHolder {
  return {
    lease,
    get stands() {
      return now() < lease.deadline
    },
    async quiet() {},
  }
}
