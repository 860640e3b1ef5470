import { AsyncLocalStorage } from 'node:async_hooks'
import { asError } from '../base/coded-error.ts'
import { parseDuration } from '../base/duration.ts'
import { isControl, makeAsleep } from '../handlers/handler.ts'
import { jsonText } from './json-text.ts'
import type { StepResult, TaskServices } from './runner.ts'

/** The step in which code runs. */
const current = new AsyncLocalStorage<string>()

/** The name of the step that calls; undefined: none does. */
export function stepNow(): string | undefined {
  return current.getStore()
}

/** The steps of one run of a handler in JavaScript. */
export class HandlerSteps {
  readonly #services: Pick<TaskServices, 'beginStep' | 'endStep' | 'sleep'>
  readonly #open = new Set<Promise<unknown>>()

  constructor(services: Pick<TaskServices, 'beginStep' | 'endStep' | 'sleep'>) {
    this.#services = services
  }

  /** What comes back is what JSON makes of it, in the run that does it as well. */
  readonly step = (name: string, run: () => unknown): Promise<unknown> => this.#track(this.#step(name, run))

  readonly sleep = (name: string, duration: unknown): Promise<void> => this.#track(this.#sleep(name, duration))

  /** Resolves when none of its code goes on any more: with the errors of those that nobody has waited for. */
  async over(): Promise<readonly unknown[]> {
    const errors: unknown[] = []
    while (this.#open.size > 0) {
      const ends = await Promise.allSettled(this.#open)
      errors.push(...ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : [])))
    }
    // A sleep that nobody waited for has ended no run.
    return errors.filter((error) => !isControl(error))
  }

  async #step(name: string, run: () => unknown): Promise<unknown> {
    const kept = await this.#services.beginStep(name)
    if (kept !== undefined) return valueOf(kept)
    const value = await current.run(name, async () => await run())
    // Whoever returns it wants the run to end so.
    // oxlint-disable-next-line typescript/only-throw-error -- a control may be thrown
    if (isControl(value)) throw value
    const result = resultOf(name, value)
    await this.#services.endStep(name, result)
    return valueOf(result)
  }

  async #sleep(name: string, duration: unknown): Promise<void> {
    const until = await this.#services.sleep(name, milliseconds('sleep', duration))
    // oxlint-disable-next-line typescript/only-throw-error -- it ends the run, and is no error
    if (until !== undefined) throw makeAsleep(name, until)
  }

  /** Who waits for one after the other hears of a failure late: that it was caught in between is not worth the process. */
  #track<Result>(step: Promise<Result>): Promise<Result> {
    this.#open.add(step)
    const end = (): void => void this.#open.delete(step)
    step.then(end, end)
    return step
  }
}

/** @param call of the context that is given the duration. */
export function milliseconds(call: 'retryAfter' | 'sleep', duration: unknown): number {
  const value = typeof duration === 'string' ? parseDuration(duration) : duration
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
  throw new TypeError(
    `ctx.${call}: ${JSON.stringify(duration)} is not a duration; write 250ms, 30s, 5m, 1h, or milliseconds`,
  )
}

function resultOf(name: string, value: unknown): StepResult {
  if (value === undefined) return ''
  try {
    return jsonText(value)
  } catch (error) {
    throw new Error(`step ${JSON.stringify(name)}: its result cannot be kept: ${asError(error).message}`, {
      cause: error,
    })
  }
}

function valueOf(result: StepResult): unknown {
  return result === '' ? undefined : JSON.parse(result)
}
