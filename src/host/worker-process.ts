import { relative } from 'node:path'
import { EXIT, type ExitCode } from '../base/coded-error.ts'
import { blamed, onExit, onFault } from './faults.ts'
import { onSignals } from './signals.ts'

/** A worker that runs, as signals and faults reach it. */
export interface Attached {
  readonly daemon: {
    stop(reason: string): Promise<void>
    hurry(): void
    fail(part: string, error: Error): void
  }
  hangUp(): void
  report(): void
  /** Something ends the process now. */
  exited(part: string, error: Error): void
  /** Handler files, as stacks name them. */
  files(): readonly string[]
}

export interface WorkerProcessOptions {
  readonly cwd: string
  /** Ends the process at once. */
  exit(code: ExitCode): void
  /** Told of a fault before there is a worker; the process ends with 70 after it. */
  broken(error: Error): void
}

/**
 * The process around a worker: minds signals and uncaught errors from the moment it is made, while the worker is still to be
 * loaded. Until then nothing is claimed, and leaving is a whole stop.
 */
export class WorkerProcess {
  readonly #options: WorkerProcessOptions
  readonly #releases: readonly (() => void)[]
  #attached: Attached | undefined
  #isLeaving = false

  constructor(options: WorkerProcessOptions) {
    this.#options = options
    this.#releases = [
      onSignals({
        drain: (signal) => this.#drain(signal),
        hurry: () => this.#attached?.daemon.hurry(),
        quit: () => this.#leave(EXIT.internal),
        hangUp: () => this.#attached?.hangUp(),
        report: () => this.#attached?.report(),
      }),
      onFault((error) => this.#fault(error)),
      onExit((error) => this.#exited(error)),
    ]
  }

  attach(attached: Attached): void {
    this.#attached = attached
  }

  /** The worker has ended: the process may end. */
  left(): void {
    this.#isLeaving = true
  }

  /** Stops minding signals, faults and the end of the process. */
  close(): void {
    for (const release of this.#releases) release()
  }

  #drain(signal: NodeJS.Signals): void {
    if (this.#attached === undefined) this.#leave(EXIT.ok)
    else void this.#attached.daemon.stop(`got ${signal}`)
  }

  #fault(error: Error): void {
    if (this.#attached === undefined) {
      this.#options.broken(error)
      this.#leave(EXIT.internal)
      return
    }
    this.#attached.daemon.fail(this.#partOf(error), error)
  }

  /** Code of a handler ends the process: nothing can be given back any more, but it does not pass for a stop in order. */
  #exited(error: Error): void {
    if (this.#attached === undefined || this.#isLeaving) return
    this.#attached.exited(this.#partOf(error), error)
    process.exitCode = EXIT.internal
  }

  #leave(code: ExitCode): void {
    this.#isLeaving = true
    this.#options.exit(code)
  }

  #partOf(error: Error): string {
    const file = blamed(error, this.#attached?.files() ?? [])
    return file === undefined ? 'worker' : `code of ${relative(this.#options.cwd, file)}`
  }
}
