import type { Cancel } from '../base/clock.ts'
import { EXIT, type ExitCode } from '../base/coded-error.ts'
import { looksForbidden } from '../clink/verdicts.ts'
import type { Clink } from '../clink/records.ts'
import type { WorkerContext } from '../worker/context.ts'
import type { Ending, FailedLook, Taken } from '../worker/signals.ts'
import type { Worker } from '../worker/worker.ts'

/** Failures in a row after which the service counts as away. */
const AWAY = 3
/** How long the journal may fail before the work is given up, in milliseconds: a full disk may have room again in a moment. */
const PATIENCE = 10_000
const LOOK = 1_000
const WITHHELD = 'clinks wait, and the service claims none of them'
const UNSENT = 'the service did not take a result, which is kept'
/** Why it ends. */
const WHY_ENDED: { readonly [Code in ExitCode]?: string } = {
  [EXIT.ok]: 'the inbox is empty',
  [EXIT.unavailable]: 'the service went away',
  [EXIT.refused]: 'the service refuses the key',
}

export interface OnceOptions {
  readonly context: WorkerContext
  readonly worker: Pick<Worker, 'snapshot' | 'whyHeld'>
  /** @param why for people. */
  readonly end: (exit: ExitCode, why: string) => void
}

/**
 * When a worker that is to work the inbox empty is done: a poll that was sent after the last settlement brought nothing that it
 * would run, and nothing is in hand. A page of what it would not run may hide more, until nothing on it is new.
 */
export class UntilEmpty {
  readonly #options: OnceOptions
  #settledAt = -Infinity
  /** Local time since which the journal cannot be written. */
  #unwritableSince: number | undefined
  /** Clinks whose claims ended before the service took their results. */
  readonly #unsent = new Set<string>()
  #cancel: Cancel = () => {}

  constructor(options: OnceOptions) {
    this.#options = options
    const { blocked, deadLettered, failed, keyRefused, look, over, polled, settled } = options.context.signals
    settled.on((clink, how) => this.#noteEnd(clink, how))
    deadLettered.on(({ clink_id: id }) => this.#unsent.delete(id))
    polled.on((taken) => this.#polled(taken))
    failed.on((failure) => this.#failed(failure))
    // Nothing is ever claimed as the configuration wants it.
    blocked.on(() => this.#end(EXIT.config))
    keyRefused.on(() => this.#end(EXIT.refused))
    over.on(() => {
      this.#settledAt = options.context.clock.now()
      look.say('news')
    })
  }

  start(): void {
    const { clock } = this.#options.context
    this.#cancel = clock.at(clock.now() + LOOK, () => {
      this.start()
      this.#look()
    })
  }

  stop(): void {
    this.#cancel()
  }

  #polled({ isEmpty, isWithheld, sentAt }: Taken): void {
    if (isWithheld === true && this.#inHand === 0) this.#end(EXIT.unavailable, WITHHELD)
    if (isEmpty && sentAt >= this.#settledAt && this.#inHand === 0)
      this.#end(EXIT.ok, this.#unsent.size > 0 ? UNSENT : undefined)
  }

  /** A result that the service did not take is sent when its clink comes back. What somebody else has completed does not. */
  #noteEnd(clink: Clink, how: Ending): void {
    const { ledger } = this.#options.context
    if (how.is === 'completed' || how.is === 'elsewhere') this.#unsent.delete(clink.clink_id)
    if (how.is !== 'left-to-expire' && (how.is !== 'lost' || how.cause === 'completed-elsewhere')) return
    void ledger.recallOne(clink.clink_id).then((memory) => {
      if (memory.unconfirmed(clink) !== undefined) this.#unsent.add(clink.clink_id)
    })
  }

  /** What the process is to exit with where nothing else went wrong. */
  exit(deadLettered: number): ExitCode {
    if (deadLettered > 0) return EXIT.failed
    return this.#unsent.size > 0 ? EXIT.unavailable : EXIT.ok
  }

  /** A 403 that is not the service's own is waited out until it is known to stay: with what to exit depends on that. */
  #failed({ error, failures, isRefused }: FailedLook): void {
    if (isRefused) this.#end(EXIT.refused)
    else if (failures >= AWAY && !looksForbidden(error)) this.#end(EXIT.unavailable)
  }

  get #inHand(): number {
    const { running, queued, held, settling, rerunning, maybeClaimed, probing } = this.#options.worker.snapshot()
    return running + queued + held + settling + rerunning + maybeClaimed + probing
  }

  /**
   * While the journal cannot be written, nothing is claimed or started, and no poll tells of an end. What runs or is being settled can come
   * to its end without it; what waits to run cannot.
   */
  #look(): void {
    const { context, worker } = this.#options
    const now = context.clock.now()
    // It would wait for as long as an operator wants.
    if (worker.whyHeld !== undefined && this.#inHand === 0) return this.#end(EXIT.busy, worker.whyHeld)
    this.#unwritableSince = context.ledger.isHealthy ? undefined : (this.#unwritableSince ?? now)
    if (now - (this.#unwritableSince ?? now) < PATIENCE) return
    const { running, settling } = worker.snapshot()
    if (running + settling === 0) this.#end(EXIT.busy)
  }

  #end(exit: ExitCode, why = WHY_ENDED[exit] ?? 'there is nothing that it may do'): void {
    this.#options.end(exit, why)
  }
}
