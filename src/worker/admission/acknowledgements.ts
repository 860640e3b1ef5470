import { asError } from '../../base/coded-error.ts'
import type { Clink } from '../../clink/records.ts'
import { tellEnd } from '../delivery/told.ts'
import { complete } from '../settlement/complete.ts'
import { circleEnd } from '../replies/sign.ts'
import type { ClaimInHand } from '../claim/claim-in-hand.ts'
import type { Parked } from './parked.ts'
import { LeaseKeeper } from '../claim/keeper.ts'
import type { AdmissionParts } from './context.ts'

/** Why a clink is completed without being run. */
export type Acknowledgement =
  | { readonly acknowledge: 'own-reply' | 'note' }
  /** Its sender reads that. */
  | { readonly acknowledge: 'circle'; readonly hops: number }

/**
 * Clinks that are claimed and not work, and that are completed. Nobody waits for it: a service that does not take that must not hold up
 * the polls.
 */
export class Acknowledgements {
  /** How many circles have come to their end. */
  circlesEnded = 0
  readonly #shared: AdmissionParts
  readonly #parked: Parked
  readonly #work = new Map<string, { readonly holder: LeaseKeeper; readonly over: Promise<void> }>()
  #isDraining = false

  constructor(shared: AdmissionParts, parked: Parked) {
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

  begin(clink: Clink, claim: ClaimInHand, why: Acknowledgement): void {
    const id = clink.clink_id
    if (this.has(id)) return
    if (this.#isDraining) return this.#parked.add(clink, claim, 'stopping')
    const { context } = this.#shared
    this.#parked.handOver(id)
    const holder = new LeaseKeeper({ clink, claim, context })
    const over = this.#acknowledge(clink, claim, why, holder)
      .catch((error: unknown) => context.signals.crashed.say('acknowledgement', asError(error)))
      .finally(() => this.#work.delete(id))
    this.#work.set(id, { holder, over })
  }

  /** The worker stops: a claim of which it is not known yet how long it lasts is given back, and so is what begins from now on. */
  drain(): void {
    this.#isDraining = true
    for (const { holder } of this.#work.values()) if (holder.isUnconfirmed) void holder.stopRenewing()
  }

  /** Resolves when none is on its way. */
  async over(): Promise<void> {
    while (this.#work.size > 0) await Promise.all([...this.#work.values()].map(async ({ over }) => await over))
  }

  async #acknowledge(clink: Clink, claim: ClaimInHand, why: Acknowledgement, holder: LeaseKeeper): Promise<void> {
    const { context } = this.#shared
    const pulse = context.pulses.begin(clink.clink_id)
    const trying = (within: number): void => pulse.expect('settlement', within)
    trying(claim.lease.deadline - context.clock.now())
    try {
      holder.start()
      await holder.confirmed
      if (holder.isUnconfirmed && this.#isDraining && holder.stands) {
        await holder.stopRenewing()
        return this.#parked.add(clink, { ...claim, lease: holder.lease }, 'stopping')
      }
      if (holder.isUnconfirmed) {
        return tellEnd({ is: 'left-to-expire', why: UNCONFIRMED }, { clink }, context)
      }
      const result = await complete(
        { clink, api: claim.key.api, holder, facts: { clink }, trying },
        why.acknowledge === 'circle' ? circleEnd(context.settings.current.replies.mark, why.hops) : undefined,
        context,
      )
      const isSettled = result.is === 'completed' || result.is === 'elsewhere'
      if (!isSettled) return this.#parked.add(clink, { ...claim, lease: holder.lease }, why.acknowledge)
      tellEnd(result, { clink }, context)
      if (why.acknowledge !== 'circle') return
      this.circlesEnded += 1
      context.emit({ event: 'clink.circleEnded', clink, hops: why.hops, advice: CIRCLE_ADVICE })
    } finally {
      holder.stop()
      pulse.end()
    }
  }
}

const CIRCLE_ADVICE =
  'its sender and this worker answer each other: let one of their handlers return nothing, or raise inbox.maxHops if their work takes so many steps'
const UNCONFIRMED = 'the service does not say how long its claim lasts, and did not renew it'
