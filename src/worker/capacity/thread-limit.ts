import PQueue from 'p-queue'
import type { Config } from '../../config/config.ts'
import type { Route } from '../../handlers/route.ts'
import type { WorkerContext } from '../context.ts'

/** `auto`: more threads than this are more memory than most machines have to spare. */
const AUTO = 16

/** How many threads there may be at a time. */
export function threadsOf({ concurrency, handlers: { threads } }: Config): number {
  return threads === 'auto' ? Math.min(concurrency, AUTO) : threads
}

/** The limit on what runs in threads, beside that on the slots: whoever needs a thread has one before it takes a slot from others. */
export class ThreadLimit {
  readonly #context: Pick<WorkerContext, 'settings' | 'signals'>
  readonly #line = new PQueue()
  /** A clink was not claimed for want of a thread. */
  #wasShort = false

  constructor(context: Pick<WorkerContext, 'settings' | 'signals'>) {
    this.#context = context
    this.fit()
  }

  isFor({ target }: Route): boolean {
    return target.is === 'thread'
  }

  /** Whether threads may be what is missing, though slots are free. */
  get isBelowSlots(): boolean {
    const { current } = this.#context.settings
    return threadsOf(current) < current.concurrency
  }

  /** @param expected how many clinks in hand, or being claimed, need a thread. */
  left(expected: number): number {
    return threadsOf(this.#context.settings.current) - Math.max(expected, this.#line.pending + this.#line.size)
  }

  /** As `left`. Where there is none, the inbox is looked at again once there is. */
  isOneLeft(expected: number): boolean {
    const isLeft = this.left(expected) > 0
    this.#wasShort ||= !isLeft
    return isLeft
  }

  use(route: Route, work: () => Promise<void>, priority: number): Promise<void> {
    return this.isFor(route) ? this.#useOne(work, priority) : work()
  }

  async #useOne(work: () => Promise<void>, priority: number): Promise<void> {
    await this.#line.add(work, { priority })
    if (!this.#wasShort) return
    this.#wasShort = false
    this.#context.signals.look.say('everything')
  }

  /** What has a thread keeps it, also where there are fewer now. */
  fit(): void {
    this.#line.concurrency = threadsOf(this.#context.settings.current)
  }
}
