import type { Clink } from '../../clink/records.ts'
import type { AdmissionContext } from '../admission/context.ts'
import { DOCUMENTED_TIMEOUT } from '../claim/lease.ts'
import type { ClaimTerms } from '../claim/terms.ts'
import type { Ending } from '../signals.ts'

interface ComeBackContext extends Pick<AdmissionContext, 'clock' | 'ledger' | 'settings' | 'signals'> {
  readonly terms: Pick<ClaimTerms, 'longest'>
}

/** Milliseconds that the service may be late with the end of a claim, and with showing its clink. */
const LATE = 2_000

/**
 * When clinks that were in hand here, or of a worker that is gone, may be in the inbox once more: given back without a wait, or left with a claim that
 * runs out. They are not new, so that only a look at everything shows them.
 */
export class ComeBack {
  readonly #context: ComeBackContext
  /** Local times that are still to come, in whole seconds: of many that come back together one is enough. */
  readonly #at = new Set<number>()
  /** The last one that has come. */
  #last = -Infinity

  constructor(context: ComeBackContext) {
    this.#context = context
    context.signals.settled.on((clink, how) => this.#note(clink, how))
    context.signals.departed.on((ago) => this.#departed(context.clock.now() - ago))
  }

  /** Whether some may have come back since this local time. */
  hasSince(time: number): boolean {
    this.#pass()
    return this.#last > time
  }

  #note({ clink_id: id }: Clink, how: Ending): void {
    const { clock, ledger, settings } = this.#context
    const now = clock.now()
    // What is left alone for a while is known by that.
    if (how.is === 'released' && ledger.cooling.of(id) === 0) this.#add(now)
    if (how.is !== 'lost' && how.is !== 'left-to-expire') return
    if (how.is === 'lost' && how.lapsedAt !== undefined) this.#add(Math.max(now, how.lapsedAt) + LATE)
    // A renewal that was not answered may have made the claim longer.
    this.#add(now + settings.current.claim.timeout + LATE)
  }

  /**
   * What it had claimed by polls lasts as long as the service gives unless it says more, whatever it would have asked for.
   *
   * @param at local time since which it has made no claim longer.
   */
  #departed(at: number): void {
    const { settings, terms } = this.#context
    this.#add(at)
    for (const length of [settings.current.claim.timeout, DOCUMENTED_TIMEOUT, terms.longest])
      this.#add(at + length + LATE)
  }

  /** Where clinks are claimed by polls nobody asks, so that what has passed is forgotten here as well. */
  #add(time: number): void {
    this.#pass()
    this.#at.add(Math.ceil(time / 1_000) * 1_000)
  }

  #pass(): void {
    const now = this.#context.clock.now()
    for (const at of this.#at) {
      if (at > now) continue
      this.#last = Math.max(this.#last, at)
      this.#at.delete(at)
    }
  }
}
