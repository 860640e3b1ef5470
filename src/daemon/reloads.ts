import type { Emit } from '../events.ts'

/** The readings of configuration, handlers and key file that somebody asks for, and what was wrong with the last one. */
export class Reloads {
  readonly #emit: Emit
  #problem: string | undefined
  #read: () => Promise<unknown> = async () => {}

  constructor(emit: Emit) {
    this.#emit = emit
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
    this.#problem = error.message
    this.#emit({ event: 'config.failed', error })
  }

  handlersFailed(error: Error, kept: number): void {
    this.#problem = error.message
    this.#emit({ event: 'handlers.failed', error, kept })
  }

  /** Resolves with what is wrong with it; undefined: it is in use. */
  async reload(): Promise<string | undefined> {
    this.#problem = undefined
    await this.#read()
    return this.#problem
  }
}
