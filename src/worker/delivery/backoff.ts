import { after } from '../../base/clock.ts'
import type { WorkerContext } from '../context.ts'
import type { Turn } from '../capacity/route-pause.ts'
import type { Handle } from './handle.ts'

/** Milliseconds until a start that could not be journalled is tried again. */
export const UNHEALTHY_WAIT = 1_000
export const PAUSED = 'its route is paused'
export const LATE = 'what its fleet had given it for this start was over by then'

/** The waits of one delivery between its starts. */
export class Backoff {
  readonly #handle: Handle
  readonly #context: WorkerContext
  #dueAt: number | undefined
  #since = 0
  /** Of a clink that waits for its route, which is paused. */
  #turn: Turn | undefined
  /** Why it waits: said once between two starts, though one wait may follow another. */
  #why: string | undefined
  #left: number | undefined

  constructor(handle: Handle, context: WorkerContext) {
    this.#handle = handle
    this.#context = context
  }

  /** Local time at which the wait ends; undefined: there is none. */
  get dueAt(): number | undefined {
    return this.#dueAt
  }

  /**
   * Milliseconds that a stop has left of the wait: it goes on over it. None of a wait for the route, which the next process finds open.
   */
  get left(): number | undefined {
    return this.#left
  }

  /** Why it waits, or waited before its start. */
  get why(): string | undefined {
    return this.#why
  }

  begin(wait: number, why: string, isSleep = false): void {
    this.#handle.isAsleep = isSleep
    const { clock, emit } = this.#context
    this.#since = clock.now()
    this.#dueAt = this.#since + wait
    this.#handle.pulse.expect('hold', wait)
    if (why !== this.#why) emit({ event: 'clink.held', ...this.#handle.facts, wait, why })
    this.#why = why
  }

  /** The wait ends as soon as its turn has come. */
  take(turn: Turn | undefined): void {
    this.#turn = turn
  }

  /** The clink starts: why it waits next is said anew. */
  end(): void {
    this.#why = undefined
  }

  /** Resolves when it is due, when its turn has come, or when it is interrupted. */
  async over(interrupted: Promise<unknown>): Promise<void> {
    const { clock } = this.#context
    const dueAt = this.#dueAt ?? clock.now()
    const turn = this.#turn
    this.#turn = undefined
    const due = Promise.withResolvers<void>()
    const cancel = after(clock, Math.max(0, dueAt - clock.now()), due.resolve)
    await Promise.race([due.promise, interrupted, ...(turn === undefined ? [] : [turn.come])])
    cancel()
    turn?.leave()
    // Writing that it is held is a part of it.
    this.#handle.heldFor += clock.now() - this.#since
    this.#left = turn === undefined && dueAt > clock.now() ? dueAt - clock.now() : undefined
    this.#dueAt = undefined
  }
}
