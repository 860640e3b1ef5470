import type { AdmissionParts } from '../admission/context.ts'
import type { Intake } from '../admission/intake.ts'
import type { Parked } from '../admission/parked.ts'
import { UNUSABLE } from '../claim/terms.ts'
import type { Taken } from '../signals.ts'
import type { Batch } from './batch.ts'
import { claimingMode, type Claiming, type ClaimingMode } from './mode.ts'
import type { Select } from './select.ts'

export interface WaysParts {
  readonly batch: Batch
  readonly select: Select
  readonly intake: Intake
  readonly parked: Parked
}

/** The two ways of claiming, and which of them is right at the moment. */
export class Ways {
  readonly #shared: Pick<AdmissionParts, 'capacity' | 'context' | 'health' | 'pauses'>
  readonly #parts: WaysParts
  #isSaid = false
  /** What is being taken. */
  #taking: Promise<unknown> | undefined

  constructor(shared: Pick<AdmissionParts, 'capacity' | 'context' | 'health' | 'pauses'>, parts: WaysParts) {
    this.#shared = shared
    this.#parts = parts
  }

  get mode(): ClaimingMode {
    const { clock, keys, settings, siblings, terms } = this.#shared.context
    const { intake, select } = this.#parts
    if (keys.refusal !== undefined) return { mode: 'none', isFinal: false, ...keys.refusal }
    const isAllOurs = this.#isAllOurs()
    const { mayClaimById, mayTry } = siblings
    const mode = claimingMode(settings.current, {
      mayClaimById,
      mayTry,
      pollsTell: intake.pollsTell,
      // What a claiming poll takes and parks hides nothing that lies behind it.
      isAllOurs: (isAllOurs || !select.reaches) && !select.isClaiming,
    })
    if (settings.current.inbox.claim === 'auto' && !isAllOurs) siblings.want()
    if (mode.mode === 'batch') this.#sayOfLimits()
    // Claims by id ask for a length themselves: they go on.
    const isUseless = mode.mode === 'batch' && clock.now() < terms.unusableUntil
    return isUseless ? { mode: 'none', isFinal: true, ...UNUSABLE } : mode
  }

  /** Clinks may be out of reach, whichever way is taken. */
  get isStarved(): boolean {
    return this.#parts.batch.laps.isStarved || this.#parts.select.isStarved
  }

  /** Local time at which a claim that failed is to be made again; `Infinity`: there is none. */
  get retryAt(): number {
    return this.#parts.select.retryAt
  }

  /** The last look has made no claim, since all that it could have claimed waits for its place. */
  get isHeldUp(): boolean {
    return this.#parts.select.isHeldUp
  }

  /** So much of what is listed may be claimed at once, as far as the service is concerned. */
  get most(): number {
    return this.#parts.select.most
  }

  /** As `Claiming.take`. */
  async take(mode: 'batch' | 'select', ...how: Parameters<Claiming['take']>): Promise<Taken> {
    const taking = this.#parts[mode].take(...how)
    this.#taking = taking
    try {
      return await taking
    } finally {
      this.#taking = undefined
    }
  }

  get isTaking(): boolean {
    return this.#taking !== undefined
  }

  /** Resolves when what is on its way has ended and what it brought was admitted. */
  async over(): Promise<void> {
    await this.#taking?.catch(() => {})
  }

  /** Where claims by id may not be made, or are not wanted, limits of routes cannot hold back claims. Said once. */
  #sayOfLimits(): void {
    const { emit, router, settings, siblings } = this.#shared.context
    const isForGood = settings.current.inbox.claim === 'batch' || siblings.mayClaimById === false
    if (this.#isSaid || !isForGood) return
    const routes = router.routes.filter(({ limits }) => limits !== undefined).map(({ name }) => name)
    if (routes.length === 0) return
    this.#isSaid = true
    const advice = settings.current.inbox.claim === 'batch' ? CHOOSE : EXCLUSIVE
    emit({ event: 'route.limitsHoldStarts', routes, advice })
  }

  /** Whether a claiming poll would bring only clinks that can start. */
  #isAllOurs(): boolean {
    const { clock, ledger, router, terms } = this.#shared.context
    const { intake, parked } = this.#parts
    return (
      router.takesAll &&
      router.routes.every(({ limits }) => limits === undefined) &&
      !terms.areUnusable &&
      parked.size === 0 &&
      this.#shared.health.paused.length === 0 &&
      !this.#shared.pauses.areAny &&
      !this.#shared.capacity.isShortOfThreads &&
      !ledger.hasLeftAlone(clock.wall()) &&
      !intake.quarantine.isWaiting
    )
  }
}

const HELD = 'what a poll brings for a route at its limit waits on its claim, which is renewed'
const CHOOSE = `${HELD}: set inbox.claim: auto, so that limits hold back claims as well`
const EXCLUSIVE = `${HELD}: set claim.exclusive: true if nobody else uses this key, so that limits hold back claims as well`
