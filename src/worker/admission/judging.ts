import type { Clink } from '../../clink/records.ts'
import type { Route } from '../../handlers/route.ts'
import type { Memory } from '../../ledger/memory.ts'
import type { ClaimInHand } from '../claim/claim-in-hand.ts'
import type { AdmissionParts } from './context.ts'
import type { Quarantine } from './quarantine.ts'
import type { Undecided } from './undecided.ts'
import { judge, type Verdict } from './verdict.ts'

/** Who takes clinks in. */
export interface TakesIn {
  readonly quarantine: Pick<Quarantine, 'has'>
  /** Everything that arrives is given back. */
  readonly isClosing: boolean
}

/** What a clink is at this moment: the verdict on it, as far as it may start now. */
export class Judging {
  readonly #shared: AdmissionParts
  readonly #undecided: Undecided
  readonly #intake: TakesIn

  constructor(shared: AdmissionParts, undecided: Undecided, intake: TakesIn) {
    this.#shared = shared
    this.#undecided = undecided
    this.#intake = intake
  }

  /** A promise only where finding the route is one; it rejects where that fails. */
  of(clink: Clink, memory: Memory): Verdict | Promise<Verdict> {
    if (this.#intake.quarantine.has(clink.clink_id)) return { leave: 'malformed' }
    const { context } = this.#shared
    const { slugs } = context.scope
    if (slugs.isMissing(clink)) return { leave: 'unjudged' }
    const verdict = judge(slugs.named(clink), memory, context)
    return verdict instanceof Promise ? verdict.then((late) => this.#now(memory, late)) : this.#now(memory, verdict)
  }

  /** Whether a clink that was left alone is work now, or to be acknowledged: it was judged by other routes, or another configuration. */
  async isWanted(clink: Clink): Promise<boolean> {
    const { ledger, scope } = this.#shared.context
    const judged = this.of(clink, await ledger.recallOne(clink.clink_id))
    // Where its route cannot be found now, its next claim tries again.
    const verdict = await Promise.resolve(judged).catch(() => undefined)
    return verdict !== undefined && !('leave' in verdict) && scope.has(clink)
  }

  /** Holds on to a claim until its clink is judged. @param follow what is to be done then, unless the claim has ended. */
  later<Claim extends ClaimInHand>(
    clink: Clink,
    claim: Claim,
    judged: Promise<Verdict>,
    follow: (verdict: Verdict, claim: Claim) => unknown,
  ): void {
    this.#undecided.begin(clink, claim, judged, (known, lease) => {
      const verdict: Verdict = this.#intake.isClosing ? { leave: 'stopping' } : (known ?? { leave: 'unjudged' })
      return follow(verdict, { ...claim, lease })
    })
  }

  mayStart(route: Route, memory: Memory): boolean {
    const { capacity, health, runs } = this.#shared
    // Of a paused route no clink is claimed whose code goes on: it could not probe.
    if (health.isPaused(route) && runs.has(memory.clinkId)) return false
    return capacity.isOpen(route) && health.wait(route, memory) === 0
  }

  /** Why nothing of the route is taken; undefined: it is. */
  whyClosed(route: Route): 'stopping' | 'paused' | undefined {
    if (this.#intake.isClosing) return 'stopping'
    return this.#shared.pauses.holds(route) ? 'paused' : undefined
  }

  #now(memory: Memory, verdict: Verdict): Verdict {
    if (this.#intake.isClosing) return { leave: 'stopping' }
    if ('run' in verdict && this.#shared.pauses.holds(verdict.run.route)) return { leave: 'paused' }
    const isHeldBack = 'run' in verdict && !this.mayStart(verdict.run.route, memory) && !this.#shared.capacity.mayHold()
    return isHeldBack ? { leave: 'paused' } : verdict
  }
}
