import { asError } from '../../base/coded-error.ts'
import type { Clink } from '../../clink/records.ts'
import type { Route, RoutedClink } from '../../handlers/route.ts'
import { PRIORITY } from '../capacity/slots.ts'
import type { ExecutionContext } from '../execution/context.ts'
import { decideOutlived, decideUnmatched, policyOf, type Decision } from '../execution/outcome.ts'
import { Start } from '../execution/start.ts'
import { Backoff } from './backoff.ts'
import type { DeliveryParts } from './context.ts'
import type { Handle, HandleOwner, Settled } from './handle.ts'
import { tellEnd, tellStart } from './told.ts'

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
  readonly #routed: RoutedClink
  readonly #parts: DeliveryParts
  readonly #context: ExecutionContext
  readonly #backoff: Backoff
  readonly #interrupted = Promise.withResolvers<void>()
  readonly #settled = Promise.withResolvers<void>()
  readonly #over = Promise.withResolvers<void>()
  #state: DeliveryState = 'waiting'
  #since: number
  #isResumed = false
  #outcome: Settled | undefined
  /** The last one. */
  #start: Start | undefined
  #attempt = 0
  #stopping = false
  #abandoned: Promise<void> | undefined

  constructor(handle: Handle, routed: RoutedClink, parts: DeliveryParts) {
    this.handle = handle
    this.#routed = routed
    this.#parts = parts
    this.#context = parts.context
    this.#since = parts.context.clock.now()
    this.#backoff = new Backoff(handle, parts.context)
  }

  /** @param wait only of a clink that an earlier process held: milliseconds until it is to run. */
  start(wait?: number): void {
    this.#isResumed = wait !== undefined
    this.handle.start(this)
    if (wait !== undefined && wait > 0) this.#backOff(wait, 'it was held when the last process ended')
    this.#live()
      .catch(async (error: unknown) => await this.#crash(asError(error)))
      .finally(() => {
        this.handle.end()
        this.#over.resolve()
      })
  }

  /** Resolves when the delivery has ended and holds no slot; never rejects. */
  get over(): Promise<void> {
    return this.#over.promise
  }

  /** Resolves when the delivery is settled or lost, though its code may still run. */
  get settled(): Promise<void> {
    return this.#settled.promise
  }

  get clink(): Clink {
    return this.handle.clink
  }

  get route(): Route {
    return this.#routed.route
  }

  get state(): DeliveryState {
    return this.#state
  }

  /** How it has ended; undefined before. */
  get outcome(): Settled | undefined {
    return this.#outcome
  }

  /** Local time at which it has ended, or entered the state that it is in. */
  get since(): number {
    return this.#since
  }

  get hasEnded(): boolean {
    return this.#is('settled') || this.#is('lost')
  }

  get attempt(): number {
    return this.#attempt
  }

  get dueAt(): number | undefined {
    return this.#backoff.dueAt
  }

  get isRunning(): boolean {
    return this.#is('running') || this.#parts.runs.has(this.clink.clink_id)
  }

  get age(): number | undefined {
    return this.#is('running') && !this.#isResumed ? this.#start?.age : undefined
  }

  /** Local time since which its handler is stuck. */
  get stuckSince(): number | undefined {
    return this.#start?.stuckSince
  }

  /** It is about to start, unless it may not. Where code of an earlier claim goes on, that may take for ever. */
  get isComing(): boolean {
    return this.#is('waiting') && !this.#parts.runs.has(this.clink.clink_id)
  }

  /** The worker stops: a clink that waits is released at once, a handler that runs is asked to finish soon. */
  drain(): void {
    this.#stopping = true
    this.handle.drain()
    this.#start?.drain()
    this.#interrupted.resolve()
  }

  /** The time for finishing is over. */
  abort(): void {
    this.#start?.abort('shutdown')
  }

  /** Settles a clink whose handler does not heed its abort. The process is about to end. */
  async abandon(): Promise<void> {
    // By the clock and not the timer: after a blocked event loop the stop may come before the loss.
    if (!this.#is('running') || !this.handle.valid()) return
    this.#start?.abandon()
    const decision = this.#start?.decide(this.handle.heldFor)
    this.#abandoned = decision === undefined ? this.#giveBack() : this.#settle(decision)
    await this.#abandoned
  }

  lost(settled: Settled): void {
    const { clock, ledger } = this.#context
    const isLost = settled.is === 'lost'
    // It may come back at once; the wait that it backed off for still counts.
    if (isLost && this.dueAt !== undefined) void ledger.coolFor(this.clink.clink_id, this.dueAt - clock.now())
    this.#end(settled)
    if (isLost) this.#start?.abort('lease-lost')
    this.#interrupted.resolve()
  }

  #is(state: DeliveryState): boolean {
    return this.#state === state
  }

  #enter(state: DeliveryState): void {
    this.#state = state
    this.#since = this.#context.clock.now()
    if (state === 'settling') this.handle.pulse.expect('settlement', this.handle.deadline)
    else this.handle.pulse.rest()
  }

  /** A fault of ours. The claim is released as far as that still works; the worker ends. */
  async #crash(error: Error): Promise<void> {
    this.#context.signals.crashed.say('delivery', error)
    try {
      this.#end(await this.handle.release('shutdown'))
    } catch {
      // The fault that came first is the one to tell.
    }
  }

  async #live(): Promise<void> {
    const { runs, slots } = this.#parts
    let priority: number = PRIORITY.fresh
    await this.handle.note()
    if (this.#is('backingOff')) await this.#untilDue()
    while (this.#is('waiting')) {
      await Promise.race([runs.idle(this.clink.clink_id), this.#interrupted.promise])
      if (!this.#is('waiting')) break
      if (this.#stopping) {
        await this.#settleWaiting()
        break
      }
      const alone = this.#context.ledger.isSuspect(this.clink.clink_id)
      const turn = slots.use(async () => await this.#takeTurn(), alone ? PRIORITY.alone : priority)
      await Promise.race([turn, this.#interrupted.promise])
      if (this.#is('waiting')) continue // interrupted before its turn came; the turn, when it comes, does nothing
      await turn
      if (this.#is('backingOff')) await this.#untilDue()
      priority = PRIORITY.due
    }
    // The handler may end while its claim is being given back: until that is over the worker has to name it.
    await this.#abandoned
  }

  /** At a stop: a result that an earlier claim has left is sent; a clink without one is given back. */
  async #settleWaiting(): Promise<void> {
    this.#enter('settling')
    const { left } = this.#backoff
    const cooldown = left === undefined ? {} : { cooldown: left }
    this.#end(await (this.handle.hasKept ? this.handle.completeKept() : this.handle.release('shutdown', cooldown)))
  }

  /** In a slot: a run and what follows from it, until the clink is settled, backs off, or is lost. */
  async #takeTurn(): Promise<void> {
    // A claim that is being asked about has its slot: it runs as soon as that is answered.
    const isReady = this.#is('waiting') && (await Promise.race([this.handle.ready(), this.#interrupted.promise]))
    if (isReady !== true || !this.#is('waiting') || this.#stopping || !this.handle.valid()) return
    if (this.handle.hasKept) {
      await this.#settleWaiting()
      return
    }
    const givenUp = this.#decideUnstarted()
    const pause = this.#parts.health.wait(this.route, this.clink.clink_id)
    if (givenUp !== undefined) await this.#follow(givenUp)
    else if (pause > 0) await this.#postpone(pause)
    else if (this.#context.ledger.isHealthy) {
      const start = new Start(this.handle, this.#routed, this.#parts)
      this.#start = start
      await this.#runHandler(start)
      await start.aftermath()
    } else this.#backOff(UNHEALTHY_WAIT, UNHEALTHY)
  }

  /** What follows without another start: nothing shows whose clink it is, or its handler outlives every claim. */
  #decideUnstarted(): Decision | undefined {
    const { fault, route } = this.#routed
    const clinkId = this.clink.clink_id
    const policy = policyOf(route, this.#context.config)
    if (fault !== undefined) return decideUnmatched(fault, clinkId, policy)
    const { times, timesAbsent } = this.handle.outlived
    const decision = decideOutlived(times, { clinkId, timesAbsent }, policy)
    if (decision !== undefined) this.#attempt = this.#context.ledger.startsOf(clinkId)
    return decision
  }

  async #runHandler(start: Start): Promise<void> {
    const { clock, ledger } = this.#context
    const waited = clock.now() - this.#since
    this.#backoff.end()
    this.#enter('running')
    await start.journal()
    this.#attempt = start.attempt
    const mayRun = this.#is('running') && this.handle.valid() && !this.#stopping && ledger.isHealthy
    if (mayRun) tellStart(this.handle, waited, this.#context)
    await (mayRun ? start.run() : start.callOff())
    if (this.#is('lost')) void ledger.dropLost(this.clink.clink_id)
    if (!this.#is('running')) return
    const decision = start.decide(this.handle.heldFor)
    if (decision !== undefined) await this.#follow(decision)
    else if (mayRun || this.#stopping) await this.#giveBack()
    else this.#backOff(UNHEALTHY_WAIT, UNHEALTHY)
  }

  /** Waits for its route, which is paused. */
  async #postpone(wait: number): Promise<void> {
    const left = this.#context.config.claim.maxHold - this.handle.heldFor
    if (this.#parts.mayHold() && left > 0) {
      this.#backOff(Math.min(wait, left), PAUSED)
      this.#backoff.take(this.#parts.health.turn(this.route, this.clink.clink_id))
      await this.handle.note()
      return
    }
    this.#enter('settling')
    this.#end(await this.handle.release('too-many-held', { reason: PAUSED, cooldown: wait }))
  }

  /** Releases a clink whose run a stop cut short; it costs no attempt. */
  async #giveBack(): Promise<void> {
    this.#enter('settling')
    await this.#start?.takeBack()
    this.#end(await this.handle.release('shutdown'))
  }

  /** The state changes before anything is awaited, so that a loss or a stop in between finds it right. */
  async #follow(decision: Decision): Promise<void> {
    if (decision.do !== 'hold' || this.#stopping || !this.#parts.mayHold()) {
      await this.#settle(decision)
      return
    }
    this.#backOff(decision.wait, decision.why)
    await Promise.all([this.handle.note(), this.#start?.charge(decision)])
  }

  async #settle(decision: Decision): Promise<void> {
    this.#enter('settling')
    this.#end(await this.#tell(decision))
  }

  /** A clink that may not back off in hand is left alone as long as it would have. */
  async #tell(decision: Decision): Promise<Settled> {
    switch (decision.do) {
      case 'complete':
        return await this.handle.complete(decision.response)
      case 'release': {
        const { cooldown, reason, why } = decision
        await this.#start?.charge(decision)
        return await this.handle.release(why, { reason, cooldown })
      }
      case 'hold': {
        const { wait: cooldown, why: reason } = decision
        await this.#start?.charge(decision)
        return await this.handle.release(this.#stopping ? 'shutdown' : 'too-many-held', { reason, cooldown })
      }
      case 'bury':
        return await this.handle.giveUp(decision)
    }
  }

  #backOff(wait: number, why: string): void {
    this.#enter('backingOff')
    this.#backoff.begin(wait, why)
  }

  async #untilDue(): Promise<void> {
    await this.#backoff.over(this.#interrupted.promise)
    if (this.#is('backingOff')) this.#enter('waiting')
  }

  /** An end that is not known yet is none: the worker names the clink as left behind. */
  #end(settled: Settled): void {
    if (settled.is === 'unconfirmed' || this.#outcome === settled) return
    this.#outcome = settled
    this.#enter(settled.is === 'lost' ? 'lost' : 'settled')
    this.handle.pulse.end()
    this.#settled.resolve()
    tellEnd(settled, this.handle.facts, this.#context, this.#start?.ranFor)
  }
}

/** Milliseconds until a start that could not be journalled is tried again. */
const UNHEALTHY_WAIT = 1_000
const PAUSED = 'its route is paused'
const UNHEALTHY = 'the journal cannot be written'
