import { asError } from '../base/coded-error.ts'
import type { Clink } from '../clink/records.ts'
import type { WorkerKey } from '../keys/keys.ts'
import { complete } from './complete.ts'
import type { DeliveryShared } from './delivery-shared.ts'
import type { Lease } from './lease.ts'
import { unrenewed, type Parked } from './parked.ts'

/**
 * Clinks that are claimed and not work, and that are completed without a response. Nobody waits for it: a service that does not take
 * one must not hold up the polls.
 */
export class Acknowledgements {
  readonly #shared: DeliveryShared
  readonly #parked: Parked
  readonly #work = new Map<string, Promise<void>>()

  constructor(shared: DeliveryShared, parked: Parked) {
    this.#shared = shared
    this.#parked = parked
  }

  /** Clinks of which Clink is being told. */
  get ids(): readonly string[] {
    return [...this.#work.keys()]
  }

  has(clinkId: string): boolean {
    return this.#work.has(clinkId)
  }

  begin(clink: Clink, lease: Lease, key: WorkerKey): void {
    const id = clink.clink_id
    if (this.has(id)) return
    const work = this.#acknowledge(clink, lease, key)
      .catch((error: unknown) => this.#shared.crashed('acknowledgement', asError(error)))
      .finally(() => this.#work.delete(id))
    this.#work.set(id, work)
  }

  /** Resolves when none is on its way. */
  async over(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work.values())
  }

  async #acknowledge(clink: Clink, lease: Lease, key: WorkerKey): Promise<void> {
    const { context } = this.#shared
    const pulse = context.pulses.begin(clink.clink_id)
    const holder = unrenewed(lease, () => context.clock.now())
    const trying = (dueBy: number): void => pulse.expect('settlement', dueBy)
    try {
      const result = await complete(
        { clink, api: key.api, holder, facts: () => ({ clink }), trying },
        undefined,
        context,
      )
      if (result.is === 'settled') context.emit(result.event)
      else this.#parked.add(clink, lease, 'own-reply', key)
    } finally {
      pulse.end()
    }
  }
}
