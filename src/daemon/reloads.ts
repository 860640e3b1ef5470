import type { Changes } from '../config/settings.ts'
import { wallNow } from '../base/host-time.ts'
import type { Emit } from '../events.ts'

/** What came of a reload. */
export interface Reloaded {
  /** What is wrong, one line each: then what was in use stays. Undefined: it is in use. */
  readonly problem: string | undefined
  /** Keys that have changed since the start, and take a restart. */
  readonly restart: readonly string[]
}

/** A reload that has failed, and after which none has succeeded. */
export interface FailedReload {
  readonly problem: string
  /** Wall time in milliseconds. */
  readonly since: number
}

/** The readings of configuration, handlers and key file, by whomever they are asked for, and what came of the last one. */
export class Reloads {
  readonly #emit: Emit
  #failed: FailedReload | undefined
  /** What is wrong with the configuration as it was read last. */
  #config: Error | undefined
  /** What comes of the reloads that are under way. */
  readonly #asked = new Set<{ readonly problems: string[]; restart: readonly string[] }>()
  #read: () => Promise<unknown> = async () => {}

  constructor(emit: Emit) {
    this.#emit = emit
  }

  /** What is there cannot be used, so that what was in use before stays; null: it is in use. */
  get failed(): FailedReload | null {
    return this.#failed ?? null
  }

  /** @param by whoever supervises the process, who is told. @param parts reads everything again. */
  begin(
    by: { reload(work: () => Promise<unknown>): Promise<void> } | undefined,
    parts: () => readonly (Promise<void> | undefined)[],
  ): void {
    const read = async (): Promise<unknown> => await Promise.all(parts().filter((one) => one !== undefined))
    this.#read = by === undefined ? read : async () => await by.reload(read)
  }

  /** What was in use stays: the configuration, and the handlers of generation `kept`. */
  configFailed(error: Error): void {
    this.#config = error
    this.#noteFailure(error.message)
    this.#emit({ event: 'config.failed', error })
  }

  /** It is in use when handlers were loaded by it. */
  configRead(): void {
    this.#config = undefined
  }

  handlersFailed(error: Error, kept: number): void {
    this.#noteFailure(error.message)
    this.#emit({ event: 'handlers.failed', error, kept })
  }

  /** @param problem why what the key file holds cannot be used; undefined: it is in use. */
  keyRead(problem: string | undefined): void {
    if (problem !== undefined) this.#tell(`the key in the key file cannot be used: ${problem}`)
  }

  configUsed({ 'at-once': atOnce, 'new-deliveries': newDeliveries, restart }: Changes): void {
    for (const one of this.#asked) one.restart = restart
    this.#emit({ event: 'config.reloaded', atOnce, newDeliveries, restart })
  }

  handlersLoaded(generation: number, files: readonly string[]): void {
    if (this.#config === undefined) this.#failed = undefined
    this.#emit({ event: 'handlers.loaded', generation, files })
    // They were loaded by the configuration of before: with what is in the file now the worker would not start.
    if (this.#config !== undefined) this.configFailed(this.#config)
  }

  /** Resolves with what came of it. */
  async reload(): Promise<Reloaded> {
    const asked = { problems: [], restart: [] }
    this.#asked.add(asked)
    await this.#read()
    this.#asked.delete(asked)
    const { problems, restart } = asked
    return { problem: problems.length === 0 ? undefined : problems.join('\n'), restart }
  }

  #noteFailure(problem: string): void {
    this.#failed = { problem, since: this.#failed?.since ?? wallNow() }
    this.#tell(problem)
  }

  #tell(problem: string): void {
    for (const { problems } of this.#asked) problems.push(problem)
  }
}
