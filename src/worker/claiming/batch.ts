import type { InboxPage } from '../../clink/client.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import type { Mark } from '../../clink/service-time.ts'
import { forMe } from '../../config/for-me.ts'
import type { Taken } from '../signals.ts'
import type { Claiming } from './mode.ts'
import type { HeldBefore } from './held-before.ts'
import { Laps } from './laps.ts'
import type { Intake } from '../admission/intake.ts'
import type { LostClaims } from './lost-claims.ts'
import { Unclaimed } from './unclaimed.ts'
import type { AdmissionParts } from '../admission/context.ts'
import type { Seats } from '../capacity/capacity.ts'

/** The most that one poll asks for: the service documents no inbox limit, but 100 for its other listing. */
const LARGEST_PAGE = 100

/** Claims by polling: whatever the poll returns is ours then. It is never repeated by itself, since it may have claimed. */
export class Batch implements Claiming {
  readonly laps: Laps
  readonly #shared: AdmissionParts
  readonly #intake: Intake
  readonly #lostClaims: LostClaims
  readonly #heldBefore: HeldBefore
  readonly #unclaimed: Unclaimed

  constructor(shared: AdmissionParts, intake: Intake, lostClaims: LostClaims, heldBefore: HeldBefore) {
    this.#shared = shared
    this.#unclaimed = new Unclaimed(shared.context)
    this.laps = new Laps(shared.context)
    this.#intake = intake
    this.#lostClaims = lostClaims
    this.#heldBefore = heldBefore
  }

  async take(signal: AbortSignal): Promise<Taken> {
    return await this.#lostClaims.after(this.#take(signal))
  }

  async #take(signal: AbortSignal): Promise<Taken> {
    const { clock, terms } = this.#shared.context
    await this.#heldBefore.look(signal)
    // Where what is claimed comes to nothing, one clink is enough to see whether it does so still.
    const asked = Math.min(terms.areUnusable ? 1 : LARGEST_PAGE, this.#shared.capacity.unchosen)
    if (asked < 1) return { sentAt: clock.now(), isNews: false, isMore: true, isWhole: false, isEmpty: false }
    const seats = this.#shared.capacity.reserve(asked)
    try {
      return await this.#claim(asked, seats, signal)
    } finally {
      if (seats.isSent) seats.free()
    }
  }

  async #claim(asked: number, seats: Seats, signal: AbortSignal): Promise<Taken> {
    const { clock, emit, keys, serviceTime, terms } = this.#shared.context
    const [key, sentAt] = [keys.current, clock.now()]
    // A claim by id may be answered meanwhile, and be newer than what the poll claims.
    const before = serviceTime.newest
    const page = await this.#shared.context.scope.named(await this.#poll(asked, seats, before, signal), signal)
    const received = page.clinks.length + page.malformed.length
    const { claimed, fresh, isStrange, runnable, untold } = await this.#intake.admit(page, sentAt, key)
    if (untold > 0) this.#lostClaims.lost(untold, seats, before)
    if (claimed > 0) terms.tried()
    emit({ event: 'poll.succeeded', looked: true, asked, received, claimed, duration: clock.now() - sentAt })
    // Claims on records without an id: nobody can give them back, and what lies behind them shows only while they last.
    const nameless = page.malformed.length === 0 ? 0 : Math.max(0, (page.claimed_count ?? 0) - claimed)
    const hides = claimed + nameless > 0 && !isStrange && (received >= asked || runnable === 0)
    const isWhole = !isStrange && received < asked
    const isMore = this.laps.goOn(page, { hides, isWhole, isNews: runnable + fresh > 0 })
    const unclaimed = this.#unclaimed.shows(page, clock.now())
    if (unclaimed === 'yes') this.#intake.doubts.raise('unclaimed')
    if (unclaimed === 'no') this.#intake.doubts.lower('unclaimed')
    const isEmpty = runnable + fresh + nameless === 0 && !isStrange && unclaimed === 'no'
    return { sentAt, isNews: fresh > 0, isMore, isWhole, isEmpty, isWithheld: unclaimed === 'yes' }
  }

  async #poll(asked: number, seats: Seats, before: readonly Mark[], signal: AbortSignal): Promise<InboxPage> {
    const { api, emit, pulses, settings } = this.#shared.context
    pulses.poll.extend(settings.current.clink.timeout)
    const params = { claim: true, limit: asked, for_me: forMe(settings.current) }
    try {
      return await api.checkInbox(params, { attempts: 1, signal })
    } catch (error) {
      if (error instanceof ClinkApiError && error.mayHaveHappened) {
        emit({ event: 'poll.lost', asked, error })
        this.#lostClaims.lost(asked, seats, before)
      } else this.#heldBefore.notYet()
      throw error
    }
  }
}
