import { asError } from '../../base/coded-error.ts'
import type { Clink } from '../../clink/records.ts'
import type { Route, RoutedClink } from '../../handlers/route.ts'
import { whatKeeps } from '../../ledger/away.ts'
import { PRIORITY, type Place } from '../capacity/capacity.ts'
import { decideCancelled, decideUnstarted, type Decision } from '../execution/outcome.ts'
import { Start } from '../execution/start.ts'
import { Backoff, LATE, PAUSED, UNHEALTHY_WAIT } from './backoff.ts'
import type { DeliveryContext, DeliveryParts } from './context.ts'
import type { Handle, HandleOwner, Settled } from './handle.ts'
import { Plan } from './plan.ts'
import { settleBy, settleWaiting, tellEnd, tellStart } from './told.ts'

export type DeliveryState = 'waiting' | 'running' | 'backingOff' | 'settling' | 'settled' | 'lost'

/**
 * One clink's life in this worker, over the handle that somebody else has made for it.
 *
 * - `waiting`: in hand, and waits for a slot, or for an earlier run of the same clink to end.
 * - `running`: a handler runs, in a slot. An outcome leads to `backingOff` or `settling`.
 * - `backingOff`: no slot; waits for its next start. Then `waiting` again.
 * - `settling`: in a slot, except at a stop; Clink is being told.
 * - `settled`: the end. Clink was told, or knows better, or the claim was left to expire on purpose.
 * - `lost`: the end. The claim is gone; the handler is aborted and nothing is sent. Its slot is freed when its code has ended.
 */
export class Delivery implements HandleOwner {
  readonly handle: Handle
  readonly clink: Clink
  readonly route: Route
  readonly place: Place | undefined
  readonly #plan: Plan
  readonly #parts: DeliveryParts
  readonly #context: DeliveryContext
  readonly backoff: Backoff
  /** `waiting`: it was lost while it waited for a slot. */
  readonly #interrupt = Promise.withResolvers<'waiting' | undefined>()
  readonly interrupted = this.#interrupt.promise
  readonly #settled = Promise.withResolvers<void>()
  /** Resolves when the delivery is settled or lost, though its code may still run, or when the time for stopping is over. */
  readonly settled = this.#settled.promise
  readonly #over = Promise.withResolvers<void>()
  /** Resolves when the delivery has ended and holds no slot; never rejects. */
  readonly over = this.#over.promise
  attempt = 0
  #state: DeliveryState = 'waiting'
  /** Local time at which it has ended, or entered the state that it is in. */
  since: number
  #isResumed = false
  #outcome: Settled | undefined
  #start: Start | undefined
  #stopping = false
  #cancelled: Decision | undefined
  #abandoned: Promise<void> | undefined
  /** What is written of a clink that backs off: it has given its slot back by then, which others count on. */
  #noted: Promise<unknown> | undefined

  constructor(handle: Handle, routed: RoutedClink, parts: DeliveryParts) {
    this.handle = handle
    this.clink = handle.clink
    this.route = routed.route
    this.#plan = new Plan(handle, routed, parts.context)
    this.#parts = parts
    this.#context = parts.context
    this.since = parts.context.clock.now()
    this.backoff = new Backoff(handle, parts.context)
    this.place = parts.capacity.limits.placeOf(routed.route, handle.clink)
  }

  /** @param wait only of a clink that an earlier process held: milliseconds until it is to run. @param isSleep it counts as one that its handler wanted. */
  start(wait?: number, isSleep?: boolean): void {
    this.#isResumed = wait !== undefined
    this.handle.start(this)
    if (wait !== undefined && wait > 0) this.#backOff(wait, 'it goes on with a wait that began before', isSleep)
    this.#live()
      .catch(async (error: unknown) => await this.#crash(asError(error)))
      .finally(() => {
        this.handle.end()
        this.place?.end()
        this.#over.resolve()
      })
  }

  get state(): DeliveryState {
    return this.#state
  }

  /** How it has ended; undefined before. */
  get outcome(): Settled | undefined {
    return this.#outcome
  }

  get dueAt(): number | undefined {
    return this.backoff.dueAt
  }

  get isRunning(): boolean {
    return this.#is('running') || this.#start?.isBeginning === true || this.#parts.runs.has(this.clink.clink_id)
  }

  get age(): number | undefined {
    return this.#is('running') && !this.#isResumed ? this.#start?.age : undefined
  }

  /** Local time since which its handler is stuck. */
  get stuckSince(): number | undefined {
    return this.#start?.stuckSince
  }

  /** It is about to start, unless it may not. Behind code of an earlier claim, or another of its key, that may take for ever. */
  get isComing(): boolean {
    return this.#is('waiting') && this.place?.isBehind !== true && !this.#parts.runs.has(this.clink.clink_id)
  }

  /** A clink that waits is released at once, a handler that runs is asked to finish soon. @param isLast the worker stops: it claims nothing any more. */
  drain(isLast = true, now = isLast): void {
    this.#stopping = true
    if (isLast) this.handle.drain()
    this.#start?.drain()
    // Whoever got a clink whose old code goes on here would run it beside that.
    if (now || this.#is('running') || !this.#parts.runs.busy(this.clink.clink_id)) this.#interrupt.resolve(undefined)
  }

  /** The time for finishing is over. */
  readonly abort = (): void => this.#start?.abort('shutdown')

  /** An operator ends it, unless it has come to something. @returns whether it has not. */
  cancel(to: 'release' | 'reject', reason: string): boolean {
    if (this.#is('settling') || this.#outcome !== undefined || this.handle.hasKept) return false
    this.#cancelled = decideCancelled(to, reason, this.clink.clink_id, this.#plan.current.policy.retry)
    if (this.#is('running')) this.#start?.cancel(this.#cancelled)
    this.drain(false, true)
    return true
  }

  /** Settles a clink whose handler does not heed its abort. The process is about to end. */
  async abandon(): Promise<void> {
    // By the clock and not the timer: after a blocked event loop the stop may come before the loss.
    if (!this.#is('running') || !this.handle.check()) return
    this.#start?.abandon()
    await (this.#abandoned = this.#settleBy(this.#start?.decide(this.handle.heldFor)))
  }

  /** Ends the code of its handler. @returns whether anybody can. */
  readonly kill = (): boolean => this.#start?.kill() ?? false

  lost(settled: Settled): void {
    const { clock, ledger } = this.#context
    const before = this.#is('waiting') ? 'waiting' : undefined
    // It may come back at once; the wait that it backed off for still counts.
    if (this.dueAt !== undefined) void ledger.cooling.set(this.clink.clink_id, this.dueAt - clock.now())
    this.#end(settled)
    if (settled.is === 'lost') this.#start?.lost()
    this.#interrupt.resolve(before)
  }

  #is(state: DeliveryState): boolean {
    return this.#state === state
  }

  #enter(state: DeliveryState): void {
    this.#state = state
    this.since = this.#context.clock.now()
    if (state === 'settling') this.handle.pulse.expect('settlement', this.handle.deadline - this.since)
    else this.handle.pulse.rest()
  }

  /** A fault of ours, which is the one to tell. The claim is released as far as that still works; the worker ends. */
  async #crash(fault: Error): Promise<void> {
    this.#context.signals.crashed.say('delivery', fault)
    const settled = await this.handle.release('shutdown').catch(() => undefined)
    if (settled !== undefined) this.#end(settled)
  }

  async #live(): Promise<void> {
    const { capacity, runs } = this.#parts
    let priority: number = PRIORITY.fresh
    // Not waited for: where it starts at once, its start is one commit with that.
    void this.handle.note()
    await this.#untilDue()
    while (this.#is('waiting')) {
      const busy = runs.busy(this.clink.clink_id)
      if (busy !== undefined) await Promise.race([busy, this.interrupted])
      if (!this.#is('waiting')) break
      if (this.#stopping) return await this.#settleWaiting()
      const alone = this.handle.memory.tried.isSuspect
      const turn = capacity.use(this, (widen) => this.#takeTurn(widen), alone ? PRIORITY.alone : priority)
      const left = await Promise.race([turn, this.interrupted])
      // Its turn, when it comes, does nothing, and is not waited for: who waits for its slot may have the place that it waits for.
      if (this.#is('waiting') || left === 'waiting') continue
      await turn
      await this.#noted
      await this.#untilDue()
      priority = PRIORITY.due
    }
    // The handler may end while its claim is being given back: until that is over the worker has to name it.
    await this.#abandoned
  }

  /** At a stop: a result that an earlier claim has left is sent; a clink without one is given back. */
  #settleWaiting(): Promise<void> {
    return this.#settle(() => settleWaiting(this.handle, this.backoff.left, this.#cancelled))
  }

  /** In a slot: a run and what follows from it, until the clink is settled, backs off, or is lost. */
  async #takeTurn(outlast: () => void): Promise<void> {
    // A claim that is being asked about has its slot: it runs as soon as that is answered.
    const ready = this.#is('waiting') && this.#plan.ready(this.handle)
    const isReady = typeof ready === 'boolean' ? ready : await Promise.race([ready, this.interrupted])
    if (isReady !== true || !this.#is('waiting') || this.#stopping || !this.handle.check()) return
    if (this.handle.hasKept) return await this.#settleWaiting()
    if (this.#plan.isElsewhere) return await this.#settle(() => this.handle.release('rerouted'))
    const [{ memory }, { current: planned }] = [this.handle, this.#plan]
    const givenBack = this.handle.of === 'claim' ? memory.whyGivenBack(this.clink) : undefined
    const known = { fault: planned.fault, inFleet: memory.startsInFleet, ...this.handle.outlived }
    const givenUp = decideUnstarted({ clinkId: this.clink.clink_id, givenBack, ...known }, planned.policy)
    const pause = this.#parts.health.wait(this.route, memory, this.place?.hasQueued)
    if (givenUp !== undefined) {
      this.attempt = memory.tried.starts
      await this.#settle(() => settleBy(givenUp, this.handle, undefined, this.#stopping)) // of no start
    } else if (pause > 0) await this.#postpone(pause)
    else if (this.#context.ledger.mayStart(memory)) {
      const start = new Start(this.handle, planned, this.#parts)
      this.#start = start
      await this.#runHandler(start, outlast)
      await start.aftermath()
    } else this.#backOff(UNHEALTHY_WAIT, whatKeeps(memory, this.#context.ledger))
  }

  async #runHandler(start: Start, outlast: () => void): Promise<void> {
    const { clock, ledger } = this.#context
    const waited = clock.now() - this.since
    this.backoff.end()
    this.#enter('running')
    await start.journal()
    this.attempt = start.attempt
    const couldRun = this.#is('running') && this.handle.check() && !this.#stopping && ledger.isHealthy
    const mayRun = couldRun && this.#parts.capacity.limits.started(this.place)
    if (mayRun) tellStart(this.handle, waited, this.#context)
    const ended = mayRun ? start.run(outlast) : start.callOff() // which is one commit with what follows
    if (mayRun) await ended
    if (this.#is('lost')) void ledger.process.codeEnded(this.clink.clink_id)
    await ended
    if (!this.#is('running')) return
    const decision = start.decide(this.handle.heldFor)
    if (decision !== undefined) await this.#follow(decision)
    else if (mayRun || this.#stopping) await this.#settleBy(this.#cancelled)
    else this.#noted = this.#backOff(UNHEALTHY_WAIT, couldRun ? LATE : whatKeeps(this.handle.memory, ledger)).note()
  }

  /** Waits for its route, which is paused. */
  async #postpone(wait: number): Promise<void> {
    const left = this.#plan.current.policy.maxHold - this.handle.heldFor
    if (this.#parts.capacity.mayHold() && left > 0) {
      this.#backOff(Math.min(wait, left), PAUSED)
      this.place?.leave()
      this.backoff.take(this.#parts.health.turn(this.route, this.handle.memory))
      return void (this.#noted = this.handle.note())
    }
    await this.#settle(() => this.handle.release('too-many-held', { reason: PAUSED, cooldown: wait }))
  }

  /** The state changes before anything is awaited, so that a loss or a stop in between finds it right. */
  async #follow(decision: Decision): Promise<void> {
    const isHeld = decision.do === 'hold' && !this.#stopping && this.#parts.capacity.mayHold(decision.isSleep)
    if (!isHeld) return await this.#settleBy(decision)
    this.#backOff(decision.wait, decision.why, decision.isSleep)
    this.#noted = Promise.all([this.handle.note(), this.#start?.charge(decision)])
  }

  #settleBy(decision: Decision | undefined): Promise<void> {
    return this.#settle(() => settleBy(decision, this.handle, this.#start, this.#stopping))
  }

  async #settle(tell: () => Promise<Settled>): Promise<void> {
    this.#enter('settling')
    this.#end(await tell())
  }

  #backOff(wait: number, why: string, isSleep?: boolean): Handle {
    this.#enter('backingOff')
    this.backoff.begin(wait, why, isSleep)
    return this.handle
  }

  async #untilDue(): Promise<void> {
    if (this.#is('backingOff')) await this.backoff.over(this.interrupted)
    if (this.#is('backingOff')) this.#enter('waiting')
  }

  /** An end that is not known yet is none: the worker names the clink as left behind. Who waits for its key has its place before a claim has its seat. */
  #end(settled: Settled): void {
    this.#settled.resolve()
    if (settled.is === 'unconfirmed' || this.#outcome === settled) return
    this.#outcome = settled
    this.#enter(settled.is === 'lost' ? 'lost' : 'settled')
    if (settled.is !== 'lost' && this.#abandoned === undefined) this.place?.end()
    this.handle.pulse.end()
    tellEnd(settled, this.handle.facts, this.#context, this.#start?.ranFor)
  }
}
