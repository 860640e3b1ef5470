import PQueue from 'p-queue'
import type { InHand, Running } from '../execution/crash-watch.ts'
import { Rerun, type RerunShared } from './rerun.ts'

/** The part of the slots that reruns may use at a time: clinks that wait in the inbox go on. */
const PART = 0.5

export interface RerunsOptions extends Omit<RerunShared, 'turn'> {
  /** How many slots nothing is to have that is claimed or being claimed; those of reruns among them. */
  readonly spare: () => number
}

/**
 * The reruns of one worker. What they are is in the ledger's letters; this is who works at them. A claim runs out while it waits, a rerun
 * loses nothing: so it takes a slot only when no claim is on its way to it.
 */
export class Reruns {
  readonly #options: RerunsOptions
  readonly #all = new Map<string, Rerun>()
  readonly #gate: PQueue
  /** Those whose turn has come and that wait for a slot, the longest waiting first. */
  readonly #waiting: (() => void)[] = []
  #seated = 0
  /** Asked for while an earlier rerun of them may just be ending. */
  readonly #again = new Set<string>()
  #isOpen = false

  constructor(options: RerunsOptions) {
    this.#options = options
    const { config, signals } = options.context
    this.#gate = new PQueue({ concurrency: Math.max(1, Math.floor(config.concurrency * PART)) })
    signals.freed.on(() => this.#slotFreed())
  }

  /** Those that the last process left. Their handlers may have been running when it ended. */
  get left(): readonly InHand[] {
    return this.#options.context.ledger.letters
      .reruns()
      .map(({ clink, route, rerun }) => ({ clink, route, running: rerun?.step === 'running' }))
  }

  /**
   * At the start, in one commit with what else is noted of the last process: a handler that ran is to be run again.
   *
   * @param isOurs false: what the ledger knows was written by another worker.
   */
  async restore(isOurs: boolean): Promise<void> {
    const { letters } = this.#options.context.ledger
    if (!isOurs) return await letters.dropReruns()
    const running = this.left.filter((one) => one.running)
    await Promise.all(running.map(async ({ clink }) => await letters.noteRerun(clink.clink_id, { step: 'due' })))
  }

  /** The service has answered, and what it told about our key is known. */
  start(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    for (const { clink } of this.left) this.add(clink.clink_id)
  }

  /** Begins a rerun that the ledger knows. Nothing where it is under way. */
  add(clinkId: string): void {
    const { ledger, signals } = this.#options.context
    const { letters } = ledger
    const letter = letters.get(clinkId)
    if (!this.#isOpen || letter === undefined || letters.rerunOf(clinkId) === undefined) return
    if (this.#all.has(clinkId)) {
      this.#again.add(clinkId)
      return
    }
    const turn: RerunShared['turn'] = async (work) => await this.#gate.add(async () => await this.#seat(work))
    const rerun = new Rerun(letter.clink, letter.route, { ...this.#options, turn })
    this.#all.set(clinkId, rerun)
    rerun.start()
    void rerun.over.then(() => {
      this.#all.delete(clinkId)
      if (this.#again.delete(clinkId)) this.add(clinkId)
      signals.over.say()
      signals.freed.say()
    })
  }

  /** There may be a slot to spare. */
  #slotFreed(): void {
    while (this.#seated < this.#options.spare()) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#seated += 1
      next()
    }
  }

  async #seat(work: () => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    this.#slotFreed()
    await promise
    try {
      await work()
    } finally {
      this.#seated -= 1
      this.#slotFreed()
    }
  }

  get size(): number {
    return this.#all.size
  }

  /**
   * How many have a slot or wait for one, or will before the next poll. Before the first answer of the service these are those that were
   * left; but of an only slot that answer may need a claim.
   */
  get busy(): number {
    const { clock, config, keys } = this.#options.context
    const soon = clock.now() + config.poll.interval
    const due = keys.mayAct ? [...this.#all.values()].filter(({ dueAt }) => dueAt !== undefined && dueAt <= soon) : []
    const most = this.#isOpen ? config.concurrency : config.concurrency - 1
    const coming = this.#isOpen ? due.length : this.#leftDue
    return Math.min(this.#gate.concurrency, this.#gate.pending + coming, most)
  }

  /** How many of those that the last process left are run at once. */
  get #leftDue(): number {
    const { clock, ledger } = this.#options.context
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

  /** The worker stops: none begins any more. */
  drain(): void {
    this.#isOpen = false
    for (const rerun of this.#all.values()) rerun.drain()
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

  get #running(): readonly Rerun[] {
    return [...this.#all.values()].filter(({ isRunning }) => isRunning)
  }
}
