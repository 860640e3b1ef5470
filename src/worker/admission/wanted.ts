import { asError } from '../../base/coded-error.ts'
import type { Clink } from '../../clink/records.ts'
import type { Memory } from '../../ledger/memory.ts'
import type { Deliveries } from '../delivery/deliveries.ts'
import type { Acknowledgements } from './acknowledgements.ts'
import type { ClaimsById } from './claims-by-id.ts'
import type { AdmissionParts } from './context.ts'
import type { Doubts } from './doubts.ts'
import type { Judging } from './judging.ts'
import type { LeftAloneNotices } from './left-alone.ts'
import type { Parked } from './parked.ts'
import type { Undecided } from './undecided.ts'
import type { Purpose, Verdict } from './verdict.ts'

/** Who else may have the clink in hand, and what it is judged by. */
export interface WantedParts {
  readonly acknowledgements: Acknowledgements
  readonly byId: ClaimsById
  readonly deliveries: Deliveries
  readonly doubts: Doubts
  readonly judging: Judging
  readonly notices: LeftAloneNotices
  readonly parked: Parked
  readonly undecided: Undecided
}

/** Milliseconds until a claim that did not tell who we are is followed by another. */
const IDENTIFY_AGAIN = 300_000

/** Which clinks of a list are to be claimed by id, and what for. */
export class Wanted {
  readonly #context: AdmissionParts['context']
  readonly #parts: WantedParts
  /** Local time until which no clink is claimed to find out who we are, since the last one did not tell. */
  #identifyAt = -Infinity

  constructor({ context }: AdmissionParts, parts: WantedParts) {
    this.#context = context
    this.#parts = parts
  }

  /**
   * What a listed clink is wanted for; undefined: it is left alone.
   *
   * @param listedAt local time when the list was asked for.
   */
  for(clink: Clink, memory: Memory, listedAt: number): Purpose | undefined | Promise<Purpose | undefined> {
    void this.#context.ledger.sightings.see(clink.clink_id)
    if (!this.#isFree(clink, listedAt)) return undefined
    const judged = this.#parts.judging.of(clink, memory)
    if (!(judged instanceof Promise)) return this.#purpose(memory, judged)
    return judged.then(
      (verdict) => (this.#isFree(clink, listedAt) ? this.#purpose(memory, verdict) : undefined),
      (error: unknown) => {
        this.#parts.notices.say(clink.clink_id, 'unjudged', asError(error).message)
        return undefined
      },
    )
  }

  /** A claim that was made for that did not tell who we are. */
  identifiedNobody(): void {
    this.#identifyAt = this.#context.clock.now() + IDENTIFY_AGAIN
    this.#parts.doubts.raise('identity')
  }

  /** Nobody here has a claim on the clink, and it may be our work as far as its record says. */
  #isFree(clink: Clink, listedAt: number): boolean {
    const id = clink.clink_id
    const { acknowledgements, byId, deliveries, parked, undecided } = this.#parts
    if (byId.has(id) || acknowledgements.has(id) || deliveries.completedSince(id, listedAt)) return false
    const isInHand = deliveries.withClaimOn(id) !== undefined || undecided.has(id) || parked.has(id)
    return !isInHand && this.#context.scope.has(clink)
  }

  #purpose(memory: Memory, verdict: Verdict): Purpose | undefined {
    const { clock, siblings } = this.#context
    const { doubts, judging, notices } = this.#parts
    if ('run' in verdict) return judging.mayStart(verdict.run.route, memory) ? verdict : undefined
    if ('acknowledge' in verdict && siblings.mayClaimById === true) return verdict
    if ('leave' in verdict && verdict.leave === 'identity-unknown') {
      if (clock.now() >= this.#identifyAt) return { identify: true }
      doubts.raise('identity')
    }
    notices.say(memory.clinkId, 'leave' in verdict ? verdict.leave : verdict.acknowledge)
    return undefined
  }
}
