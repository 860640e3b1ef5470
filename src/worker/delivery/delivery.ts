import { after } from '../../base/clock.ts'
import { asError } from '../../base/coded-error.ts'
import type { Clink } from '../../clink/records.ts'
import type { LostCause, RoutedFacts, WorkerEvent } from '../../events.ts'
import type { Route, RoutedClink } from '../../handlers/route.ts'
import type { WorkerKey } from '../../keys/keys.ts'
import type { ClaimInHand } from '../claim/claim-in-hand.ts'
import { Execution } from '../execution/execution.ts'
import { outcomePolicy, UNHEALTHY_WAIT } from '../execution/start-run.ts'
import { keepUnsent } from '../execution/late-outcome.ts'
import type { Lease } from '../claim/lease.ts'
import { LeaseKeeper } from '../claim/keeper.ts'
import { decideOutlived, decideUnmatched, type Decision } from '../execution/outcome.ts'
import type { Pulse } from '../liveness/pulses.ts'
import type { Turn } from '../capacity/route-pause.ts'
import { toHeldClaim } from '../claim/journalled-claim.ts'
import { Settlement } from '../settlement/settlement.ts'
import { PRIORITY } from '../capacity/slots.ts'
import type { DeliveryContext, DeliveryParts } from './context.ts'

export type DeliveryState = 'claimed' | 'running' | 'holding' | 'settling' | 'settled' | 'lost'

/**
 * One clink's life in this worker, from its claim to its settlement.
 *
 * - `claimed`: ours, and waits for a slot, or for an earlier run of the same clink to end.
 * - `running`: a handler runs, in a slot. An outcome leads to `holding` or `settling`.
 * - `holding`: no slot; waits for its next run. Then `claimed` again.
 * - `settling`: in a slot, except at a stop; Clink is being told.
 * - `settled`: the end. Clink was told, or knows better, or the claim was left to expire on purpose.
 * - `lost`: the end. The lease is gone; the handler is aborted and nothing is sent. Its slot is freed when its code has ended.
 *
 * The keeper renews the claim from the beginning to either end. It is stopped before a release is sent, since a renewal that
 * arrives after it would claim the clink again, and after a completion was confirmed.
 */
export class Delivery {
  readonly clink: Clink
  /** Resolves when the delivery has ended and holds no slot; never rejects. */
  readonly over: Promise<void>
  /** Resolves when the delivery is settled or lost, though its code may still run. */
  readonly settled: Promise<void>
  readonly #routed: RoutedClink
  readonly #key: WorkerKey
  readonly #madeWith: string | undefined
  readonly #shared: DeliveryParts
  readonly #context: DeliveryContext
  readonly #keeper: LeaseKeeper
  readonly #isResumed: boolean
  readonly #pulse: Pulse
  readonly #interrupted = Promise.withResolvers<void>()
  readonly #settled = Promise.withResolvers<void>()
  readonly #execution: Execution
  readonly #settlement: Settlement
  #state: DeliveryState = 'claimed'
  #since: number
  /** Milliseconds that it waited for its last start. */
  #waited = 0
  #heldFor = 0
  #dueAt: number | undefined
  /** Of a clink that waits for its route, which is paused. */
  #turn: Turn | undefined
  /** Why it has been held since its last start: said once, though it may be held again and again. */
  #whyHeld: string | undefined
  #completedAt: number | undefined
  #wasReleased = false
  #stopping = false
  #abandoned: Promise<void> | undefined

  /** @param wait only of a clink that an earlier process held: milliseconds until it is to run. */
  constructor(clink: Clink, routed: RoutedClink, claim: ClaimInHand, shared: DeliveryParts, wait?: number) {
    const { key, lease, madeWith } = claim
    this.clink = clink
    this.#routed = routed
    this.#key = key
    this.#madeWith = madeWith
    this.#shared = shared
    this.#context = shared.context
    this.settled = this.#settled.promise
    this.#since = shared.context.clock.now()
    this.#isResumed = wait !== undefined
    this.#pulse = shared.context.pulses.begin(clink.clink_id)
    this.#keeper = this.#makeKeeper(lease)
    this.#execution = this.#makeExecution()
    this.#settlement = this.#makeSettlement()
    // A result that is kept may have been sent: what a renewal shows may be its own doing.
    this.#keeper.completing = shared.context.ledger.unconfirmed(clink) !== undefined
    this.#keeper.start()
    shared.context.emit({ event: 'clink.claimed', ...this.#facts(), lease: lease.deadline - this.#since })
    if (wait !== undefined && wait > 0) this.#keep(wait, 'it was held when the last process ended')
    this.over = this.#live().catch(async (error: unknown) => await this.#crash(asError(error)))
  }

  get state(): DeliveryState {
    return this.#state
  }

  /** Local time at which a held clink is due; undefined while it is not held. */
  get dueAt(): number | undefined {
    return this.#dueAt
  }

  /** What may be trusted of its claim, as far as is known. */
  get lease(): Lease {
    return this.#keeper.lease
  }

  /** A release is on its way: the service may give the clink out again before it is answered. */
  get isReleasing(): boolean {
    return this.#settlement.isReleasing
  }

  /** A release was to be sent, whatever came of it. */
  get wasLetGo(): boolean {
    return this.#settlement.wasLetGo
  }

  get wasReleased(): boolean {
    return this.#wasReleased
  }

  /** Local time at which Clink confirmed the completion; undefined before. */
  get completedAt(): number | undefined {
    return this.#completedAt
  }

  get route(): Route {
    return this.#routed.route
  }

  /** Local time since which its handler is stuck. */
  get stuckSince(): number | undefined {
    return this.#execution.stuckSince
  }

  /** It is about to start, unless it may not. Where code of an earlier claim goes on, that may take for ever. */
  get isComing(): boolean {
    return this.#is('claimed') && !this.#shared.runs.has(this.clink.clink_id)
  }

  get hasEnded(): boolean {
    return this.#is('settled') || this.#is('lost')
  }

  /** The worker stops: what waits is released at once, what runs is asked to finish soon. */
  drain(): void {
    this.#stopping = true
    this.#execution.drain()
    this.#interrupted.resolve()
  }

  /** The time for finishing is over. */
  abort(): void {
    this.#execution.abort('shutdown')
  }

  /** Lets a claim go whose handler does not heed its abort. The process is about to end. */
  async abandon(): Promise<void> {
    // By the clock and not the timer: after a blocked event loop the stop may come before the loss.
    if (!this.#is('running') || !this.#keeper.stands) return
    const { known } = this.#execution
    this.#abandoned =
      known === undefined ? this.#giveBack() : this.#settle(this.#execution.decide(known, this.#heldFor))
    await this.#abandoned
  }

  #is(state: DeliveryState): boolean {
    return this.#state === state
  }

  #enter(state: DeliveryState): void {
    this.#state = state
    this.#since = this.#context.clock.now()
    if (state === 'settling') this.#pulse.expect('settlement', this.#keeper.lease.deadline)
    else this.#pulse.rest()
    if (!this.hasEnded) return
    this.#pulse.end()
    this.#settled.resolve()
  }

  /** A fault of ours. The claim is given back as far as that still works; the worker ends. */
  async #crash(error: Error): Promise<void> {
    this.#context.signals.crashed.say('delivery', error)
    try {
      await this.#settlement.release('shutdown')
    } catch {
      // The fault that came first is the one to tell.
    }
    this.#keeper.stop()
  }

  async #live(): Promise<void> {
    const { runs, slots } = this.#shared
    let priority: number = PRIORITY.fresh
    await this.#note()
    if (this.#is('holding')) await this.#hold()
    while (this.#is('claimed')) {
      await Promise.race([runs.idle(this.clink.clink_id), this.#interrupted.promise])
      if (!this.#is('claimed')) break
      if (this.#stopping) {
        await this.#settleWaiting()
        break
      }
      const alone = this.#context.ledger.isSuspect(this.clink.clink_id)
      const turn = slots.use(async () => await this.#takeTurn(), alone ? PRIORITY.alone : priority)
      await Promise.race([turn, this.#interrupted.promise])
      if (this.#is('claimed')) continue // interrupted before its turn came; the turn, when it comes, does nothing
      await turn
      if (this.#is('holding')) await this.#hold()
      priority = PRIORITY.due
    }
    // The handler may end while its claim is being given back: until that is over the worker has to name it.
    await this.#abandoned
    this.#keeper.stop()
  }

  /** At a stop: a result that an earlier claim has left is sent, what has none is given back. */
  async #settleWaiting(): Promise<void> {
    const kept = this.#context.ledger.unconfirmed(this.clink)
    this.#enter('settling')
    await (kept === undefined ? this.#settlement.release('shutdown') : this.#settlement.complete(kept.response, true))
  }

  /** In a slot: a run and what follows from it, until the clink is settled, held or lost. */
  async #takeTurn(): Promise<void> {
    // A claim that is being asked about has its slot: it runs as soon as that is answered.
    if (this.#is('claimed')) await Promise.race([this.#keeper.confirmed, this.#interrupted.promise])
    if (!this.#is('claimed') || this.#stopping || !this.#keeper.stands) return
    const { ledger } = this.#context
    const kept = ledger.unconfirmed(this.clink)
    if (kept !== undefined) {
      this.#enter('settling')
      await this.#settlement.complete(kept.response, true)
      return
    }
    const givenUp = this.#decideUnmatched() ?? this.#decideOutlived()
    const pause = this.#shared.health.wait(this.#routed.route, this.clink.clink_id)
    if (givenUp !== undefined) await this.#follow(givenUp)
    else if (pause > 0) await this.#postpone(pause)
    else if (ledger.isHealthy) {
      await this.#runHandler()
      await this.#execution.aftermath()
    } else this.#keep(UNHEALTHY_WAIT, UNHEALTHY)
  }

  #decideUnmatched(): Decision | undefined {
    const { fault, route } = this.#routed
    const policy = outcomePolicy(route, this.#context)
    return fault === undefined ? undefined : decideUnmatched(fault, this.clink.clink_id, policy)
  }

  /** What follows without another start, because the handler outlives every claim. */
  #decideOutlived(): Decision | undefined {
    const clinkId = this.clink.clink_id
    const { timesAbsent } = this.#context.terms
    const policy = outcomePolicy(this.#routed.route, this.#context)
    const decision = decideOutlived(this.#context.ledger.outlivedOf(clinkId), { clinkId, timesAbsent }, policy)
    if (decision !== undefined) this.#execution.recall()
    return decision
  }

  async #runHandler(): Promise<void> {
    this.#waited = this.#context.clock.now() - this.#since
    this.#whyHeld = undefined
    this.#enter('running')
    const outcome = await this.#execution.start()
    if (this.#is('lost')) void this.#context.ledger.dropLost(this.clink.clink_id)
    if (!this.#is('running')) return
    if (outcome === undefined && !this.#stopping) this.#keep(UNHEALTHY_WAIT, UNHEALTHY)
    else if (outcome === undefined || this.#execution.wasCutShort(outcome)) await this.#giveBack()
    else await this.#follow(this.#execution.decide(outcome, this.#heldFor))
  }

  /** Waits for its route, which is paused. */
  async #postpone(wait: number): Promise<void> {
    const { config, ledger } = this.#context
    const left = config.claim.maxHold - this.#heldFor
    if (this.#shared.mayHold() && left > 0) {
      this.#keep(Math.min(wait, left), PAUSED)
      this.#turn = this.#shared.health.turn(this.#routed.route, this.clink.clink_id)
      await this.#note()
      return
    }
    this.#enter('settling')
    await ledger.coolFor(this.clink.clink_id, wait)
    await this.#settlement.release('too-many-held', PAUSED)
  }

  /** Releases what a stop cut short; it costs no attempt. */
  async #giveBack(): Promise<void> {
    this.#enter('settling')
    await this.#execution.takeBack()
    await this.#settlement.release('shutdown')
  }

  /** The state changes before anything is awaited, so that a loss or a stop in between finds it right. */
  async #follow(decision: Decision): Promise<void> {
    if (decision.do !== 'hold' || this.#stopping || !this.#shared.mayHold()) {
      await this.#settle(decision)
      return
    }
    this.#keep(decision.wait, decision.why)
    await Promise.all([this.#note(), this.#execution.charge(decision)])
  }

  async #settle(decision: Decision): Promise<void> {
    this.#enter('settling')
    await this.#settlement.follow(decision)
  }

  #keep(wait: number, why: string): void {
    this.#enter('holding')
    this.#dueAt = this.#since + wait
    this.#pulse.expect('hold', this.#dueAt)
    if (why !== this.#whyHeld) this.#context.emit({ event: 'clink.held', ...this.#facts(), wait, why })
    this.#whyHeld = why
  }

  async #hold(): Promise<void> {
    const { clock } = this.#context
    const from = clock.now()
    const due = Promise.withResolvers<void>()
    const cancel = after(clock, Math.max(0, (this.#dueAt ?? from) - from), due.resolve)
    const turn = this.#turn
    this.#turn = undefined
    await Promise.race([due.promise, this.#interrupted.promise, ...(turn === undefined ? [] : [turn.come])])
    cancel()
    turn?.leave()
    this.#heldFor += clock.now() - from
    const left = (this.#dueAt ?? from) - clock.now()
    this.#dueAt = undefined
    // Given back by a stop: the wait goes on over it, unless it was for the route, which the next process finds open.
    if (this.#stopping && left > 0 && turn === undefined) await this.#context.ledger.coolFor(this.clink.clink_id, left)
    if (this.#is('holding')) this.#enter('claimed')
  }

  #end(settled: WorkerEvent): void {
    const event = this.#withRun(settled)
    this.#enter('settled')
    if (event.event === 'clink.completed') this.#completedAt = this.#since
    this.#wasReleased = event.event === 'clink.released'
    this.#keeper.stop()
    void this.#context.ledger.dropClaim(this.clink.clink_id)
    this.#context.emit(event)
  }

  /** How long a clink took is how long its handler ran, and how long Clink took to be told. */
  #withRun(event: WorkerEvent): WorkerEvent {
    if (event.event !== 'clink.completed') return event
    return { ...event, duration: event.duration + (this.#execution.ranFor ?? 0) }
  }

  #lose(cause: LostCause): void {
    if (this.hasEnded) return
    const settling = this.#is('settling')
    if (settling && cause === 'completed-elsewhere') keepUnsent(this.#facts(), this.#context)
    const { clock, ledger } = this.#context
    // It may come back at once; the wait that it was held for still counts.
    if (this.#dueAt !== undefined) void ledger.coolFor(this.clink.clink_id, this.#dueAt - clock.now())
    if (cause === 'refused' && this.#hadItsTime) void ledger.countOutlived(this.clink.clink_id)
    this.#enter('lost')
    this.#keeper.stop()
    // What still runs may end the process: the next start has to know what it was.
    void (this.#shared.runs.has(this.clink.clink_id) ? this.#note(true) : ledger.dropClaim(this.clink.clink_id))
    const detail = settling ? { detail: 'while Clink was being told about the result; it may have taken it' } : {}
    this.#context.emit({ event: 'clink.lost', ...this.#facts(), cause, ...detail })
    this.#execution.abort('lease-lost')
    this.#interrupted.resolve()
  }

  /** Whether the handler runs and has had the better part of a claim: one that began late says nothing about its length. */
  get #hadItsTime(): boolean {
    if (!this.#is('running') || this.#isResumed) return false
    // Up to the deadline and not to the end: of a short claim the margin is the better part.
    const { deadline, grantedAt } = this.#keeper.lease
    return (this.#execution.age ?? 0) >= (deadline - grantedAt) / 2
  }

  #makeExecution(): Execution {
    return new Execution({
      clink: this.clink,
      routed: this.#routed,
      key: this.#key,
      shared: this.#shared,
      facts: () => this.#facts(),
      note: async () => await this.#note(),
      announce: () => this.#context.emit({ event: 'clink.started', ...this.#facts(), waited: this.#waited }),
      counts: () => this.#is('running'),
      stands: () => this.#keeper.stands,
      replyBy: () => this.#keeper.lease.deadline,
      mayStart: () => this.#is('running') && this.#keeper.stands && !this.#stopping && this.#context.ledger.isHealthy,
    })
  }

  #makeSettlement(): Settlement {
    return new Settlement({
      clink: this.clink,
      mark: this.#routed.route.mark,
      api: this.#key.api,
      keeper: this.#keeper,
      pulse: this.#pulse,
      context: this.#context,
      facts: () => this.#facts(),
      noteRelease: async () => await this.#note(true),
      execution: this.#execution,
      isStopping: () => this.#stopping,
      hasEnded: () => this.hasEnded,
      on: { settled: (event) => this.#end(event), lost: (cause) => this.#lose(cause) },
    })
  }

  #makeKeeper(lease: Lease): LeaseKeeper {
    const { keys, signals } = this.#context
    const isStrange = this.#madeWith !== undefined && this.#madeWith !== this.#key.print
    return new LeaseKeeper({
      clink: this.clink,
      lease,
      api: this.#key.api,
      context: this.#context,
      acceptOwner: isStrange ? ({ claimed_by }) => keys.accept(this.#key, claimed_by) : undefined,
      facts: () => this.#facts(),
      on: {
        changed: async () => await this.#note(),
        lost: (cause) => this.#lose(cause),
        unconfirmed: (why) => {
          this.#end({ event: 'clink.leftToExpire', ...this.#facts(), why })
          this.#interrupted.resolve()
        },
        crashed: (error) => signals.crashed.say('lease keeper', error),
      },
    })
  }

  /** Journals the claim as it is now, so that the next start can hold on to it. */
  async #note(releasing = false): Promise<void> {
    const { boot, clock, ledger } = this.#context
    const claim = {
      clink: this.clink,
      route: this.#routed.route.name,
      lease: this.#keeper.lease,
      dueAt: this.#dueAt,
      running: this.#is('running') || this.#shared.runs.has(this.clink.clink_id),
      releasing,
      key: this.#keeper.isUnconfirmed ? (this.#madeWith ?? this.#key.print) : this.#key.print,
    }
    await ledger.holdClaim(toHeldClaim(claim, clock, boot))
  }

  #facts(): RoutedFacts {
    const route = this.#routed.route.name
    const { attempt } = this.#execution
    return attempt === 0 ? { clink: this.clink, route } : { clink: this.clink, route, attempt }
  }
}

const PAUSED = 'its route is paused'
const UNHEALTHY = 'the journal cannot be written'
