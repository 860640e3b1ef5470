import { AbortSource } from '../../base/abort-source.ts'
import type { AbortCode } from '../../handlers/handler.ts'
import { HandlerAborted } from '../../handlers/handler.ts'
import type { Port } from './port.ts'

/** The signals of one run, in its thread: made when they are asked for, since most runs ask for none. */
export class RunSignals {
  /** Why the run must end. */
  abortedBy: HandlerAborted | undefined
  readonly #abort = new AbortSource()
  readonly #draining = new AbortSource()
  readonly #port: Port
  #asked: { abort?: AbortSignal; draining?: AbortSignal } = {}

  constructor(port: Port) {
    this.#port = port
  }

  get abort(): AbortSignal {
    return (this.#asked.abort ??= lookWhenAsked(this.#abort.signal, this.#port))
  }

  get draining(): AbortSignal {
    return (this.#asked.draining ??= lookWhenAsked(this.#draining.signal, this.#port))
  }

  aborted(code: AbortCode, message: string): void {
    this.abortedBy ??= new HandlerAborted(code, message)
    this.#abort.abort(this.abortedBy)
  }

  drain(): void {
    this.#draining.abort()
  }
}

/** Code that keeps its thread busy hears of nothing; but it may ask, as `while (!ctx.signal.aborted) …` does. */
function lookWhenAsked(signal: AbortSignal, port: Port): AbortSignal {
  return Object.defineProperties(signal, {
    aborted: {
      get: () => {
        port.look()
        return Reflect.get(AbortSignal.prototype, 'aborted', signal)
      },
    },
    throwIfAborted: {
      value: () => {
        port.look()
        AbortSignal.prototype.throwIfAborted.call(signal)
      },
    },
  })
}
