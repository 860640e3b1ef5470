import { Alarm } from '../../base/clock.ts'
import { asError } from '../../base/coded-error.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import type { Clink } from '../../clink/records.ts'
import { orError } from '../../clink/refusals.ts'
import { forMe } from '../../config/for-me.ts'
import type { HeldBefore } from './held-before.ts'
import type { Intake } from '../admission/intake.ts'
import { notBefore, type Mark } from '../../clink/service-time.ts'
import type { AdmissionParts } from '../admission/context.ts'
import type { Purpose } from '../admission/verdict.ts'
import type { Seats } from '../capacity/capacity.ts'

interface Lost {
  /** Local time until which they are looked for. */
  readonly until: number
  /** As many as claims that the request may have made and that were not found yet. */
  readonly seats: Seats
  /** The newest stamp of the service before the request: what it claimed has a later one. */
  readonly before: Mark | undefined
}

/** Milliseconds that lost claims are looked for. */
const WINDOW = 10_000
const FIRST_WAIT = 250
const PAGE = 100

/**
 * Looks for what claiming requests whose answers were lost may have claimed, and takes it up where a claim by id cannot take a
 * sibling's work. Until then, or until the time for it is over, such a request keeps its seats. What is not found runs out.
 */
export class LostClaims {
  readonly #shared: AdmissionParts
  readonly #intake: Intake
  readonly #heldBefore: HeldBefore
  readonly #closing = new AbortController()
  readonly #alarm: Alarm
  readonly #seen = new Set<string>()
  #lost: Lost[] = []
  /** A claim is on its way for one of them, perhaps longer than they are looked for. */
  #isClaiming = false
  #searching: Promise<void> | undefined
  #polled: Promise<void> = Promise.resolve()

  constructor(shared: AdmissionParts, intake: Intake, heldBefore: HeldBefore) {
    this.#shared = shared
    this.#intake = intake
    this.#heldBefore = heldBefore
    this.#alarm = new Alarm(shared.context.clock)
  }

  /** How many clinks are looked for that would be worked. */
  get maybeClaimed(): number {
    if (this.#shared.context.siblings.mayClaimById !== true) return 0
    return this.#left() + (this.#isClaiming ? 1 : 0)
  }

  /** A request that may have claimed so many clinks was not answered. @param seats what it had: as many are kept. */
  lost(count: number, seats: Seats): void {
    const { clock, serviceTime, siblings, signals } = this.#shared.context
    if (this.#closing.signal.aborted || siblings.mayClaimById === false) return
    siblings.want()
    const until = clock.now() + WINDOW
    seats.keep(count, until, siblings)
    this.#lost.push({ until, before: serviceTime.newest, seats })
    this.#searching ??= this.#search().catch((error: unknown) => signals.crashed.say('take-up', asError(error)))
  }

  /** What a poll on its way claims is its own: nothing is looked for before that is admitted. */
  after(poll: Promise<unknown>): void {
    this.#polled = poll.then(
      () => {},
      () => {},
    )
  }

  /** Resolves when nothing is being taken up any more. */
  async stop(): Promise<void> {
    this.#closing.abort()
    this.#alarm.ring()
    await this.#searching
  }

  #left(): number {
    const now = this.#shared.context.clock.now()
    this.#lost = this.#lost.filter(({ until }) => now < until)
    return this.#lost.reduce((sum, { seats }) => sum + seats.count, 0)
  }

  get #hasRoom(): boolean {
    return this.#shared.capacity.besideKept(this.#left()) > 0
  }

  async #search(): Promise<void> {
    const { clock, siblings } = this.#shared.context
    this.#seen.clear()
    for (let wait = FIRST_WAIT; this.#left() > 0 && !this.#closing.signal.aborted; wait *= 2) {
      if (siblings.mayClaimById === false) this.#lost = []
      if (siblings.mayClaimById === true && this.#hasRoom) await this.#look()
      if (this.#closing.signal.aborted) break
      await this.#alarm.until(clock.now() + Math.min(wait, WINDOW / 4))
    }
    this.#searching = undefined
    this.#shared.context.signals.freed.say()
  }

  async #look(): Promise<void> {
    const { api, clock, identity, settings } = this.#shared.context
    await this.#polled
    const listedAt = clock.now()
    const params = { status: 'claimed', limit: PAGE, for_me: forMe(settings.current) } as const
    const page = await orError(api.checkInbox(params, { attempts: 1, signal: this.#closing.signal }))
    if (page instanceof ClinkApiError) return
    // One that has been begun meanwhile may have claimed what the list shows.
    await this.#polled
    for (const clink of page.clinks) {
      if (this.maybeClaimed === 0 || !this.#hasRoom || this.#closing.signal.aborted) return
      const isOurs = clink.status === 'claimed' && identity.isUs(clink.claimed_by)
      if (isOurs && !this.#seen.has(clink.clink_id)) await this.#tryTo(clink, listedAt)
    }
  }

  /** A local time before which the claim that is shown cannot have been made; undefined: it may be an earlier one than the lost. */
  #claimedAfter(clink: Clink, { before }: Lost): number | undefined {
    const since = this.#heldBefore.claimedAfter(clink)
    if (before === undefined) return since
    const byTime = notBefore(clink.claimed_at, before)
    return byTime === undefined ? undefined : Math.max(byTime, since ?? -Infinity)
  }

  async #tryTo(clink: Clink, listedAt: number): Promise<void> {
    const { clock, ledger, terms } = this.#shared.context
    const memory = await ledger.recallOne(clink.clink_id)
    // An earlier claim is not one that was just lost; and how long it lasts cannot be told.
    const lost = this.#lost.findLast((one) => one.seats.count > 0 && this.#claimedAfter(clink, one) !== undefined)
    const claimedAfter = lost && this.#claimedAfter(clink, lost)
    if (lost === undefined || claimedAfter === undefined || this.#intake.releaseTried(clink.clink_id)) return
    const times = { claimedAt: clink.claimed_at, expiresAt: clink.claim_expires_at }
    const { deadline } = terms.first({ sentAt: claimedAfter, asked: undefined, ...times })
    const wanted = await this.#intake.wanted.for(clink, memory, listedAt)
    if (wanted === undefined || clock.now() >= deadline || this.#closing.signal.aborted) return
    const isTaken = await this.#takeUp(clink, wanted, lost, {
      signal: this.#intake.hurried,
      deadline,
      notBefore: (record) => (record.claimed_at === clink.claimed_at ? claimedAfter : listedAt),
    })
    if (!isTaken) lost.seats.count += 1
  }

  /** One of the seats that are kept becomes that of the claim. */
  async #takeUp(
    clink: Clink,
    wanted: Purpose,
    lost: Lost,
    limits: Parameters<Intake['byId']['make']>[3],
  ): Promise<boolean> {
    const seats = this.#shared.capacity.reserve(1)
    lost.seats.count -= 1
    this.#isClaiming = true
    try {
      const answer = await this.#intake.byId.make(clink, wanted, seats, limits)
      // Once is enough: where its claim is too short for us, a second try would only make it longer for all others.
      if (answer.is === 'refused' || answer.is === 'claimed') this.#seen.add(clink.clink_id)
      if (answer.is !== 'claimed') return false
      this.#shared.context.emit({ event: 'clink.takenUp', clink })
      await this.#intake.startClaimed(answer.clink, wanted, answer)
      return true
    } finally {
      this.#isClaiming = false
      seats.free()
    }
  }
}
