import PQueue from 'p-queue'
import type { Route, Router } from '../../handlers/route.ts'
import type { WorkerContext } from '../context.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import { AloneTurn, type Work } from './alone-turn.ts'
import type { InHand, Line, RerunsToCome, Seeker } from './context.ts'
import type { Pauses } from './pauses.ts'
import type { Quota } from './quota.ts'
import { RouteLimits, weightOf, type Place } from './route-limits.ts'
import { SeatLine } from './seat-line.ts'
import { Seats } from './seats.ts'
import { ThreadLimit } from './thread-limit.ts'
import { Weights } from './weights.ts'

export type { Work } from './alone-turn.ts'
export type { Line, RerunsToCome, Seeker } from './context.ts'
export type { Place } from './route-limits.ts'
export type { Seats } from './seats.ts'

/** The order in which what waits gets a seat. */
export const PRIORITY = { fresh: 0, due: 1, alone: 2 } as const

/** How many clinks may back off in hand, as a multiple of the concurrency: more would starve fresh ones of attention. */
const BACKING_OFF = 4
/** The same for those that sleep. They want nobody's attention until they are due; each costs the service its renewals. */
const SLEEPING = 100
/** The part of the seats that reruns may have at a time: clinks that wait in the inbox go on. */
const RERUNS = 0.5

export interface CapacityOptions {
  readonly context: Pick<WorkerContext, 'clock' | 'ledger' | 'random' | 'settings' | 'signals' | 'stopping'>
  readonly router: Pick<Router, 'routes'>
  readonly health: CircuitBreaker
  readonly pauses: Pauses
  readonly quota: Quota
  readonly inHand: InHand
}

/**
 * What may start: nobody else counts that. A seat is taken from the start of a handler (or of a settlement without one) until the clink
 * is settled or backs off, and in any case until the handler's code has really ended. A claim has its seats before it is sent, and keeps
 * them until it is answered and what it brought is in hand; so what is claimed and does not back off is never more than there are seats.
 */
export class Capacity implements Line {
  readonly limits: RouteLimits
  readonly #options: CapacityOptions
  readonly #line: SeatLine
  readonly #reruns = new PQueue()
  /** Reruns whose turn has come and that wait for a seat to spare, the longest waiting first. */
  readonly #waiting: { readonly weight: number; readonly start: () => void }[] = []
  /** Seats of claims that are on their way, or may have been made. */
  readonly #claims = new Set<Seats>()
  readonly #threads: ThreadLimit
  readonly #rerunning = new Weights()
  #toCome: RerunsToCome | undefined

  constructor(options: CapacityOptions) {
    const { settings, signals } = options.context
    this.#options = options
    this.limits = new RouteLimits(options.context, this)
    this.#line = new SeatLine(options.context.clock)
    this.#threads = new ThreadLimit(options.context)
    this.#fit()
    settings.changed.on(() => this.#fit())
    signals.freed.on(() => this.#spare())
  }

  /** So many suspects wait or run: nothing is claimed where there are any. */
  get suspects(): number {
    return this.#line.suspects
  }

  /** How many clinks may be claimed now; less than one: none. */
  get free(): number {
    return this.#options.context.stopping.aborted ? 0 : this.besideKept(0)
  }

  /** The same where nobody can choose: of the lightest route. One at least, if any: it waits, claimed, for the seats that it lacks. */
  get unchosen(): number {
    const { free } = this
    const lightest = Math.min(...this.#options.router.routes.map((route) => this.seatsOf(route)), free)
    return free < 1 ? free : Math.max(1, Math.floor(free / lightest))
  }

  /** @param own seats that the caller keeps for what may have been claimed: how many clinks there are seats for, with these. */
  besideKept(own: number): number {
    const { context, health, pauses, router } = this.#options
    if (!context.ledger.isHealthy || this.#line.isNarrow) return 0
    const isAnyOpen = router.routes.some((route) => !health.isPaused(route) && !pauses.holds(route))
    const areAllThreads = router.routes.every((route) => this.#threads.isFor(route))
    const threads = areAllThreads ? this.#threads.left(this.#needThreads) : Infinity
    const most = isAnyOpen ? threads : router.routes.some((route) => this.isOpen(route)) ? 1 : 0
    // What nobody knows may be the one clink that is tried on a paused route.
    return (
      Math.min(this.#left, most, this.#untaken) - this.#sum((seats) => this.#areKept(seats) && !seats.isKnown) + own
    )
  }

  /** @param own as of `besideKept`: whether there are as many as a clink of the route takes, with these. */
  hasSeatsFor(route: Route, own = 0): boolean {
    const seats = this.seatsOf(route)
    const kept = this.#sum((one) => this.#areKept(one) && !one.isKnown)
    return seats === 1 || this.#left - kept + own >= seats
  }

  /** Clinks that may still be taken, beside those that claims on their way may bring. */
  get #untaken(): number {
    return this.#options.quota.left - this.#sum(({ isSent }) => isSent)
  }

  /** Seats that nobody has, is about to have, or has claimed something for. */
  get #left(): number {
    const { context, inHand } = this.#options
    const known = this.#sum((seats) => seats.isSent || (this.#areKept(seats) && seats.isKnown))
    return context.settings.current.concurrency - inHand.busy - this.#due - this.#forReruns - known
  }

  /** Seats of what falls due before the next poll. */
  get #due(): number {
    const { context, health, inHand } = this.#options
    const soon = context.clock.now() + context.settings.current.poll.interval
    // Of a paused route a fresh clink is tried first.
    const due = inHand.live.filter(
      ({ clink, dueAt = Infinity, route }) => dueAt <= soon && !health.isPausedFor(route, clink.clink_id),
    )
    return due.reduce((sum, { route }) => sum + weightOf(route), 0)
  }

  /** Claims that are on their way, or may have been made. */
  get #claiming(): readonly Seats[] {
    return [...this.#claims].filter((seats) => seats.isSent || this.#areKept(seats))
  }

  #areKept({ isSent, keptUntil, mayBeUsed }: Seats): boolean {
    return !isSent && mayBeUsed && this.#options.context.clock.now() < keptUntil
  }

  /** How many seats a clink of the route takes: no more than there are, since they may have become fewer. */
  seatsOf(route: Route): number {
    return this.#clamped(weightOf(route))
  }

  #clamped(weight: number): number {
    return Math.min(weight, this.#options.context.settings.current.concurrency)
  }

  /** A claiming poll may bring what has to wait for a thread, while other clinks could start. */
  get isShortOfThreads(): boolean {
    const needing = this.#options.router.routes.filter((route) => this.#threads.isFor(route)).length
    return this.#threads.isBelowSlots && needing > 0 && needing < this.#options.router.routes.length
  }

  /** Whether a clink of the route may be claimed: of a paused one only where a probe is due and none is on its way. */
  isOpen(route: Route): boolean {
    const { health, inHand, pauses } = this.#options
    if (pauses.holds(route)) return false
    if (this.#threads.isFor(route) && !this.#threads.isOneLeft(this.#needThreads)) return false
    if (!health.isPaused(route)) return true
    const isSame = ({ name }: Route): boolean => name === route.name
    const isClaiming = this.#claiming.some((seats) => seats.route !== undefined && isSame(seats.route))
    return health.isOpen(route) && !isClaiming && !inHand.live.some((one) => one.isComing && isSame(one.route))
  }

  /** Nothing is in hand or being claimed, and nothing keeps the worker from claiming: then there are seats, unless it has lost some. */
  get isUnused(): boolean {
    const { context, health, inHand, pauses, quota } = this.#options
    const isUsed = this.#line.holders + inHand.busy + inHand.live.length > 0 || this.#rerunning.of(1) > 0
    const isHeldBack = health.paused.length > 0 || pauses.areAny || quota.left < 1 || this.#line.isNarrow
    return !isUsed && !isHeldBack && this.#claiming.length === 0 && context.ledger.isHealthy
  }

  /** Seats for claims that are about to be sent. */
  reserve(count: number): Seats {
    const { context } = this.#options
    for (const one of this.#claims) if (!one.isSent && one.keptUntil <= context.clock.now()) this.#claims.delete(one)
    return new Seats(count, this.#claims, context)
  }

  mayHold(isSleep = false): boolean {
    const { context, inHand } = this.#options
    const alike = inHand.live.filter(({ dueAt, handle }) => dueAt !== undefined && handle.isAsleep === isSleep)
    return alike.length < context.settings.current.concurrency * (isSleep ? SLEEPING : BACKING_OFF)
  }

  /** How many must be given back before the next can be taken; undefined: one is free. */
  get taken(): number | undefined {
    return this.#line.isFull ? this.#line.holders : undefined
  }

  /** How many have seats. */
  get holders(): number {
    return this.#line.holders
  }

  /** A rejection of `work` is the caller's. Nothing else waits behind what waits for its place, or for a thread. */
  async use({ interrupted, place, route }: Seeker, work: Work, priority: number): Promise<void> {
    if (place !== undefined) {
      const ready = place.ready()
      this.#spare()
      await ready
    }
    const alone = priority === PRIORITY.alone ? new AloneTurn(this.#line) : undefined
    if (alone !== undefined) this.#options.context.signals.narrowed.say()
    const inSeat = (): Promise<void> =>
      place?.isVoid === true ? Promise.resolve() : (alone?.run(work) ?? work(() => {}))
    const weight = weightOf({ limits: place?.limits })
    try {
      const run = (): Promise<void> => this.#line.run(inSeat, { priority, weight, interrupted })
      await this.#threads.use(route, run, priority)
    } finally {
      place?.rest()
      alone?.end()
      this.#options.context.signals.freed.say()
    }
  }

  /** As `use`, for what loses nothing while it waits: in no more than its part of the seats, and in none that a claim may need. */
  async useSpare(work: () => Promise<void>, place: Place | undefined): Promise<void> {
    await this.#reruns.add(async () => {
      const weight = weightOf({ limits: place?.limits })
      await new Promise<void>((start) => {
        this.#waiting.push({ weight, start })
        this.#spare()
      })
      try {
        await work()
      } finally {
        this.#rerunning.remove(weight)
        this.#options.context.signals.freed.say()
      }
    })
  }

  /** Those that will want `useSpare`. */
  expect(reruns: RerunsToCome): void {
    this.#toCome = reruns
  }

  #spare(): void {
    const { context, inHand } = this.#options
    for (let [next] = this.#waiting; next !== undefined; [next] = this.#waiting) {
      const claimed = sumOf(this.#claiming)
      // What waits for its place in a route takes no seats until then: a rerun may have the place that it waits for.
      const waiting = inHand.live.reduce(
        (sum, { place }) => (place?.isWaiting === true ? sum + weightOf(place) : sum),
        0,
      )
      // What falls due would have the seat of a claim.
      const kept = claimed === 0 ? 0 : claimed + this.#due
      const spare = context.settings.current.concurrency - (inHand.busy - waiting) - kept
      const seats = this.#clamped(next.weight)
      // One that takes more than the part of reruns runs without others.
      const most = Math.max(this.#reruns.concurrency, seats)
      if (this.#rerunning.of(context.settings.current.concurrency) + seats > Math.min(most, spare)) return
      this.#waiting.shift()
      this.#rerunning.add(next.weight)
      next.start()
    }
  }

  /** Seats that reruns have, also those of which there were more, or wait for, or will before the next poll. */
  get #forReruns(): number {
    const { concurrency } = this.#options.context.settings.current
    const { coming = 0, isOpen = true } = this.#toCome ?? {}
    const waiting = this.#waiting.map(({ weight }) => this.#clamped(weight))
    const rerunning = this.#rerunning.of(concurrency)
    const seats = waiting.reduce((sum, one) => sum + one, rerunning)
    const others = concurrency - this.#options.inHand.busy - 1
    const most = Math.min(Math.max(this.#reruns.concurrency, ...waiting), isOpen ? concurrency : others)
    // One that has just given its seats back is pending until it is known whether it comes again.
    return Math.max(rerunning, Math.min(most, Math.max(seats, this.#reruns.pending) + coming))
  }

  #sum(counts: (seats: Seats) => boolean): number {
    return sumOf([...this.#claims].filter(counts))
  }

  /** How many clinks in hand, or being claimed, need a thread before the next poll. */
  get #needThreads(): number {
    const { clock, settings } = this.#options.context
    const soon = clock.now() + settings.current.poll.interval
    const inHand = this.#options.inHand.live.filter(
      ({ dueAt = 0, route }) => dueAt <= soon && this.#threads.isFor(route),
    )
    const claimed = this.#claiming.filter(({ route }) => route !== undefined && this.#threads.isFor(route))
    return inHand.length + claimed.length
  }

  /** What has a seat keeps it, also where there are fewer now. */
  #fit(): void {
    this.#threads.fit()
    const { concurrency } = this.#options.context.settings.current
    this.#line.fit(concurrency)
    this.#reruns.concurrency = Math.max(1, Math.floor(concurrency * RERUNS))
  }
}

function sumOf(claims: readonly Seats[]): number {
  return claims.reduce((sum, { count }) => sum + count, 0)
}
