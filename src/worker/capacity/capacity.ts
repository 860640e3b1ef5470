import PQueue from 'p-queue'
import type { Clink } from '../../clink/records.ts'
import type { Route, Router } from '../../handlers/route.ts'
import type { WorkerContext } from '../context.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import type { WorkerSignals } from '../signals.ts'
import { RouteLimits, type Place } from './route-limits.ts'

export type { Place } from './route-limits.ts'

/** The order in which what waits gets a seat. */
export const PRIORITY = { fresh: 0, due: 1, alone: 2 } as const

/** How many clinks may back off in hand, as a multiple of the concurrency: more would starve fresh ones of attention. */
const BACKING_OFF = 4
/** The same for those that sleep. They want nobody's attention until they are due; each costs the service its renewals. */
const SLEEPING = 100
/** The part of the seats that reruns may have at a time: clinks that wait in the inbox go on. */
const RERUNS = 0.5

/** Where deliveries wait for a seat: `work` runs in it. The highest priority is first. */
export interface Line {
  use(work: () => Promise<void>, priority: number, place: Place | undefined): Promise<void>
  readonly limits: RouteLimits
  /** One more clink may back off in hand, or sleep. */
  mayHold(isSleep?: boolean): boolean
}

/** The clinks in hand. */
interface InHand {
  /** How many have a seat or wait for one. */
  readonly busy: number
  /** Those that have not ended. `isComing`: it is about to start, unless it may not; `dueAt`: local time, of one that backs off. */
  readonly live: readonly {
    readonly clink: Clink
    readonly route: Route
    readonly isComing: boolean
    readonly dueAt: number | undefined
    readonly handle: { readonly isAsleep: boolean }
  }[]
}

/** Clinks that are run again without a claim. */
export interface RerunsToCome {
  /** The service has answered: until then an only seat is left to the claim that its answer may need. */
  readonly isOpen: boolean
  /** How many will want a seat before the next poll. */
  readonly coming: number
}

export interface CapacityOptions {
  readonly context: Pick<WorkerContext, 'clock' | 'ledger' | 'settings' | 'signals' | 'stopping'>
  readonly router: Pick<Router, 'routes'>
  readonly health: CircuitBreaker
  readonly inHand: InHand
}

/** Whether a claim by id takes nobody's work; undefined: nobody knows yet. */
interface Verdict {
  readonly mayClaimById: boolean | undefined
}

/** Seats of claims: from before they are sent until what they brought is in hand, and for as long as they may have been made unknown to us. */
export class Seats {
  count: number
  /** The route that the claim on its way is for, where that is one. */
  route: Route | undefined
  readonly #all: Set<Seats>
  readonly #freed: WorkerSignals['freed']
  #keptUntil = -Infinity
  #siblings: Verdict | undefined

  constructor(count: number, all: Set<Seats>, { freed }: Pick<WorkerSignals, 'freed'>) {
    this.count = count
    this.#all = all
    this.#freed = freed
    all.add(this)
  }

  /** A claim is on its way. */
  get isSent(): boolean {
    return this.#keptUntil === -Infinity
  }

  /** Local time until which they are kept though no claim is on its way any more. */
  get keptUntil(): number {
    return this.#keptUntil
  }

  /** Whether it is known which clinks they are for. */
  get isKnown(): boolean {
    return this.#siblings === undefined
  }

  /** Whether what they are kept for would be worked: what may be a sibling's is not. */
  get mayBeUsed(): boolean {
    return this.#siblings === undefined || this.#siblings.mayClaimById === true
  }

  /**
   * No answer came: so many are kept until this local time.
   *
   * @param siblings where nobody knows which clinks were claimed: they are taken up by claims by id, once these may be made.
   */
  keep(count: number, until: number, siblings?: Verdict): void {
    this.count = count
    this.#keptUntil = until
    this.#siblings = siblings
    this.#freed.say()
  }

  free(): void {
    this.#all.delete(this)
    this.#freed.say()
  }
}

/**
 * What may start: nobody else counts that. A seat is taken from the start of a handler (or of a settlement without one) until the clink
 * is settled or backs off, and in any case until the handler's code has really ended. A claim has its seats before it is sent, and keeps
 * them until it is answered and what it brought is in hand; so what is claimed and does not back off is never more than there are seats.
 */
export class Capacity implements Line {
  readonly limits: RouteLimits
  readonly #options: CapacityOptions
  readonly #line = new PQueue()
  readonly #reruns = new PQueue()
  /** Reruns whose turn has come and that wait for a seat to spare, the longest waiting first. */
  readonly #waiting: (() => void)[] = []
  /** Seats of claims that are on their way, or may have been made. */
  readonly #claims = new Set<Seats>()
  #rerunning = 0
  #toCome: RerunsToCome | undefined
  #suspects = 0

  constructor(options: CapacityOptions) {
    const { settings, signals } = options.context
    this.#options = options
    this.limits = new RouteLimits(options.context)
    this.#fit()
    settings.changed.on(() => this.#fit())
    signals.freed.on(() => this.#spare())
  }

  /** How many clinks may be claimed now; less than one: none. */
  get free(): number {
    return this.#options.context.stopping.aborted ? 0 : this.besideKept(0)
  }

  /** @param own seats that the caller keeps for what may have been claimed: how many there are for it, with these. */
  besideKept(own: number): number {
    const { context, health, inHand, router } = this.#options
    const { clock, ledger, settings } = context
    if (!ledger.isHealthy || this.#suspects > 0) return 0
    const soon = clock.now() + settings.current.poll.interval
    // Of a paused route a fresh clink is tried first.
    const due = inHand.live.filter(
      ({ clink, dueAt = Infinity, route }) => dueAt <= soon && !health.isPausedFor(route, clink.clink_id),
    )
    const isKept = ({ isSent, keptUntil, mayBeUsed }: Seats): boolean => !isSent && mayBeUsed && clock.now() < keptUntil
    const known = this.#sum((seats) => seats.isSent || (isKept(seats) && seats.isKnown))
    const free = settings.current.concurrency - inHand.busy - due.length - this.#forReruns - known
    const isAnyOpen = health.paused.length < router.routes.length
    const most = isAnyOpen ? Infinity : router.routes.some((route) => this.isOpen(route)) ? 1 : 0
    // What nobody knows may be the one clink that is tried on a paused route.
    return Math.min(free, most) - this.#sum((seats) => isKept(seats) && !seats.isKnown) + own
  }

  /** Whether a clink of the route may be claimed: of a paused one only where a probe is due and none is on its way. */
  isOpen(route: Route): boolean {
    const { health, inHand } = this.#options
    if (!health.isPaused(route)) return true
    const isSame = ({ name }: Route): boolean => name === route.name
    const isClaiming = [...this.#claims].some((seats) => seats.route !== undefined && isSame(seats.route))
    return health.isOpen(route) && !isClaiming && !inHand.live.some((one) => one.isComing && isSame(one.route))
  }

  /** Seats for claims that are about to be sent. */
  reserve(count: number): Seats {
    const { clock, signals } = this.#options.context
    for (const one of this.#claims) if (!one.isSent && one.keptUntil <= clock.now()) this.#claims.delete(one)
    return new Seats(count, this.#claims, signals)
  }

  mayHold(isSleep = false): boolean {
    const { context, inHand } = this.#options
    const alike = inHand.live.filter(({ dueAt, handle }) => dueAt !== undefined && handle.isAsleep === isSleep)
    return alike.length < context.settings.current.concurrency * (isSleep ? SLEEPING : BACKING_OFF)
  }

  /** How many must be given back before the next can be taken; undefined: one is free. */
  get taken(): number | undefined {
    return this.#line.pending >= this.#line.concurrency ? this.#line.pending : undefined
  }

  /** A rejection of `work` is the caller's. Nothing else waits behind what waits for its place. */
  async use(work: () => Promise<void>, priority: number, place: Place | undefined): Promise<void> {
    if (place !== undefined) await place.ready()
    const alone = priority === PRIORITY.alone
    if (alone) this.#narrow(1)
    try {
      await this.#line.add(work, { priority })
    } finally {
      place?.rest()
      if (alone) this.#narrow(-1)
      this.#options.context.signals.freed.say()
    }
  }

  /** As `use`, for what loses nothing while it waits: in no more than its part of the seats, and in none that a claim may need. */
  async useSpare(work: () => Promise<void>): Promise<void> {
    await this.#reruns.add(async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.push(resolve)
      this.#spare()
      await promise
      try {
        await work()
      } finally {
        this.#rerunning -= 1
        this.#spare()
      }
    })
  }

  /** Those that will want `useSpare`. */
  expect(reruns: RerunsToCome): void {
    this.#toCome = reruns
  }

  #spare(): void {
    if (this.#waiting.length === 0) return
    const { context, inHand } = this.#options
    const sent = this.#sum(({ isSent }) => isSent)
    const most = this.#reruns.concurrency
    while (this.#rerunning < Math.min(most, context.settings.current.concurrency - inHand.busy - sent)) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#rerunning += 1
      next()
    }
  }

  /** How many reruns have a seat, also one of those that were more, or wait for one, or will before the next poll. */
  get #forReruns(): number {
    const { concurrency } = this.#options.context.settings.current
    const { coming = 0, isOpen = true } = this.#toCome ?? {}
    const most = Math.min(this.#reruns.concurrency, isOpen ? concurrency : concurrency - 1)
    return Math.max(this.#rerunning, Math.min(most, this.#reruns.pending + coming))
  }

  #sum(counts: (seats: Seats) => boolean): number {
    return [...this.#claims].reduce((sum, seats) => (counts(seats) ? sum + seats.count : sum), 0)
  }

  /** Suspects wait or run: one clink runs at a time, and they go first. A seat fewer than are in use frees none, so nothing runs beside. */
  #narrow(change: number): void {
    this.#suspects += change
    this.#fit()
  }

  /** What has a seat keeps it, also where there are fewer now. */
  #fit(): void {
    const { concurrency } = this.#options.context.settings.current
    this.#line.concurrency = this.#suspects > 0 ? 1 : concurrency
    this.#reruns.concurrency = Math.max(1, Math.floor(concurrency * RERUNS))
  }
}
