import { Recent } from '../../base/recent.ts'
import type { Clink } from '../../clink/records.ts'
import type { Seats } from '../capacity/capacity.ts'
import { claimById, ClaimTries, type ClaimById, type ClaimByIdOptions } from '../claim/claim-by-id.ts'
import type { AdmissionContext } from './context.ts'
import type { Doubts } from './doubts.ts'
import type { Purpose } from './verdict.ts'

/** How many clinks are remembered as not claimed yet. */
const UNCLEAR = 10_000

/** The claims by id that are on their way: the service may show their clinks as ours before we know. */
export class ClaimsById {
  readonly #context: AdmissionContext
  readonly #doubts: Pick<Doubts, 'lower' | 'raise'>
  readonly #onTheirWay = new Set<string>()
  /** Clinks whose claims by id brought no verdict yet. */
  readonly #unclear = new Recent<ClaimTries>(UNCLEAR)

  constructor(context: AdmissionContext, doubts: Pick<Doubts, 'lower' | 'raise'>) {
    this.#context = context
    this.#doubts = doubts
  }

  has(clinkId: string): boolean {
    return this.#onTheirWay.has(clinkId)
  }

  /** Claims a clink that is wanted. @param seats what was reserved for it. */
  async make(
    clink: Clink,
    wanted: Purpose,
    seats: Seats,
    options: Omit<ClaimByIdOptions, 'context' | 'tries'>,
  ): Promise<ClaimById> {
    const id = clink.clink_id
    const tries = this.#unclear.get(id) ?? new ClaimTries()
    this.#onTheirWay.add(id)
    seats.route = 'run' in wanted ? wanted.run.route : undefined
    try {
      const answer = await claimById(clink, { context: this.#context, tries, ...options })
      if (this.#context.identity.isDenied) this.#doubts.raise('denied')
      else this.#doubts.lower('denied')
      if (answer.is === 'failed' && answer.isUnowned === true) this.#doubts.raise('owner')
      else if (answer.is === 'claimed') this.#doubts.lower('owner')
      if (answer.is === 'claimed' || answer.is === 'refused') this.#unclear.delete(id)
      else this.#unclear.set(id, tries)
      return answer
    } finally {
      this.#onTheirWay.delete(id)
      seats.route = undefined
    }
  }
}
