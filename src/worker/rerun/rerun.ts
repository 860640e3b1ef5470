import { asError } from '../../base/coded-error.ts'
import { sleep } from '../../base/clock.ts'
import type { Clink } from '../../clink/records.ts'
import type { RoutedFacts } from '../../events.ts'
import type { Route, RoutedClink } from '../../handlers/route.ts'
import { Execution } from '../execution/execution.ts'
import { UNHEALTHY_WAIT } from '../execution/start-run.ts'
import type { Outcome } from '../../runners/outcome.ts'
import type { Decision } from '../execution/outcome.ts'
import { sendResult } from './send-result.ts'
import { PRIORITY } from '../capacity/slots.ts'
import type { RerunParts } from './context.ts'

export interface RerunShared extends RerunParts {
  /** Resolves when nothing is being told about the clink's last claim any more. */
  readonly settled: (clinkId: string) => Promise<void>
  /** Waits for a turn among the reruns: not all slots are theirs. */
  readonly turn: (work: () => Promise<number>) => Promise<number>
}

/**
 * A clink that was given up, whose sender was told so, and that the operator wants run again. Clink holds it for completed, so there
 * is no claim and no lease: only the letter in the journal says how far it is, and each step is noted there before it is done.
 *
 * - `due`: waits for its turn, a slot, and the end of any earlier run of the clink. Then `running`.
 * - `running`: its handler runs. A result leads to `ready`, a failure back to `due` after the backoff, or to the letter as it was,
 *   with the new error. Cut short by a stop it is `due` again, and costs no attempt.
 * - `ready`, `sending`: its result is sent to the sender as a new clink; then the letter is gone. An answer that did not arrive leaves
 *   it with the operator, since sending twice is worse than asking.
 *
 * A letter that is discarded meanwhile ends all of it: the handler that runs goes on, and what it comes to is dropped.
 */
export class Rerun {
  readonly clink: Clink
  /** Resolves when nothing more will be done, or when the process ends without its handler having heeded the abort. */
  readonly over: Promise<void>
  readonly #shared: RerunShared
  readonly #interrupted = new AbortController()
  readonly #stopped = Promise.withResolvers<void>()
  readonly #over = Promise.withResolvers<void>()
  /** Its last start. */
  #execution: Execution | undefined
  #route: string
  #heldFor = 0
  #tries = 0
  #isAbandoned = false
  #isKeySaid = false
  #dueAt: number | undefined

  constructor(clink: Clink, route: string, shared: RerunShared) {
    this.clink = clink
    this.#route = route
    this.#shared = shared
    this.over = this.#over.promise
    this.#dueAt = this.#firstDueAt()
    this.#live()
      .catch((error: unknown) => shared.context.signals.crashed.say('rerun', asError(error)))
      .finally(() => this.#over.resolve())
  }

  get route(): string {
    return this.#route
  }

  get isRunning(): boolean {
    return this.#execution?.isRunning ?? false
  }

  /** Local time at which it is to be run; undefined: it has a slot, waits for one, or needs none any more. */
  get dueAt(): number | undefined {
    return this.#dueAt
  }

  /** Local time since which its handler ignores its abort. */
  get stuckSince(): number | undefined {
    return this.#execution?.stuckSince
  }

  /** The worker stops: what waits is left to the next start, what runs is asked to finish soon. */
  drain(): void {
    this.#execution?.drain()
    this.#interrupted.abort()
    this.#stopped.resolve()
  }

  /** The time for finishing is over. */
  abort(): void {
    this.#execution?.abort('shutdown')
  }

  /** The process ends though the handler runs: the next start begins anew, unless it has failed by running longer than it may. */
  async abandon(): Promise<void> {
    const execution = this.#execution
    if (execution?.isRunning !== true) return
    this.#isAbandoned = true
    if (execution.known === undefined) await Promise.all([execution.takeBack(), this.#noteDue()])
    else await this.#follow(execution.decide(execution.known, this.#heldFor))
    this.#over.resolve()
  }

  async #live(): Promise<void> {
    const { context, settled } = this.#shared
    const { letters } = context.ledger
    const id = this.clink.clink_id
    await settled(id)
    const left = (this.#dueAt ?? 0) - context.clock.now()
    if (left > 0) await sleep(context.clock, left, this.#interrupted.signal)
    for (;;) {
      const rerun = letters.rerunOf(id)
      if (rerun === undefined || this.#isAbandoned) return
      const isToSend = rerun.step === 'ready' || rerun.step === 'sending'
      if (this.#stopping && !isToSend) return
      // A result in another's name would be worse than a late one.
      if (!context.keys.mayAct && !this.#stopping) {
        this.#sayThatKeyIsNew()
        await sleep(context.clock, KEY_WAIT, this.#interrupted.signal)
        continue
      }
      if (!context.keys.mayAct) return
      const wait = isToSend
        ? await sendResult(this.clink, { facts: this.#facts(), mark: this.#mark, tries: (this.#tries += 1) }, context)
        : await this.#turn()
      if (wait === 0) continue
      if (this.#stopping) return
      if (!isToSend) this.#dueAt = context.clock.now() + wait
      await sleep(context.clock, wait, this.#interrupted.signal)
    }
  }

  #sayThatKeyIsNew(): void {
    if (!this.#isKeySaid)
      this.#shared.context.emit({ event: 'clink.held', ...this.#facts(), wait: KEY_WAIT, why: NEW_KEY })
    this.#isKeySaid = true
  }

  /** At once, or when the wait is over that an earlier process has begun. No clock that was set makes it longer than any wait is. */
  #firstDueAt(): number | undefined {
    const { clock, config, ledger } = this.#shared.context
    const { notBefore = 0, step } = ledger.letters.rerunOf(this.clink.clink_id) ?? {}
    if (step !== 'due') return undefined
    return clock.now() + Math.min(Math.max(0, notBefore - clock.wall()), config.claim.maxHold)
  }

  /** The mark of the route that takes it now. */
  get #mark(): Route['mark'] {
    const { identity, router } = this.#shared.context
    return router.route(this.clink, identity.id)?.route.mark
  }

  get #stopping(): boolean {
    return this.#interrupted.signal.aborted
  }

  /** @returns milliseconds to wait before the next step. */
  async #turn(): Promise<number> {
    const { context, runs, slots, turn } = this.#shared
    const id = this.clink.clink_id
    const interrupted = this.#stopped.promise
    await Promise.race([runs.idle(id), interrupted])
    if (this.#stopping) return 0
    this.#dueAt = undefined
    const work = turn(async () => {
      if (this.#stopping) return 0
      const priority = context.ledger.isSuspect(id) ? PRIORITY.alone : PRIORITY.due
      return await slots.use(async () => (this.#stopping ? 0 : await this.#try()), priority)
    })
    await Promise.race([work, interrupted])
    // Interrupted before its turn came: that, when it comes, does nothing.
    return this.#stopping && !this.isRunning ? 0 : await work
  }

  /** In a slot: a run, and what follows from it. */
  async #try(): Promise<number> {
    const { context, health } = this.#shared
    const routed = context.router.route(this.clink, context.identity.id)
    if (routed === undefined) return await this.#fail('no route takes it any more')
    this.#route = routed.route.name
    if (routed.fault !== undefined) return await this.#fail(routed.fault)
    const pause = context.ledger.isHealthy ? health.wait(routed.route, this.clink.clink_id) : UNHEALTHY_WAIT
    if (pause > 0) return Math.min(pause, PAUSED_WAIT)
    // It may have waited for its slot.
    if (!context.keys.mayAct) return KEY_WAIT
    const execution = this.#makeExecution(routed)
    this.#execution = execution
    const wait = await this.#next(execution, await execution.start())
    await execution.aftermath()
    return wait
  }

  /** @param outcome of a run that has ended, or none: it did not start after all. */
  async #next(execution: Execution, outcome: Outcome | undefined): Promise<number> {
    if (this.#isAbandoned) return 0
    if (outcome === undefined || execution.wasCutShort(outcome)) {
      await Promise.all([execution.takeBack(), this.#noteDue()])
      return this.#shared.context.ledger.isHealthy ? 0 : UNHEALTHY_WAIT
    }
    return await this.#follow(execution.decide(outcome, this.#heldFor))
  }

  #makeExecution(routed: RoutedClink): Execution {
    const { clink } = this
    const { context } = this.#shared
    const { clock, emit, keys, ledger } = context
    let startedAt = 0
    return new Execution({
      clink,
      routed,
      key: keys.current,
      shared: this.#shared,
      facts: () => this.#facts(),
      note: async () => await ledger.letters.noteRerun(clink.clink_id, { step: 'running' }),
      mayStart: () => ledger.isHealthy && !this.#stopping && ledger.letters.rerunOf(clink.clink_id) !== undefined,
      announce: () => {
        startedAt = clock.now()
        emit({ event: 'clink.rerun', ...this.#facts(), step: 'run' })
      },
      counts: () => !this.#isAbandoned,
      stands: () => true,
      replyBy: () => startedAt + routed.route.timeout,
    })
  }

  async #follow(decision: Decision): Promise<number> {
    const { clock, emit, ledger } = this.#shared.context
    const id = this.clink.clink_id
    switch (decision.do) {
      case 'complete':
        if (decision.response === undefined) await this.#finish()
        else await ledger.letters.noteRerun(id, { step: 'ready', response: decision.response })
        return 0
      case 'hold':
        this.#heldFor += decision.wait
        await Promise.all([
          ledger.letters.noteRerun(id, { step: 'due', notBefore: clock.wall() + decision.wait }),
          this.#execution?.charge(decision),
        ])
        if (ledger.letters.rerunOf(id) !== undefined)
          emit({ event: 'clink.held', ...this.#facts(), wait: decision.wait, why: decision.why })
        return decision.wait
      case 'release': {
        const { cooldown: wait, why, reason = why } = decision
        // Nobody else can take it.
        if (why === 'unavailable') return await this.#follow({ do: 'hold', wait, why: reason, countsAttempt: false })
        return await this.#fail(`its handler gave it back: ${reason}`)
      }
      case 'bury':
        return await this.#fail(decision.reason)
    }
  }

  /** There is nothing to send. */
  async #finish(): Promise<void> {
    const { emit, ledger } = this.#shared.context
    const id = this.clink.clink_id
    if (ledger.letters.rerunOf(id) === undefined) return
    await ledger.rerunDone(this.clink)
    emit({ event: 'clink.rerunDone', ...this.#facts() })
  }

  /** The letter stays, with what went wrong this time. */
  async #fail(reason: string): Promise<0> {
    const { clock, emit, ledger, signals } = this.#shared.context
    const id = this.clink.clink_id
    const letter = ledger.letters.get(id)
    if (letter === undefined || ledger.letters.rerunOf(id) === undefined) return 0
    const { rerun: _, ...rest } = letter
    const errors = [...ledger.errorsOf(id), reason]
    await ledger.bury({ ...rest, route: this.#route, attempts: this.#attempt, reason, errors, at: clock.wall() })
    emit({ event: 'clink.deadLettered', ...this.#facts(), reason, attempts: this.#attempt })
    signals.deadLettered.say(this.clink)
    return 0
  }

  /** The next start begins anew. */
  async #noteDue(): Promise<void> {
    await this.#shared.context.ledger.letters.noteRerun(this.clink.clink_id, { step: 'due' })
  }

  /** The number of its last start; 0: none yet. */
  get #attempt(): number {
    return this.#execution?.attempt ?? 0
  }

  #facts(): RoutedFacts {
    const attempt = this.#attempt
    return { clink: this.clink, route: this.#route, ...(attempt === 0 ? {} : { attempt }) }
  }
}

/** Milliseconds until it is looked again whether the route is still paused. */
const PAUSED_WAIT = 5_000
/** Milliseconds until it is looked again whether the key may be used. */
const KEY_WAIT = 1_000
const NEW_KEY = 'the key is not known to be ours: the first claim with it will tell'
