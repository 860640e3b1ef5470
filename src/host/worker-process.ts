import { relative } from 'node:path'
import { EXIT, type ExitCode } from '../base/coded-error.ts'
import { blamed, onFault } from './faults.ts'
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

  constructor(options: WorkerProcessOptions) {
    this.#options = options
    this.#releases = [
      onSignals({
        drain: (signal) => this.#drain(signal),
        hurry: () => this.#attached?.daemon.hurry(),
        quit: () => options.exit(EXIT.internal),
        hangUp: () => this.#attached?.hangUp(),
        report: () => this.#attached?.report(),
      }),
      onFault((error) => this.#fault(error)),
    ]
  }

  attach(attached: Attached): void {
    this.#attached = attached
  }

  /** Stops minding signals and faults. */
  close(): void {
    for (const release of this.#releases) release()
  }

  #drain(signal: NodeJS.Signals): void {
    if (this.#attached === undefined) this.#options.exit(EXIT.ok)
    else void this.#attached.daemon.stop(`got ${signal}`)
  }

  #fault(error: Error): void {
    if (this.#attached === undefined) {
      this.#options.broken(error)
      this.#options.exit(EXIT.internal)
      return
    }
    const file = blamed(error, this.#attached.files())
    this.#attached.daemon.fail(file === undefined ? 'worker' : `code of ${relative(this.#options.cwd, file)}`, error)
  }
}
