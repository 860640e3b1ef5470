import { asError } from '../../base/coded-error.ts'
import { sleep } from '../../base/clock.ts'
import type { Clink } from '../../clink/records.ts'
import type { RoutedFacts } from '../../events.ts'
import { ELSEWHERE } from '../../ledger/away.ts'
import type { RerunState } from '../../ledger/dead-letters.ts'
import { policyOf } from '../../handlers/policy.ts'
import type { RoutedClink } from '../../handlers/route.ts'
import { Delivery } from '../delivery/delivery.ts'
import { PRIORITY, type Line, type Place, type Seeker, type Work } from '../capacity/capacity.ts'
import type { RouteLimits } from '../capacity/route-limits.ts'
import { routeOf } from '../replies/hops.ts'
import { LetterHandle } from './letter-handle.ts'
import { sendResult } from './send-result.ts'
import type { RerunParts } from './context.ts'

/**
 * The work on a dead letter whose clink is to be run again, by the step that the letter is at:
 *
 * - `due`, `running`: a delivery over it. A result makes it `ready`, a failure due again after the backoff, or leaves the letter as it was, with
 *   the new error.
 * - `ready`, `sending`: its result is sent to the sender as a new clink; then the letter is gone. An answer that did not arrive leaves
 *   it with the operator, since sending twice is worse than asking.
 */
export class Rerun implements Line {
  readonly clink: Clink
  readonly limits: RouteLimits
  readonly #shared: RerunParts
  readonly #stopping = new AbortController()
  readonly #abandoned = Promise.withResolvers<void>()
  readonly #over = Promise.withResolvers<void>()
  /** Resolves when nothing more will be done, though a handler may run that has not heeded its abort. */
  readonly over = this.#over.promise
  #facts: RoutedFacts
  #delivery: Delivery | undefined
  /** It has a slot, waits for one, or needs none any more. */
  #isComing = false
  /** Local time at which its route is looked for once more. */
  #routeAt: number | undefined
  #isKeySaid = false
  #isPaused = false
  /** Of the routes by which its own was found. */
  #generation: number | undefined

  constructor(clink: Clink, route: string, shared: RerunParts) {
    this.clink = clink
    this.#facts = { clink, route }
    this.#shared = shared
    this.limits = shared.capacity.limits
  }

  /** It holds no claim. */
  mayHold(): boolean {
    return true
  }

  start(): void {
    this.#work()
      .catch((error: unknown) => this.#shared.context.signals.crashed.say('rerun', asError(error)))
      .finally(() => this.#over.resolve())
  }

  get route(): string {
    return this.#facts.route
  }

  /** It waits until its route is resumed. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  get isRunning(): boolean {
    return this.#delivery?.isRunning ?? false
  }

  /** Local time at which it is to be run; undefined: it has a slot, waits for one, or needs none any more. */
  get dueAt(): number | undefined {
    if (this.#isComing) return undefined
    // Nobody knows when its turn comes in its route, or when another member is done: until then it wants no slot.
    if (this.#delivery?.place?.isWaiting === true || this.#isElsewhere) return Infinity
    return this.#delivery?.dueAt ?? this.#routeAt ?? this.#shared.context.clock.now()
  }

  /** Local time since which its handler ignores its abort. */
  get stuckSince(): number | undefined {
    return this.#delivery?.stuckSince
  }

  /** The worker stops: what waits is left to the next start, what runs is asked to finish soon. */
  drain(): void {
    this.#stopping.abort()
    this.#delivery?.drain()
  }

  /** Ends a run whose right to its key is over. */
  check(): void {
    this.#delivery?.handle.check()
  }

  /** The time for finishing is over. */
  abort(): void {
    this.#delivery?.abort()
  }

  /** The process ends though the handler runs: the next start begins anew, unless it has failed by running longer than it may. */
  async abandon(): Promise<void> {
    await this.#delivery?.abandon()
    this.#abandoned.resolve()
  }

  async #work(): Promise<void> {
    // Until nothing is being told about its last claim any more.
    await this.#shared.deliveries.withClaimOn(this.clink.clink_id)?.settled
    for (let step = this.#step; step !== undefined; step = this.#step) {
      const isOver = step === 'ready' || step === 'sending' ? await this.#send() : await this.#deliver()
      if (isOver) return
    }
  }

  get #step(): RerunState['step'] | undefined {
    return this.#shared.context.ledger.letters.rerunOf(this.clink.clink_id)?.step
  }

  /** @returns true: nothing more is to be done in this process. */
  async #deliver(): Promise<boolean> {
    if (this.#isStopping) return true
    const { context } = this.#shared
    const routed = await this.#route()
    if (this.#isStopping) return true
    const { timeout } = policyOf(routed?.route ?? {}, context.settings.current)
    const memory = await context.ledger.recallOne(this.clink.clink_id)
    if (this.#isStopping) return true
    const handle = new LetterHandle(this.clink, memory, { name: routed?.route.name ?? this.route, timeout }, context)
    this.#facts = handle.facts
    if (routed === undefined) {
      await handle.giveUp({ why: 'rejected', reason: 'no route takes it any more', tell: 'complete', notice: '' })
      handle.end()
      return true
    }
    this.#generation = routed.route.generation
    const delivery = new Delivery(handle, routed, { ...this.#shared, capacity: this })
    this.#delivery = delivery
    this.#isComing = false
    delivery.start(this.#waitLeft(), true)
    await Promise.race([delivery.over, this.#abandoned.promise])
    this.#isComing = true
    this.#facts = handle.facts
    return false
  }

  /** The delivery's slots: those that reruns may have, once the key may act, the route is not paused, and no other member has begun it. */
  async use(seeker: Seeker, work: Work, priority: number): Promise<void> {
    const { capacity } = this.#shared
    const { place } = seeker
    if (!(await this.#untilKeyMayAct()) || !(await this.#untilResumed()) || !(await this.#untilOurs())) return
    if (place !== undefined) await place.ready()
    this.#isComing = true
    await capacity.useSpare(async () => {
      if (place?.isVoid === true) await this.#turnAgain(place)
      if (!this.#isStopping && place?.isWaiting !== true)
        await capacity.use(seeker, work, Math.max(priority, PRIORITY.due))
    }, place)
    this.#isComing = false
  }

  /** In its slot: its turn in its route was over by then. Who is not given it again at once waits for it without the slot. */
  async #turnAgain(place: Place): Promise<void> {
    const { signal } = this.#stopping
    await Promise.race([place.ready(), sleep(this.#shared.context.clock, TURN_WAIT, signal)])
  }

  /** @returns true: nothing more is to be done in this process. */
  async #send(): Promise<boolean> {
    const { context } = this.#shared
    this.#isComing = true
    for (let tries = 1; ; tries += 1) {
      // A result in another's name would be worse than a late one.
      if (!(await this.#untilKeyMayAct()) && !context.keys.mayAct) return true
      const mark = (await this.#route())?.route.mark
      const wait = await sendResult(this.clink, { facts: this.#facts, mark, tries }, context)
      if (this.#step === undefined || (wait > 0 && this.#isStopping)) return true
      await sleep(context.clock, wait, this.#stopping.signal)
    }
  }

  /** Until it could be found out, or the worker stops. */
  async #route(): Promise<RoutedClink | undefined> {
    const { clock, emit } = this.#shared.context
    while (!this.#isStopping) {
      try {
        return await routeOf(this.clink, this.#shared.context)
      } catch (error) {
        emit({ event: 'clink.held', ...this.#facts, wait: ROUTE_WAIT, why: asError(error).message })
        this.#routeAt = clock.now() + ROUTE_WAIT
        await sleep(clock, ROUTE_WAIT, this.#stopping.signal)
      }
    }
    return undefined
  }

  /** @returns false: the worker stops. */
  async #untilKeyMayAct(): Promise<boolean> {
    const { clock, emit, keys } = this.#shared.context
    while (!keys.mayAct && !this.#isStopping) {
      if (!this.#isKeySaid) emit({ event: 'clink.held', ...this.#facts, wait: KEY_WAIT, why: NEW_KEY })
      this.#isKeySaid = true
      await sleep(clock, KEY_WAIT, this.#stopping.signal)
    }
    return !this.#isStopping
  }

  /** Who has paused its route wants it started neither. @returns false: the worker stops. */
  async #untilResumed(): Promise<boolean> {
    const { context, pauses } = this.#shared
    while (pauses.holds({ name: this.route }) && !this.#isStopping) {
      // Its turn finds out which route that is, and it waits for the one that is then its own.
      if (!pauses.isWhole && (await this.#isRerouted())) break
      this.#isPaused = true
      await sleep(context.clock, PAUSE_WAIT, this.#stopping.signal)
    }
    this.#isPaused = false
    return !this.#isStopping
  }

  /** By the routes that are in use now, another takes it, or none. */
  async #isRerouted(): Promise<boolean> {
    const { context } = this.#shared
    const { generation } = context.router
    if (generation === this.#generation) return false
    // Where it cannot be found out, its turn tries again.
    const routed = await Promise.resolve(routeOf(this.clink, context)).catch(() => undefined)
    const isRerouted = routed?.route.name !== this.route
    if (!isRerouted) this.#generation = generation
    return isRerouted
  }

  /** Another member that has begun it may still run it. @returns false: the worker stops. */
  async #untilOurs(): Promise<boolean> {
    const { clock, emit, ledger } = this.#shared.context
    let isSaid = false
    while (this.#isElsewhere && !this.#isStopping) {
      if (!isSaid) emit({ event: 'clink.held', ...this.#facts, wait: OTHERS_WAIT, why: ELSEWHERE })
      isSaid = true
      await sleep(clock, OTHERS_WAIT, this.#stopping.signal)
      if (this.#delivery !== undefined) await ledger.refresh(this.#delivery.handle.memory, true)
    }
    return !this.#isStopping
  }

  /** It is this member's, and one that another has begun. */
  get #isElsewhere(): boolean {
    const { memory } = this.#delivery?.handle ?? {}
    return memory !== undefined && this.#step !== undefined && this.#shared.context.ledger.letters.isElsewhere(memory)
  }

  /** What is left of the wait that an earlier process has begun. No clock that was set makes it longer than any wait is. */
  #waitLeft(): number | undefined {
    const { clock, ledger, settings } = this.#shared.context
    const { notBefore, wait = settings.current.claim.maxHold } = ledger.letters.rerunOf(this.clink.clink_id) ?? {}
    if (notBefore === undefined) return undefined
    return Math.min(Math.max(0, notBefore - clock.wall()), wait)
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted
  }
}

/** Milliseconds until it is looked again whether the key may be used. */
const KEY_WAIT = 1_000
/** The same for whether its route is paused. */
const PAUSE_WAIT = 1_000
/** The same for whether another member has come to an end with it. */
const OTHERS_WAIT = 5_000
/** Milliseconds for which what it was given by its fleet is asked for once more in its slot. */
const TURN_WAIT = 1_000
/** Milliseconds until its route is looked for again where that has failed. */
const ROUTE_WAIT = 10_000
const NEW_KEY = 'the key is not known to be ours: the first claim with it will tell'
