import type { RerunsToCome } from '../capacity/capacity.ts'
import type { InHand, Running } from '../execution/crash-watch.ts'
import type { RerunParts } from './context.ts'
import { Rerun } from './rerun.ts'

/**
 * The reruns of one worker. What they are is in the ledger's letters; this is who works at them. A claim runs out while it waits, a rerun
 * loses nothing: so it takes a seat only when no claim is on its way to it.
 */
export class Reruns implements RerunsToCome {
  readonly #parts: RerunParts
  readonly #all = new Map<string, Rerun>()
  /** Asked for while an earlier rerun of them may just be ending. */
  readonly #again = new Set<string>()
  #hasAnswer = false
  #isDrained = false

  constructor(parts: RerunParts) {
    this.#parts = parts
    parts.capacity.expect(this)
    parts.context.signals.rightsLost.on(() => {
      for (const rerun of this.#running) rerun.check()
    })
  }

  /** Those that the last process left. Their handlers may have been running when it ended. */
  get left(): readonly InHand[] {
    return this.#parts.context.ledger.letters
      .reruns()
      .map(({ clink, route, rerun }) => ({ clink, route, running: rerun?.step === 'running' }))
  }

  /**
   * At the start, in one commit with what else is noted of the last process: a handler that ran is to be run again.
   *
   * @param isOurs false: what the ledger knows was written by another worker.
   */
  async restore(isOurs: boolean): Promise<void> {
    const { letters } = this.#parts.context.ledger
    if (!isOurs) return await letters.dropReruns()
    const running = this.left.filter((one) => one.running)
    await Promise.all(running.map(async ({ clink }) => await letters.noteRerun(clink.clink_id, { step: 'due' })))
  }

  /** The service has answered, and what it told about our key is known. */
  start(): void {
    if (this.#hasAnswer) return
    this.#hasAnswer = true
    this.#begin()
  }

  /** Begins a rerun that the ledger knows. Nothing where it is under way. */
  add(clinkId: string): void {
    const { ledger, signals } = this.#parts.context
    const { letters } = ledger
    const letter = letters.get(clinkId)
    if (!this.isOpen || letter === undefined || letters.rerunOf(clinkId) === undefined) return
    if (this.#all.has(clinkId)) {
      this.#again.add(clinkId)
      return
    }
    const rerun = new Rerun(letter.clink, letter.route, this.#parts)
    this.#all.set(clinkId, rerun)
    rerun.start()
    void rerun.over.then(() => {
      this.#all.delete(clinkId)
      if (this.#again.delete(clinkId)) this.add(clinkId)
      signals.over.say()
      signals.freed.say()
    })
  }

  get size(): number {
    return this.#all.size
  }

  get isOpen(): boolean {
    return this.#hasAnswer && !this.#isDrained
  }

  /** Those that wait until their routes are resumed. */
  get paused(): readonly Pick<Rerun, 'clink' | 'route'>[] {
    return [...this.#all.values()].filter(({ isPaused }) => isPaused)
  }

  /** How many will want a seat before the next poll. Before the first answer of the service these are those that were left. */
  get coming(): number {
    const { clock, keys, settings } = this.#parts.context
    if (!this.isOpen) return this.#leftDue
    const soon = clock.now() + settings.current.poll.interval
    if (!keys.mayAct) return 0
    const { pauses } = this.#parts
    const mayCome = ({ dueAt = Infinity, route }: Rerun): boolean => dueAt <= soon && !pauses.holds({ name: route })
    return [...this.#all.values()].filter(mayCome).length
  }

  /** How many of those that the last process left are run at once. */
  get #leftDue(): number {
    const { clock, ledger } = this.#parts.context
    const now = clock.wall()
    return ledger.letters.reruns().filter(({ rerun }) => rerun?.step === 'due' && (rerun.notBefore ?? 0) <= now).length
  }

  /** Local times since which handlers ignore their abort. */
  get stuckSince(): readonly number[] {
    return this.#running.flatMap(({ stuckSince }) => stuckSince ?? [])
  }

  get running(): readonly Running[] {
    return this.#running.map(({ clink, route }) => ({ clink, route }))
  }

  /** The worker is drained, or stops: none begins any more. */
  drain(): void {
    this.#isDrained = true
    for (const rerun of this.#all.values()) rerun.drain()
  }

  /** The worker is drained no more. The service need not answer once more: a worker that may claim nothing asks it nothing. */
  resume(): void {
    if (!this.#isDrained) return
    this.#isDrained = false
    this.#begin()
  }

  abort(): void {
    for (const rerun of this.#running) rerun.abort()
  }

  async abandon(): Promise<void> {
    await Promise.all(this.#running.map(async (rerun) => await rerun.abandon()))
  }

  async over(): Promise<void> {
    await Promise.all([...this.#all.values()].map(async ({ over }) => await over))
  }

  #begin(): void {
    if (!this.isOpen) return
    for (const { clink } of this.left) this.add(clink.clink_id)
  }

  get #running(): readonly Rerun[] {
    return [...this.#all.values()].filter(({ isRunning }) => isRunning)
  }
}
