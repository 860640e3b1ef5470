import { Alarm } from '../../base/clock.ts'
import { asError } from '../../base/coded-error.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import type { Clink } from '../../clink/records.ts'
import { orError } from '../../clink/refusals.ts'
import { forMe } from '../../config/for-me.ts'
import type { HeldBefore } from './held-before.ts'
import type { Intake } from '../admission/intake.ts'
import { notBefore, type Mark } from '../../clink/service-time.ts'
import type { ClaimById } from '../claim/claim-by-id.ts'
import { DOCUMENTED_TIMEOUT } from '../claim/lease.ts'
import type { AdmissionParts } from '../admission/context.ts'
import type { Purpose } from '../admission/verdict.ts'
import type { Seats } from '../capacity/capacity.ts'

interface Lost {
  /** Local time until which they have their seats. */
  readonly until: number
  /** Local time after which there is none of them any more. */
  readonly end: number
  /** As many as claims that the request may have made and that were not found yet. */
  readonly seats: Seats
  /** A list that was asked for when their time was over has shown none that is not answered for. */
  isLookedFor: boolean
  /** The newest stamps of the service before the request was sent: what it claimed has none that is older. */
  readonly before: readonly Mark[]
}

/** Milliseconds that lost claims have their seats, since their requests may take effect so late. */
const WINDOW = 10_000
const FIRST_WAIT = 250
const LONGEST_WAIT = WINDOW / 4
const PAGE = 100

/**
 * Looks for what claiming requests whose answers were lost may have claimed, and takes it up where a claim by id cannot take a
 * sibling's work. Until then, or until the time for it is over, such a request keeps its seats. After that it is looked for until a
 * list has come and all that it shows is taken up, but without seats: a service that answers no such question must not keep the
 * slots from other work. What is not found runs out.
 */
export class LostClaims {
  readonly #shared: AdmissionParts
  readonly #intake: Intake
  readonly #heldBefore: HeldBefore
  readonly #closing = new AbortController()
  readonly #alarm: Alarm
  readonly #seen = new Set<string>()
  #lost: Lost[] = []
  #wait = FIRST_WAIT
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
    return this.#left + (this.#isClaiming ? 1 : 0)
  }

  /**
   * A request that may have claimed so many clinks was not answered.
   *
   * @param seats what it had: as many are kept.
   * @param before the newest stamps of the service when it was sent.
   */
  lost(count: number, seats: Seats, before: readonly Mark[]): void {
    const { clock, siblings, signals } = this.#shared.context
    if (this.#closing.signal.aborted || siblings.mayClaimById === false) return
    siblings.want()
    const now = clock.now()
    const until = now + WINDOW
    seats.keep(count, until, siblings)
    this.#lost.push({ until, end: now + DOCUMENTED_TIMEOUT, before, seats, isLookedFor: false })
    this.#wait = FIRST_WAIT
    this.#alarm.by(now + FIRST_WAIT)
    this.#searching ??= this.#search().catch((error: unknown) => signals.crashed.say('take-up', asError(error)))
  }

  /** What a poll on its way claims is its own: nothing is looked for before that is admitted. */
  after<Taken>(poll: Promise<Taken>): Promise<Taken> {
    this.#polled = poll.then(
      () => {},
      () => {},
    )
    return poll
  }

  /** Resolves when nothing is being taken up any more. */
  async stop(): Promise<void> {
    this.#closing.abort()
    this.#alarm.ring()
    await this.#searching
  }

  /** How many may still be found. */
  get #left(): number {
    const now = this.#shared.context.clock.now()
    this.#lost = this.#lost.filter(({ end, isLookedFor, until }) => now < (isLookedFor ? until : end))
    return this.#lost.reduce((sum, { seats }) => sum + seats.count, 0)
  }

  /** In the seats that are kept, or beside them. */
  get #hasRoom(): boolean {
    const now = this.#shared.context.clock.now()
    const kept = this.#lost.reduce((sum, { seats, until }) => (now < until ? sum + seats.count : sum), 0)
    return this.#shared.capacity.besideKept(kept) > 0
  }

  #hasSeatFor({ until }: Lost): boolean {
    const { capacity, context } = this.#shared
    return context.clock.now() < until ? this.#hasRoom : capacity.free > 0
  }

  async #search(): Promise<void> {
    const { clock, siblings } = this.#shared.context
    this.#seen.clear()
    for (; this.#left > 0 && !this.#closing.signal.aborted; this.#wait *= 2) {
      if (siblings.mayClaimById === false) this.#lost = []
      if (siblings.mayClaimById === true && this.#hasRoom) await this.#look()
      if (this.#closing.signal.aborted) break
      const now = clock.now()
      const ends = this.#lost.map(({ until }) => until).filter((until) => until > now)
      await this.#alarm.until(Math.min(now + Math.min(this.#wait, LONGEST_WAIT), ...ends))
    }
    this.#searching = undefined
    this.#shared.context.signals.freed.say()
  }

  async #look(): Promise<void> {
    const { api, clock, identity, settings } = this.#shared.context
    await this.#polled
    const listedAt = clock.now()
    const before = this.#lost.filter(({ until }) => listedAt >= until)
    const params = { status: 'claimed', limit: PAGE, for_me: forMe(settings.current) } as const
    const page = await orError(api.checkInbox(params, { attempts: 1, signal: this.#closing.signal }))
    if (page instanceof ClinkApiError) return
    // One that has been begun meanwhile may have claimed what the list shows.
    await this.#polled
    let areAnswered = true
    for (const clink of page.clinks) {
      if (this.maybeClaimed === 0 || !this.#hasRoom || this.#closing.signal.aborted) return
      if (clink.status !== 'claimed' || this.#seen.has(clink.clink_id)) continue
      // While nobody knows who we are, it may be ours.
      const isAnswered = identity.isUs(clink.claimed_by)
        ? await this.#tryTo(clink, listedAt)
        : identity.isSomebodyElse(clink.claimed_by) || this.#origin(clink) === undefined
      areAnswered &&= isAnswered
    }
    for (const lost of before) lost.isLookedFor = areAnswered
  }

  /**
   * The request that has made the claim that is shown, and a local time before which it was not made. An earlier claim is not one that
   * was just lost, and how long it lasts cannot be told.
   */
  #origin(clink: Clink): { readonly lost: Lost; readonly claimedAfter: number } | undefined {
    const open = this.#lost.filter(({ seats }) => seats.count > 0).toReversed()
    // What is newer than the newest stamp before a request is sooner of that than of an earlier one.
    for (const stamps of [1, Infinity]) {
      for (const lost of open) {
        const claimedAfter = this.#claimedAfter(clink, lost.before.slice(0, stamps))
        if (claimedAfter !== undefined) return { lost, claimedAfter }
      }
    }
    return undefined
  }

  #claimedAfter(clink: Clink, before: readonly Mark[]): number | undefined {
    const since = this.#heldBefore.claimedAfter(clink)
    if (before.length === 0) return since
    const byTime = notBefore(clink.claimed_at, before)
    return byTime === undefined ? undefined : Math.max(byTime, since ?? -Infinity)
  }

  /** @returns false: no answer came, so that it may be tried again. */
  async #tryTo(clink: Clink, listedAt: number): Promise<boolean> {
    const { clock, ledger, terms } = this.#shared.context
    const memory = await ledger.recallOne(clink.clink_id)
    const origin = this.#origin(clink)
    if (origin === undefined || this.#intake.releaseTried(clink.clink_id)) return true
    const { claimedAfter, lost } = origin
    const times = { claimedAt: clink.claimed_at, expiresAt: clink.claim_expires_at }
    const { deadline } = terms.first({ sentAt: claimedAfter, asked: undefined, ...times })
    const wanted = await this.#intake.wanted.for(clink, memory, listedAt)
    if (wanted === undefined || clock.now() >= deadline || this.#closing.signal.aborted) return true
    // A poll may have been begun meanwhile.
    if (!this.#hasSeatFor(lost)) return false
    const answer = await this.#takeUp(clink, wanted, lost, {
      signal: this.#intake.hurried,
      deadline,
      notBefore: (record) => (record.claimed_at === clink.claimed_at ? claimedAfter : listedAt),
    })
    if (answer !== 'claimed') lost.seats.count += 1
    return answer === 'claimed' || answer === 'refused'
  }

  /** One of the seats that are kept becomes that of the claim. */
  async #takeUp(
    clink: Clink,
    wanted: Purpose,
    lost: Lost,
    limits: Parameters<Intake['byId']['make']>[3],
  ): Promise<ClaimById['is']> {
    const seats = this.#shared.capacity.reserve(1)
    lost.seats.count -= 1
    this.#isClaiming = true
    try {
      const answer = await this.#intake.byId.make(clink, wanted, seats, limits)
      // Once is enough: where its claim is too short for us, a second try would only make it longer for all others.
      if (answer.is === 'refused' || answer.is === 'claimed') this.#seen.add(clink.clink_id)
      if (answer.is !== 'claimed') return answer.is
      this.#shared.context.emit({ event: 'clink.takenUp', clink })
      await this.#intake.startClaimed(answer.clink, wanted, answer)
      return answer.is
    } finally {
      this.#isClaiming = false
      seats.free()
    }
  }
}
