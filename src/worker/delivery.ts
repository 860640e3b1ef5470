import { asError } from '../base/coded-error.ts'
import type { Clink } from '../clink/records.ts'
import type { DeliveryFacts, LostCause, ReleaseCause, WorkerEvent } from '../events.ts'
import type { Route, RoutedClink } from '../handlers/route.ts'
import type { Claimed } from './claimed.ts'
import { complete } from './complete.ts'
import type { WorkerContext } from './context.ts'
import { keptOf, type LateResult } from './late-results.ts'
import { outcomePolicy, startHandler, UNHEALTHY_WAIT, verdictOnRoute, wasCutShort } from './handler-run.ts'
import type { ClaimInHand, WorkerKey } from './keys.ts'
import type { Lease } from './lease.ts'
import { LeaseKeeper, type RenewalMemory } from './lease-keeper.ts'
import { decide, decideOutlived, type Decision, type HandlerOutcome } from './outcome.ts'
import type { Pulse } from './pulses.ts'
import type { RouteHealth } from './route-health.ts'
import type { Run } from './run.ts'
import type { RunRegister } from './run-register.ts'
import { release } from './release.ts'
import { toHeldClaim } from './resume.ts'
import { PRIORITY, type Slots } from './slots.ts'

export type DeliveryState = 'claimed' | 'running' | 'holding' | 'settling' | 'settled' | 'lost'

/** What deliveries of one worker share beyond the worker's context. */
export interface DeliveryShared {
  readonly context: WorkerContext
  readonly slots: Slots
  readonly runs: RunRegister
  readonly memory: RenewalMemory
  readonly health: RouteHealth
  /** Whether one more clink may be held. */
  readonly mayHold: () => boolean
  /** A part of the heart broke: the worker ends. */
  readonly crashed: (part: string, error: Error) => void
}

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
  readonly #shared: DeliveryShared
  readonly #context: WorkerContext
  readonly #keeper: LeaseKeeper
  readonly #isResumed: boolean
  readonly #pulse: Pulse
  readonly #interrupted = Promise.withResolvers<void>()
  readonly #settled = Promise.withResolvers<void>()
  #state: DeliveryState = 'claimed'
  #run: Run | undefined
  #attempt = 0
  #since: number
  #heldFor = 0
  #dueAt: number | undefined
  /** Of a clink that waits for its route: resolves when that is paused no more. */
  #opened: Promise<void> | undefined
  /** The last failure costs no attempt. */
  #isFree = false
  #completedAt: number | undefined
  #isReleasing = false
  #wasReleased = false
  #wasLetGo = false
  #stopping = false
  #abandoned: Promise<void> | undefined

  /** @param wait only of a clink that an earlier process held: milliseconds until it is to run. */
  constructor(clink: Clink, routed: RoutedClink, { key, lease }: ClaimInHand, shared: DeliveryShared, wait?: number) {
    this.clink = clink
    this.#routed = routed
    this.#key = key
    this.#shared = shared
    this.#context = shared.context
    this.settled = this.#settled.promise
    this.#since = shared.context.clock.now()
    this.#isResumed = wait !== undefined
    this.#pulse = shared.context.pulses.begin(clink.clink_id)
    this.#keeper = this.#makeKeeper(lease)
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

  /** Local time until which its claim may be trusted, as far as is known. */
  get deadline(): number {
    return this.#keeper.lease.deadline
  }

  /** A release is on its way: the service may give the clink out again before it is answered. */
  get isReleasing(): boolean {
    return this.#isReleasing
  }

  /** A release was to be sent, whatever came of it. */
  get wasLetGo(): boolean {
    return this.#wasLetGo
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
    return this.#run?.stuckSince
  }

  get hasEnded(): boolean {
    return this.#is('settled') || this.#is('lost')
  }

  /** The worker stops: what waits is released at once, what runs is asked to finish soon. */
  drain(): void {
    this.#stopping = true
    this.#run?.drain()
    this.#interrupted.resolve()
  }

  /** The time for finishing is over. */
  abort(): void {
    this.#run?.abort('shutdown')
  }

  /** Releases a claim whose handler did not heed its abort. The process is about to end. */
  async abandon(): Promise<void> {
    if (this.#is('running')) await (this.#abandoned = this.#giveBack())
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
    this.#shared.crashed('delivery', error)
    try {
      await this.#release('shutdown')
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
        this.#enter('settling')
        await this.#release('shutdown')
        break
      }
      const alone = this.#context.ledger.isSuspect(this.clink.clink_id)
      const turn = slots.use(async () => await this.#turn(), alone ? PRIORITY.alone : priority)
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

  /** In a slot: a run and what follows from it, until the clink is settled, held or lost. */
  async #turn(): Promise<void> {
    if (!this.#is('claimed') || this.#stopping || !this.#keeper.stands) return
    const { ledger } = this.#context
    const kept = ledger.keptResult(this.clink)
    if (kept !== undefined) {
      this.#enter('settling')
      await this.#complete(kept.response)
      return
    }
    const clinkId = this.clink.clink_id
    const { health, memory } = this.#shared
    const { timesAbsent } = memory
    const policy = outcomePolicy(this.#routed.route, this.#context)
    const givenUp = decideOutlived(ledger.outlivedOf(clinkId), { clinkId, timesAbsent }, policy)
    if (givenUp !== undefined) {
      this.#attempt = ledger.startsOf(clinkId)
      await this.#follow(givenUp)
      return
    }
    const { route } = this.#routed
    const pause = health.wait(route)
    if (pause > 0) {
      await this.#postpone(pause)
      return
    }
    health.started(route, clinkId)
    const outcome = ledger.isHealthy ? await this.#runHandler() : undefined
    if (outcome === undefined) health.ended(route, clinkId, 'nothing')
    if (outcome === undefined && this.#is('claimed')) this.#keep(UNHEALTHY_WAIT, 'the journal cannot be written')
    if (outcome === undefined || !this.#is('running')) return
    if (wasCutShort(this.#run, outcome)) {
      await this.#giveBack()
      return
    }
    const attempt = this.#attempt - ledger.excusedOf(clinkId)
    const state = { clinkId, attempt, heldFor: this.#heldFor, isFree: this.#isFree }
    await this.#follow(decide(outcome, state, policy, this.#context.random))
  }

  /** Waits for its route, which is paused. */
  async #postpone(wait: number): Promise<void> {
    const { clock, config, ledger } = this.#context
    if (this.#shared.mayHold() && this.#heldFor + wait <= config.claim.maxHold) {
      this.#keep(wait, PAUSED)
      this.#opened = this.#shared.health.opened(this.#routed.route)
      await this.#note()
      return
    }
    this.#enter('settling')
    await ledger.coolUntil(this.clink.clink_id, clock.wall() + wait)
    await this.#release('too-many-held', PAUSED)
  }

  /** Releases what a stop cut short; it costs no attempt. */
  async #giveBack(): Promise<void> {
    this.#enter('settling')
    await this.#context.ledger.takeBackAttempt(this.clink.clink_id)
    await this.#release('shutdown')
  }

  /** Undefined: the handler was not started after all. */
  async #runHandler(): Promise<HandlerOutcome | undefined> {
    const { clock, crashWatch, emit, ledger } = this.#context
    const waited = clock.now() - this.#since
    if (!(await this.#startAttempt())) return undefined
    emit({ event: 'clink.started', ...this.#facts(), waited })
    const run = startHandler({
      clink: this.clink,
      routed: this.#routed,
      attempt: this.#attempt,
      key: this.#key,
      context: this.#context,
      facts: () => this.#facts(),
      isCurrent: (one) => one === this.#run && this.#is('running'),
      replyBy: () => this.#keeper.lease.deadline,
    })
    this.#run = run
    const outcome = await this.#shared.runs.track(this.clink.clink_id, this.route.file, run.ended)
    if (ledger.isSuspect(this.clink.clink_id)) await crashWatch.survived(this.clink.clink_id)
    // The clock decides here and not the timer: after a blocked event loop this continuation runs before it.
    const stands = this.#keeper.stands
    const verdict = stands ? verdictOnRoute(run, outcome) : 'nothing'
    if (this.#is('lost')) void ledger.dropLost(this.clink.clink_id)
    this.#isFree = !this.#shared.health.ended(this.#routed.route, this.clink.clink_id, verdict)
    this.#reportEnd(outcome, run, stands)
    const isTakenBack = this.#abandoned !== undefined
    if (!stands && run.abortedBy === 'shutdown' && !isTakenBack) await ledger.takeBackAttempt(this.clink.clink_id)
    return outcome
  }

  /** Journals the start before it happens. False: it must not happen after all. */
  async #startAttempt(): Promise<boolean> {
    const { crashWatch, ledger } = this.#context
    const id = this.clink.clink_id
    this.#enter('running')
    this.#run = undefined // until the next one begins
    const [attempt] = await Promise.all([
      ledger.startAttempt(id),
      this.#note(),
      ledger.isSuspect(id) ? crashWatch.runsAlone(id) : undefined,
    ])
    this.#attempt = attempt
    if (!this.#is('running') || !this.#keeper.stands) {
      await ledger.takeBackAttempt(id)
      return false
    }
    if (this.#stopping) {
      await this.#giveBack()
      return false
    }
    if (ledger.isHealthy) return true
    this.#enter('claimed')
    await ledger.takeBackAttempt(id)
    return false
  }

  #reportEnd(outcome: HandlerOutcome, run: Run, stands: boolean): void {
    const { emit, ledger } = this.#context
    const shown = !stands ? 'lost' : wasCutShort(run, outcome) ? 'cut-short' : outcome.outcome
    emit({ event: 'clink.ended', ...this.#facts(), outcome: shown, ...why(outcome), duration: run.age })
    if (stands || outcome.outcome === 'failed') return
    emit({ event: 'clink.lateResult', ...this.#facts(), outcome: outcome.outcome })
    void ledger.late.keep({ ...this.#late(), why: 'late', ...keptOf(outcome) })
  }

  /** Somebody else has settled the clink: what was to be sent is kept for the operator, and costs no attempt. */
  #keepUnsent(): void {
    const { ledger } = this.#context
    const result = ledger.keptResult(this.clink)
    if (result === undefined) return
    const { response } = result
    const outcome = response === undefined ? { outcome: 'done' as const } : { outcome: 'done' as const, response }
    void ledger.late.keep({ ...this.#late(), why: 'elsewhere', ...outcome })
    void ledger.takeBackAttempt(this.clink.clink_id)
  }

  #late(): Pick<LateResult, 'clink' | 'route' | 'attempt' | 'at'> {
    const { clock, ledger } = this.#context
    const attempt = this.#attempt === 0 ? ledger.startsOf(this.clink.clink_id) : this.#attempt
    return { clink: this.clink, route: this.#routed.route.name, attempt, at: clock.wall() }
  }

  /** The state changes before anything is awaited, so that a loss or a stop in between finds it right. */
  async #follow(decision: Decision): Promise<void> {
    const { clock, ledger } = this.#context
    const id = this.clink.clink_id
    if (decision.do === 'hold' && !this.#stopping && this.#shared.mayHold()) {
      this.#keep(decision.wait, decision.why)
      await Promise.all([
        this.#note(),
        decision.countsAttempt ? ledger.noteError(id, decision.why) : ledger.takeBackAttempt(id),
      ])
      return
    }
    this.#enter('settling')
    switch (decision.do) {
      case 'complete':
        await ledger.keepResult(this.clink, decision.response)
        await this.#complete(decision.response)
        return
      case 'release':
        if (!decision.countsAttempt) await ledger.takeBackAttempt(id)
        await ledger.coolUntil(id, clock.wall() + decision.cooldown)
        await this.#release(decision.why, decision.reason)
        return
      case 'hold':
        if (!decision.countsAttempt) await ledger.takeBackAttempt(id)
        await ledger.coolUntil(id, clock.wall() + decision.wait)
        await this.#release(this.#stopping ? 'shutdown' : 'too-many-held', decision.why)
        return
      case 'bury':
        await this.#bury(decision.reason, decision.tell)
        if (decision.tell === 'complete') await this.#complete(decision.notice)
        else await this.#release(decision.why, decision.reason)
    }
  }

  #keep(wait: number, why: string): void {
    this.#enter('holding')
    this.#dueAt = this.#since + wait
    this.#pulse.expect('hold', this.#dueAt)
    this.#context.emit({ event: 'clink.held', ...this.#facts(), wait, why })
  }

  async #hold(): Promise<void> {
    const { clock } = this.#context
    const from = clock.now()
    const due = Promise.withResolvers<void>()
    const cancel = clock.at(this.#dueAt ?? from, due.resolve)
    const waits = [due.promise, this.#interrupted.promise, ...(this.#opened === undefined ? [] : [this.#opened])]
    await Promise.race(waits)
    cancel()
    this.#opened = undefined
    this.#heldFor += clock.now() - from
    const left = (this.#dueAt ?? from) - clock.now()
    this.#dueAt = undefined
    // Given back by a stop: the wait goes on over it.
    if (this.#stopping && left > 0) await this.#context.ledger.coolUntil(this.clink.clink_id, clock.wall() + left)
    if (this.#is('holding')) this.#enter('claimed')
  }

  async #complete(response: string | undefined): Promise<void> {
    if (this.hasEnded) return
    this.#keeper.completing = true
    const result = await complete(this.#claimed(), response, this.#context)
    this.#keeper.completing = false
    if (result.is === 'settled' && result.event.event === 'clink.settledElsewhere') this.#keepUnsent()
    if (result.is === 'settled') this.#end(result.event)
    if (result.is === 'lost') this.#lose(result.cause)
    if (result.is === 'unsettleable' && !this.hasEnded) {
      await this.#bury(`unsettleable: ${result.error.message}`)
      await this.#release('exhausted', 'unsettleable')
    }
    // Otherwise unconfirmed: the lease is gone, or the worker's time for stopping is over and it names what it leaves behind.
    if (result.is === 'unconfirmed' && this.#is('lost') && result.refusing) await this.#countRefusingLease()
  }

  /** The service failed over a whole lease; the second time the result is given up. */
  async #countRefusingLease(): Promise<void> {
    const leases = await this.#context.ledger.countFailedLease(this.clink.clink_id)
    if (leases >= 2) await this.#bury('unsettleable: the service failed to take the result over two leases')
  }

  async #release(why: ReleaseCause, reason?: string): Promise<void> {
    if (this.hasEnded) return
    await this.#note(true)
    if (this.hasEnded) return
    this.#isReleasing = true
    this.#wasLetGo = true
    const event = await release(this.#claimed(), why, reason, this.#context)
    this.#isReleasing = false
    // At the end of its time the worker names the clink as left behind instead.
    if (!this.hasEnded && !(event.event === 'clink.leftToExpire' && this.#context.closing.aborted)) this.#end(event)
  }

  #claimed(): Claimed {
    return {
      clink: this.clink,
      api: this.#key.api,
      holder: this.#keeper,
      facts: () => this.#facts(),
      isLast: () => this.#stopping,
      trying: (dueBy) => this.#pulse.expect('settlement', dueBy),
    }
  }

  async #bury(reason: string, tell: 'release' | 'complete' = 'release'): Promise<void> {
    const { clock, emit, ledger } = this.#context
    const { clink } = this
    const errors = [...ledger.errorsOf(clink.clink_id), reason]
    const route = this.#routed.route.name
    await ledger.bury({ clink, route, attempts: this.#attempt, reason, errors, tell, at: clock.wall() })
    emit({ event: 'clink.deadLettered', ...this.#facts(), reason, attempts: this.#attempt })
  }

  #end(event: WorkerEvent): void {
    this.#enter('settled')
    if (event.event === 'clink.completed') this.#completedAt = this.#since
    this.#wasReleased = event.event === 'clink.released'
    this.#keeper.stop()
    void this.#context.ledger.dropClaim(this.clink.clink_id)
    this.#context.emit(event)
  }

  #lose(cause: LostCause): void {
    if (this.hasEnded) return
    const settling = this.#is('settling')
    if (settling && cause === 'completed-elsewhere') this.#keepUnsent()
    const { clock, ledger } = this.#context
    // It may come back at once; the wait that it was held for still counts.
    if (this.#dueAt !== undefined) void ledger.coolUntil(this.clink.clink_id, clock.wall() + this.#dueAt - clock.now())
    if (cause === 'refused' && this.#hadItsTime) void ledger.countOutlived(this.clink.clink_id)
    this.#enter('lost')
    this.#keeper.stop()
    // What still runs may end the process: the next start has to know what it was.
    void (this.#shared.runs.has(this.clink.clink_id) ? this.#note(true) : ledger.dropClaim(this.clink.clink_id))
    const detail = settling ? { detail: 'while Clink was being told about the result; it may have taken it' } : {}
    this.#context.emit({ event: 'clink.lost', ...this.#facts(), cause, ...detail })
    this.#run?.abort('lease-lost')
    this.#interrupted.resolve()
  }

  /** Whether the handler runs and has had the better part of a claim: one that began late says nothing about its length. */
  get #hadItsTime(): boolean {
    const run = this.#is('running') ? this.#run : undefined
    if (run === undefined || run.abortedBy === 'shutdown' || this.#isResumed) return false
    // Up to the deadline and not to the end: of a short claim the margin is the better part.
    const { deadline, grantedAt } = this.#keeper.lease
    return run.age >= (deadline - grantedAt) / 2
  }

  #makeKeeper(lease: Lease): LeaseKeeper {
    const { clock, emit } = this.#context
    const { crashed, memory } = this.#shared
    const left = (): number => this.#keeper.lease.deadline - clock.now()
    return new LeaseKeeper({
      clink: this.clink,
      lease,
      api: this.#key.api,
      context: this.#context,
      memory,
      on: {
        renewed: (headroom) => {
          emit({ event: 'clink.renewed', ...this.#facts(), left: left(), headroom })
          void this.#note()
        },
        failed: (error) => emit({ event: 'clink.renewalFailed', ...this.#facts(), error, left: left() }),
        refused: (why) => {
          emit({ event: 'clink.renewalRefused', ...this.#facts(), why, left: left() })
          if (!memory.refusalSaid) emit({ event: 'worker.renewalUnsupported', why })
          memory.refusalSaid = true
        },
        lost: (cause) => this.#lose(cause),
        crashed: (error) => crashed('lease keeper', error),
      },
    })
  }

  /** Journals the claim as it is now, so that the next start can hold on to it. */
  async #note(releasing = false): Promise<void> {
    const { boot, clock, ledger } = this.#context
    const outlived = !this.#is('settling') && this.#shared.runs.has(this.clink.clink_id)
    const claim = {
      clink: this.clink,
      route: this.#routed.route.name,
      lease: this.#keeper.lease,
      dueAt: this.#dueAt,
      running: this.#is('running') || outlived,
      releasing,
      key: this.#key.print,
    }
    await ledger.holdClaim(toHeldClaim(claim, clock, boot))
  }

  #facts(): DeliveryFacts {
    const route = this.#routed.route.name
    return this.#attempt === 0 ? { clink: this.clink, route } : { clink: this.clink, route, attempt: this.#attempt }
  }
}

const PAUSED = 'its route is paused'

function why(outcome: HandlerOutcome): { reason?: string; error?: Error } {
  if (outcome.outcome === 'failed') return { reason: outcome.error.message, error: outcome.error }
  return 'reason' in outcome && outcome.reason !== undefined ? { reason: outcome.reason } : {}
}
