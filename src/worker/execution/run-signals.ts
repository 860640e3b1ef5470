import type { AbortSource } from '../../base/abort-source.ts'

/** Both signals are made when they are asked for. */
export class RunSignals {
  readonly #abort: AbortSource
  readonly #draining: AbortSource

  constructor(abort: AbortSource, draining: AbortSource) {
    this.#abort = abort
    this.#draining = draining
  }

  get abort(): AbortSignal {
    return this.#abort.signal
  }

  get draining(): AbortSignal {
    return this.#draining.signal
  }
}
