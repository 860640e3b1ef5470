import { steadyOf } from '../../base/clock.ts'
import type { InboxPage } from '../../clink/client.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import { refusesNumber } from '../../clink/verdicts.ts'
import { forMe } from '../../config/for-me.ts'
import type { Route } from '../../handlers/route.ts'
import { Backlog } from './backlog.ts'
import { ComeBack } from './come-back.ts'
import { HeldBack } from './held-back.ts'
import type { Taken } from '../signals.ts'
import type { Claiming } from './mode.ts'
import type { Intake } from '../admission/intake.ts'
import { SelectClaims } from './select-claims.ts'
import { startOf, type Mark } from '../../clink/service-time.ts'
import { PageSize } from './page-size.ts'
import { Sweep } from './sweep.ts'
import type { AdmissionParts } from '../admission/context.ts'

/** What has cooled down, or may probe a paused route, is looked for by sweeps that cost a page a second at most. */
const PER_PAGE = 1_000
/** Clinks may become visible in another order than they were made in, later than others by so many milliseconds. */
const LATE = 5_000
/** With fewer clinks than this left of what was shown, there is room on a page for what it could not show; unless others fill it, which few claims change. */
const ROOM = 50
const CLAIMS = 10

/**
 * Lists without claiming, and claims by id what can start. Each look is for what is new; from time to time, and at the start, a
 * full sweep looks at everything, since clinks that were released or whose claims ran out are not new.
 */
export class Select implements Claiming {
  readonly #shared: AdmissionParts
  readonly #intake: Intake
  readonly #heldBack: HeldBack
  readonly #backlog: Backlog
  readonly #claims: SelectClaims
  readonly #comeBack: ComeBack
  readonly #pageSize = new PageSize()
  #sweep: Sweep | undefined
  #sweepAt = -Infinity
  /** Wall time of the last full sweep, and its pages. */
  #swept = { at: -Infinity, pages: 0 }
  /** Service time of the newest clink that was listed, and a local time at which it surely had been made. */
  #newest: Mark | undefined
  /** Service time from when on clinks may not have been visible yet when the last full sweep began. */
  #unswept: number | undefined
  /** Local time at which the last pass began. */
  #passAt = -Infinity
  #hasClaimed = false
  /** The last look has made no claim, since all that it could have claimed waits for its place. */
  isHeldUp = false
  #starvedAt: number | undefined
  /** Beside what the last passes have shown there may be more that no page had room for. */
  #hides = false
  /** Clinks that were claimed since the last full sweep began. */
  #claimedSince = 0

  constructor(shared: AdmissionParts, intake: Intake) {
    this.#shared = shared
    this.#intake = intake
    this.#heldBack = new HeldBack(shared)
    this.#comeBack = new ComeBack(shared.context)
    this.#backlog = new Backlog(this.#heldBack)
    this.#claims = new SelectClaims(shared, intake, this.#backlog, this.#heldBack)
    const { freed, keyChanged, look, opened } = shared.context.signals
    opened.on(() => {
      if (this.#heldBack.areStartable) look.say('news')
    })
    freed.on(() => {
      if (this.#heldBack.lackSeats && this.#heldBack.areStartable) look.say('news')
    })
    keyChanged.on(() => this.#sweepSoon())
    look.on((what) => {
      if (what === 'everything') this.#sweepSoon()
    })
  }

  /** Local time at which a claim that failed is to be made again. */
  get retryAt(): number {
    return this.#claims.retryAt
  }

  /** Resolves when every claim is answered and what it brought is admitted. */
  async over(): Promise<void> {
    await this.#claims.over()
  }

  /** A poll might claim once more what is being claimed, and nobody would know which of the two ends first. */
  get isClaiming(): boolean {
    return this.#claims.areOnTheirWay
  }

  /** So many may be claimed at once, as far as the service is concerned. */
  get most(): number {
    return this.#claims.most
  }

  /** Seats are kept free for a clink that takes several. */
  get areSaved(): boolean {
    return this.#heldBack.saved !== undefined
  }

  /** A listed clink is claimed as soon as the limits of its route let it start. */
  waitsForPlace(route: Route): boolean {
    return this.#heldBack.waitsForPlace(route)
  }

  /** The service's order may keep clinks out of reach. */
  get isStarved(): boolean {
    return this.#starvedAt !== undefined
  }

  /** Whether it is worth while to list: what lay out of reach at the last sweep may have come into it by now. */
  get reaches(): boolean {
    const { clock, settings } = this.#shared.context
    return this.#starvedAt === undefined || clock.now() >= this.#starvedAt + settings.current.poll.sweep
  }

  /** The next look is at everything. */
  #sweepSoon(): void {
    this.#sweepAt = -Infinity
  }

  async take(signal: AbortSignal): Promise<Taken> {
    const { capacity, context } = this.#shared
    const { clock, emit } = context
    this.isHeldUp = false
    this.#rewind()
    const sweep = this.#current()
    const sentAt = clock.now()
    const isListed = this.#backlog.size > 0 || this.#heldBack.areStartable
    const looked = !isListed && !sweep.isOver
    const received = looked ? await this.#list(sweep, signal) : 0
    const asked = capacity.free
    const { claimed, failed, waits = false } = asked > 0 ? await this.#claims.make(asked, signal) : { claimed: 0 }
    this.isHeldUp = waits
    if (failed !== undefined && claimed === 0) throw failed
    emit({ event: 'poll.succeeded', looked, asked, received, claimed, duration: clock.now() - sentAt })
    this.#hasClaimed ||= claimed > 0
    this.#claimedSince += claimed
    const { areStartable, isShort } = this.#heldBack
    if (isShort) this.#sweepSoon()
    const isMore = this.#backlog.size > 0 || !sweep.isOver || areStartable
    const isHeldUp = this.areSaved || !this.#claims.mayBegin
    const isWhole = !isMore && sweep.isFull
    const isEmpty = isWhole && !this.#claims.areExpected && !this.#hasClaimed
    return { sentAt: sweep.startedAt, isNews: claimed > 0, isMore, isHeldUp, isWhole, isEmpty, failed }
  }

  get #mayShowMore(): boolean {
    return this.#hides && this.#claimedSince >= CLAIMS && this.#backlog.size + this.#heldBack.size < ROOM
  }

  /**
   * The pass that is under way, or the next one. For the probe of a paused route it is at all that came since the last full sweep: when that
   * was listed, no probe was due.
   */
  #current(): Sweep {
    const { clock } = this.#shared.context
    const isUnderWay = this.#sweep?.isOver === false || this.#backlog.size > 0 || this.#heldBack.areStartable
    if (this.#sweep !== undefined && isUnderWay) return this.#sweep
    const now = clock.now()
    const since = this.#isProbeDue ? this.#unswept : this.#unseen(this.#passAt)
    const isFull = since === undefined || this.#isSweepDue
    if (isFull) {
      this.#sweepAt = now
      this.#swept = { at: clock.wall(), pages: 0 }
      this.#claimedSince = 0
      this.#unswept = this.#unseen(now)
    }
    this.#hasClaimed = false
    this.#passAt = now
    return (this.#sweep = new Sweep(now, isFull ? undefined : since, this.#pageSize))
  }

  /**
   * From when on clinks may not have been visible yet at this local time, when a pass began: what was made `LATE` before that was. How much
   * of that time lies before the newest clink tells how long that had been known by then, so an inbox that stands still is looked at for
   * nothing but what is new.
   */
  #unseen(passAt: number): number | undefined {
    if (this.#newest === undefined) return undefined
    const { sentAt, stamp } = this.#newest
    return stamp - Math.max(0, LATE - Math.max(0, passAt - sentAt))
  }

  get #isSweepDue(): boolean {
    return this.#shared.context.clock.now() >= this.#sweepAt + this.#untilSweep()
  }

  /** Milliseconds from one full sweep to the next: less where something is wanted that was released, which only a sweep shows. */
  #untilSweep(): number {
    const { clock, ledger, settings } = this.#shared.context
    const { maxInterval, sweep } = settings.current.poll
    const pace = this.#swept.pages * PER_PAGE
    if (this.#isProbeDue || this.#mayShowMore) return Math.min(sweep, pace)
    const hasCooled = ledger.cooling.hasBetween(this.#swept.at, clock.wall())
    return hasCooled || this.#comeBack.hasSince(this.#sweepAt) ? Math.min(sweep, Math.max(maxInterval, pace)) : sweep
  }

  /** A paused route wants a probe, and what the last full sweep passed over may be one. */
  get #isProbeDue(): boolean {
    const { health } = this.#shared
    return health.paused.some((route) => health.isDueSince(route, this.#sweepAt))
  }

  /**
   * What was listed too long ago is listed again: a claim counts from the list that showed its clink as pending. Where the service
   * does not show the oldest first, what was not listed yet may be older than that. The pass stays what it is, what was asked for since it
   * began is for the next one, until a full sweep is due: a pass whose backlog is never worked has no end, and what came back is older.
   */
  #rewind(): void {
    const { candidates } = this.#backlog
    const sweep = this.#sweep
    if (sweep === undefined || !candidates.some((candidate) => this.#claims.isStale(candidate))) return
    this.#backlog.clear()
    if (this.#isSweepDue) return void (this.#sweep = undefined)
    const oldest = Math.min(...candidates.map(({ clink }) => startOf(clink.created_at)))
    const since = sweep.isOrdered && !Number.isNaN(oldest) ? oldest : undefined
    this.#sweep = new Sweep(sweep.startedAt, since, this.#pageSize, sweep.isFull || since === undefined)
  }

  async #list(sweep: Sweep, signal: AbortSignal): Promise<number> {
    const { api, clock, keys, ledger, pulses, scope, settings } = this.#shared.context
    if (sweep.isFull) await scope.resolve(signal)
    const listedAt = clock.now()
    const key = keys.current
    // The process may have stood still since the round began.
    pulses.poll.extend(settings.current.clink.timeout)
    let page: InboxPage
    try {
      page = await api.checkInbox({ ...sweep.params, for_me: forMe(settings.current) }, { attempts: 1, signal })
    } catch (error) {
      if (!(error instanceof ClinkApiError) || !sweep.isEnlarged) throw error
      if (!refusesNumber(sweep.refusals.weigh(error, steadyOf(clock).now()))) throw error
      sweep.refused()
      return 0
    }
    page = { ...page, clinks: await scope.learn(page.clinks, signal) }
    const pending = page.clinks.filter(({ clink_id: id, status }) => status === 'pending' && !sweep.has(id))
    const memories = await ledger.recall(pending.map(({ clink_id: id }) => id))
    for (const clink of pending) this.#backlog.add({ clink, memory: memories(clink.clink_id), listedAt, key })
    for (const clink of this.#intake.quarantine.admit(page).clinks) {
      const stamp = startOf(clink.created_at)
      if (stamp > (this.#newest?.stamp ?? -Infinity)) this.#newest = { stamp, sentAt: clock.now() }
    }
    const received = page.clinks.length + page.malformed.length
    sweep.note(page)
    if (sweep.isFull) this.#swept.pages = sweep.pages
    this.#noteOrder(sweep)
    return received
  }

  #noteOrder(sweep: Sweep): void {
    if (!sweep.isOver) return
    this.#hides = sweep.isStarved || sweep.mayHide || (this.#hides && !sweep.isFull)
    if (!sweep.isFull) return
    const { clock, emit } = this.#shared.context
    const before = this.isStarved
    this.#starvedAt = sweep.isStarved ? clock.now() : undefined
    if (sweep.isStarved === before) return
    emit(sweep.isStarved ? { event: 'inbox.starved', advice: STARVED_ADVICE } : { event: 'inbox.reached' })
  }
}

const STARVED_ADVICE =
  'the service does not show the oldest clinks first, and a page of it holds only others: narrow what the key sees, or let the others be worked'
