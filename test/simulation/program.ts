import type { ErrorFact } from '../../src/base/error-fact.ts'
import { runHandler } from '../../src/runners/run-handler.ts'
import type { Outcome } from '../../src/runners/outcome.ts'
import type { Task } from '../../src/runners/runner.ts'
import type { HandleFunction } from '../../src/handlers/handler.ts'
import type { Record, RunRecord } from './record.ts'
import type { Host } from './virtual-time.ts'

/** The end of a run, as its own record has it. */
export interface OpenRun {
  readonly run: RunRecord
  /** It is ended from outside. */
  cutOff(): void
}

/** Code of one run that is not the worker's own: it can be ended in the middle of anything, and nothing of it goes on then. */
export class Program implements Host {
  readonly #worker: Host
  readonly #record: Record
  readonly #outage: number
  readonly #ended = Promise.withResolvers<Outcome>()
  /** Resolves when nothing of it goes on. */
  readonly ended = this.#ended.promise
  /** Its run, where that is on its way before its code begins. */
  opened: RunRecord | undefined
  #open: OpenRun | undefined
  #isOver = false

  /**
   * @param worker its process: both stand still together.
   * @param outage of its route: for so long failures cost nothing while that is paused.
   */
  constructor(worker: Host, record: Record, outage: number) {
    this.#worker = worker
    this.#outage = outage
    this.#record = record
  }

  get asleepUntil(): number {
    return this.#worker.asleepUntil
  }

  get isDead(): boolean {
    return this.#isOver || this.#worker.isDead
  }

  begin(handle: HandleFunction, task: Task): void {
    const { draining, abort } = task.signals
    const signals = { abort: this.#heard(abort), draining: this.#heard(draining) }
    void runHandler(handle, { ...task, signals, services: this.#served(task.services) }).then((outcome) => {
      this.#isOver = true
      this.#ended.resolve(outcome)
    })
  }

  begun(open: OpenRun): void {
    this.#open = open
  }

  /** Ends it. */
  kill(error: ErrorFact): void {
    if (this.isDead) return
    this.#isOver = true
    const { run } = this.#open ?? {}
    if (run === undefined && this.opened !== undefined) this.#neverBegins(this.opened, error)
    if (run !== undefined) {
      for (const step of this.#record.steps) {
        const isOfRun = step.life === run.life && step.clinkId === run.clinkId && step.startedAt >= run.startedAt
        if (isOfRun) step.endedAt ??= this.#record.now
      }
      // What went on in them is gone with it: what becomes of its claim later finds it over.
      run.openSteps = 0
      run.killedBy = error.message
      this.#open?.cutOff()
    }
    this.#ended.resolve({ outcome: 'failed', error, own: error.message })
  }

  #neverBegins(run: RunRecord, { message }: ErrorFact): void {
    run.endedAt = this.#record.now
    run.end = run.abortedAt === undefined ? 'failed' : 'aborted'
    run.isFree = this.#record.isFree(run.life, this.#outage)
    if (run.abortedAt === undefined) run.killedBy = message
    this.#record.say(run.life, `  run ${run.clinkId} never begins: ${run.abortCode ?? message}`)
  }

  #heard(signal: AbortSignal): AbortSignal {
    const heard = new AbortController()
    const tell = (): void => {
      if (!this.isDead) heard.abort(signal.reason)
    }
    if (signal.aborted) tell()
    else signal.addEventListener('abort', tell)
    return heard.signal
  }

  /** What is asked for is done, and it may not hear of that. */
  #served<Served extends object>(served: Served): Served {
    return new Proxy(served, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (typeof value === 'object' && value !== null) return this.#served(value)
        if (typeof value !== 'function') return value
        return (...given: readonly unknown[]): unknown => {
          const done: unknown = Reflect.apply(value, target, given)
          return done instanceof Promise ? this.#hear(done) : done
        }
      },
    })
  }

  async #hear(done: Promise<unknown>): Promise<unknown> {
    return await new Promise((resolve, reject) => {
      done.then(
        (value) => (this.isDead ? undefined : resolve(value)),
        (error: Error) => (this.isDead ? undefined : reject(error)),
      )
    })
  }
}
