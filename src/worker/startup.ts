import type { HeldClaim } from '../ledger/process.ts'
import { resumeClaims } from './admission/resumed-claims.ts'
import { standingLease } from './claim/journalled-claim.ts'
import { endSurvivors } from './execution/survivors.ts'
import type { WorkerParts } from './parts.ts'

export type StartupParts = Pick<WorkerParts, 'shared' | 'deliveries' | 'parked' | 'poller' | 'reruns' | 'undecided'>

/** Milliseconds in which the journal has taken what a start notes of the claims of an earlier process, however many they are. */
const NOTED = 40_000

/** How a worker begins: it holds on to what an earlier process held, then it polls. */
export class Startup {
  readonly #parts: StartupParts
  #done: Promise<void> = Promise.resolve()
  /** Claims of an earlier process that are not taken up yet. */
  #left: readonly HeldClaim[] = []

  constructor(parts: StartupParts) {
    this.#parts = parts
  }

  /** @param resume false: the claims that the ledger knows are another worker's. */
  async begin(resume: boolean): Promise<void> {
    this.#done = this.#begin(resume)
    await this.#done
  }

  /** Resolves when nothing is being held on to any more. Whoever began it is told of its fault. */
  async over(): Promise<void> {
    await this.#done.catch(() => {})
  }

  /** Ids of clinks whose claims an earlier process left, and of which it is not known yet what has become: the fleet has not said it. */
  get left(): readonly string[] {
    const { boot, clock } = this.#parts.shared.context
    return this.#left
      .filter((claim) => standingLease(claim, clock, boot) !== undefined)
      .map(({ clink }) => clink.clink_id)
  }

  async #begin(resume: boolean): Promise<void> {
    const { poller, reruns, shared } = this.#parts
    const { crashWatch, ledger, pulses, stopping } = shared.context
    const starting = pulses.begin()
    starting.expect('start', NOTED)
    const claims = ledger.process.claims()
    // In one commit: a crash right after it is none of what was running before.
    await shared.pauses.restore()
    const noted = claims.map(async (claim) => await ledger.process.hold({ ...claim, running: false }))
    const inHand = [...claims, ...reruns.left]
    await Promise.all([crashWatch.begin(inHand, resume), ...noted, reruns.restore(resume)])
    endSurvivors(shared.runs, shared.context, resume)
    const parked = ledger.process.parked()
    if (resume) {
      this.#left = claims
      await resumeClaims(claims, parked, this.#parts)
      this.#left = []
    } else {
      const { process } = ledger
      await Promise.all([
        ...claims.map(({ clink }) => process.drop(clink.clink_id)),
        ...parked.map(({ clink }) => process.unpark(clink.clink_id)),
      ])
    }
    if (!stopping.aborted) poller.start()
    starting.end()
  }
}
