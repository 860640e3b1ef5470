import type { Clock } from '../../base/clock.ts'
import type { ReleaseCause, RoutedFacts } from '../../events.ts'
import type { Clink } from '../../clink/records.ts'
import type { Policy } from '../../handlers/policy.ts'
import type { Route } from '../../handlers/route.ts'
import type { WorkerKey } from '../../keys/keys.ts'
import { ERRORS_KEPT } from '../../ledger/attempt-notes.ts'
import type { Memory } from '../../ledger/memory.ts'
import type { RerunState } from '../../ledger/dead-letters.ts'
import {
  factsOf,
  type GivenUp,
  type Handle,
  type HandleOwner,
  type ReleaseFacts,
  type Settled,
} from '../delivery/handle.ts'
import type { Pulse } from '../liveness/pulses.ts'
import type { RerunContext } from './context.ts'

type RunBy = Pick<Route, 'name'> & Pick<Policy, 'timeout'>

/** Releases after which the clink is run again: nobody else can take it. */
const NOT_YET: ReadonlySet<ReleaseCause> = new Set(['shutdown', 'too-many-held', 'unavailable', 'rerouted'])
const KEPT = { is: 'kept' } as const satisfies Settled

/**
 * A clink that Clink holds for completed, and that an operator wants run again: its dead letter says how far it is, and each step is
 * noted there before it is done. Nobody can take the clink from us, and nothing is renewed. A letter that is discarded meanwhile ends all
 * of it: a handler that runs goes on, and its result is dropped.
 */
export class LetterHandle implements Handle {
  readonly of = 'letter'
  readonly clink: Clink
  readonly memory: Memory
  readonly pulse: Pulse
  readonly hasKept = false
  readonly outlived = { times: 0, timesAbsent: false }
  readonly isReleasing = false
  readonly releaseTried = false
  heldFor = 0
  isAsleep = false
  readonly #route: RunBy
  readonly #context: RerunContext
  #owner: HandleOwner | undefined
  #startedAt = Infinity
  /** Another member of a fleet has begun it as well, or nobody wants it any more: this start is not to happen. */
  #isCalledOff = false
  /** Its code may not go on: the right to its key is over. */
  #isLost = false

  constructor(clink: Clink, memory: Memory, route: RunBy, context: RerunContext) {
    this.clink = clink
    this.memory = context.ledger.work(memory)
    this.pulse = context.pulses.begin(clink.clink_id)
    this.#route = route
    this.#context = context
  }

  /** No claim was made with a key: what is sent goes out with the one that is current then. */
  get key(): WorkerKey {
    return this.#context.keys.current
  }

  get facts(): RoutedFacts {
    return factsOf(this.clink, this.#route.name, this.#owner)
  }

  /** A handler that overstays its time sends nothing any more. */
  get deadline(): number {
    return this.#startedAt + this.#route.timeout
  }

  start(owner: HandleOwner): void {
    this.#owner = owner
  }

  /** A key that is not known to be ours sends nothing: the clink has to come again. */
  async ready(): Promise<boolean> {
    this.#isCalledOff = false
    await this.#context.ledger.refresh(this.memory, true)
    if (!this.#isToRun) this.#owner?.lost(KEPT)
    return await Promise.resolve(this.#isToRun && this.#context.keys.mayAct)
  }

  valid(): boolean {
    return !this.#isLost && !this.#isBarred
  }

  check(): boolean {
    if (this.#isBarred && !this.#isLost) {
      this.#isLost = true
      void this.#step({ step: 'due' })
      this.#owner?.lost({ is: 'lost', cause: 'right-expired', whileTelling: false, lapsedAt: undefined })
    }
    return !this.#isCalledOff && !this.#isLost
  }

  get #isBarred(): boolean {
    return this.#owner?.place?.isBarred === true && this.#owner.isRunning
  }

  async note(): Promise<void> {
    const { clock } = this.#context
    const { dueAt, isRunning = false } = this.#owner ?? {}
    if (isRunning) await this.#step({ step: 'running' })
    else if (dueAt !== undefined) await this.#step({ step: 'due', ...waitOf(dueAt - clock.now(), clock) })
  }

  async begin(isAlone: boolean): Promise<number> {
    const { clock, ledger } = this.#context
    this.#startedAt = clock.now()
    const attempt = await ledger.begin({ letter: this.clink.clink_id }, isAlone)
    if (ledger.letters.areShared) await this.#compete()
    return attempt
  }

  /** Of two members who begin, each of which has noted that before it looks, one sees the other at least. */
  async #compete(): Promise<void> {
    const { ledger } = this.#context
    await ledger.refresh(this.memory, true)
    // Somebody may also have discarded it, and the fleet has said so only when it was told of the start.
    this.#isCalledOff = !this.#isWanted || ledger.letters.isElsewhere(this.memory)
    if (!this.#isCalledOff) ledger.letters.begun(this.clink.clink_id)
  }

  claimedAnew(): void {
    // There is no claim to end.
  }

  drain(): void {
    // No poll can claim it.
  }

  /** A result waits in the letter until it is sent: without a slot, and over restarts. */
  async complete(response: string | undefined): Promise<Settled> {
    const { emit, ledger } = this.#context
    if (response !== undefined) await this.#step({ step: 'ready', response })
    else if (this.#isWanted) {
      await ledger.settled(this.clink, 'sent')
      emit({ event: 'clink.rerunDone', ...this.facts })
    }
    return KEPT
  }

  async completeKept(): Promise<Settled> {
    return await Promise.resolve(KEPT)
  }

  async release(why: ReleaseCause, { cooldown, noted, reason }: ReleaseFacts = {}): Promise<Settled> {
    await noted
    if (!NOT_YET.has(why)) return await this.#keep(`its handler gave it back: ${reason ?? why}`)
    const { clock } = this.#context
    const wait = cooldown === undefined ? {} : waitOf(cooldown, clock)
    const isDue = this.memory.rerun?.step === 'due'
    if (!isDue || cooldown !== undefined) await this.#step({ step: 'due', ...wait })
    return KEPT
  }

  async giveUp({ reason }: GivenUp): Promise<Settled> {
    return await this.#keep(reason)
  }

  end(): void {
    this.#context.ledger.leave(this.memory)
    this.pulse.end()
  }

  get #isWanted(): boolean {
    return this.#context.ledger.letters.rerunOf(this.clink.clink_id) !== undefined
  }

  /** Another member may have come to a result while this one waited: that is sent, and not computed again. */
  get #isToRun(): boolean {
    return this.#isWanted && this.memory.rerun?.response === undefined
  }

  async #step(rerun: RerunState): Promise<void> {
    await this.#context.ledger.letters.noteRerun(this.clink.clink_id, rerun)
  }

  /** The letter stays, with what went wrong this time. Where that was before a start, what is known of the starts before stays as well. */
  async #keep(reason: string): Promise<Settled> {
    const { clock, emit, ledger, signals } = this.#context
    const { letter, tried } = this.memory
    if (letter === undefined || !this.#isWanted) return KEPT
    const { rerun: _, ...rest } = letter
    const { attempt = tried.starts, route } = this.facts
    const [attempts, before] = attempt === 0 ? [letter.attempts, letter.errors] : [attempt, []]
    const errors = [...before, ...tried.errors, reason].slice(-ERRORS_KEPT)
    await ledger.deadLetter({ ...rest, route, attempts, reason, errors, at: clock.wall() })
    emit({ event: 'clink.deadLettered', ...this.facts, reason, attempts })
    signals.deadLettered.say(this.clink)
    return KEPT
  }
}

/** What a next process goes by. */
function waitOf(wait: number, { wall }: Pick<Clock, 'wall'>): Pick<RerunState, 'notBefore' | 'wait'> {
  return { notBefore: wall() + wait, wait: Math.max(0, wait) }
}
