import { asError } from '../../base/coded-error.ts'
import { onAbort } from '../../base/on-abort.ts'
import type { Clink } from '../../clink/records.ts'
import type { Capacity } from '../capacity/capacity.ts'
import type { ClaimInHand } from '../claim/claim-in-hand.ts'
import type { ClaimEnding } from '../claim/claim-ending.ts'
import { LeaseKeeper } from '../claim/keeper.ts'
import type { Lease } from '../claim/lease.ts'
import { tellEnd } from '../delivery/told.ts'
import type { AdmissionContext } from './context.ts'

/** Undefined: it could not be found out, or a stop waits no longer. */
export type Decided<Known> = (known: Known | undefined, lease: Lease) => unknown

/**
 * Claims of which it is not known yet whether their clinks are our work, since a pattern is being tried. They are in hand as any other:
 * each has a seat, is renewed, and is lost at its deadline. No poll waits for them, and a stop interrupts them.
 */
export class Undecided {
  readonly #context: AdmissionContext
  readonly #capacity: Pick<Capacity, 'reserve'>
  readonly #work = new Map<string, Promise<void>>()
  readonly #hurried = new AbortController()

  constructor(context: AdmissionContext, capacity: Pick<Capacity, 'reserve'>) {
    this.#context = context
    this.#capacity = capacity
  }

  get ids(): readonly string[] {
    return [...this.#work.keys()]
  }

  has(clinkId: string): boolean {
    return this.#work.has(clinkId)
  }

  /** @param decided called with what is known and what is left of the lease, unless the claim has ended by then, which is said. */
  begin<Known>(clink: Clink, claim: ClaimInHand, finding: Promise<Known>, decided: Decided<Known>): void {
    const id = clink.clink_id
    const seat = this.#capacity.reserve(1)
    const work = this.#keep(clink, claim, finding, decided)
      .catch((error: unknown) => this.#context.signals.crashed.say('admission', asError(error)))
      .finally(() => {
        this.#work.delete(id)
        seat.free()
      })
    this.#work.set(id, work)
  }

  /** From now on nothing is waited for. */
  hurry(): void {
    this.#hurried.abort()
  }

  /** Resolves when there are none. */
  async over(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work.values())
  }

  async #keep<Known>(
    clink: Clink,
    claim: ClaimInHand,
    finding: Promise<Known>,
    decided: Decided<Known>,
  ): Promise<void> {
    const { promise: over, resolve } = Promise.withResolvers<undefined>()
    let ending: ClaimEnding | undefined
    const ended = (how: ClaimEnding): void => {
      ending = how
      resolve(undefined)
    }
    const owner = { facts: { clink }, note: async () => {}, renewed: () => {}, ended }
    const holder = new LeaseKeeper({ clink, claim, context: this.#context, owner })
    const leave = onAbort(this.#hurried.signal, () => resolve(undefined))
    holder.start()
    const known = await Promise.race([this.#orSay(clink, finding), over])
    leave()
    await holder.stopRenewing()
    holder.check()
    holder.stop()
    if (ending === undefined) await decided(known, holder.lease)
    else this.#tell(clink, ending)
  }

  async #orSay<Known>({ clink_id: clinkId }: Clink, finding: Promise<Known>): Promise<Known | undefined> {
    try {
      return await finding
    } catch (error) {
      const { message: detail } = asError(error)
      this.#context.emit({ event: 'clink.leftAlone', clinkId, why: 'unjudged', detail })
      return undefined
    }
  }

  #tell(clink: Clink, ending: ClaimEnding): void {
    const settled =
      ending.is === 'left'
        ? ({ is: 'left-to-expire', why: ending.why } as const)
        : ({ is: 'lost', cause: ending.cause, whileTelling: false, lapsedAt: undefined } as const)
    tellEnd(settled, { clink }, this.#context)
  }
}
