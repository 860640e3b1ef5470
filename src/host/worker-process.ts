import { setTimeout } from '../base/host-time.ts'
import { relative } from 'node:path'
import { EXIT, type ExitCode } from '../base/coded-error.ts'
import { blamed, onExit, onFault } from './faults.ts'
import { isInTerminal, onSignals } from './signals.ts'
import { killAfter } from './watchdog.ts'

/** A worker that runs, as signals and faults reach it. */
export interface Attached {
  readonly daemon: {
    stop(reason: string): Promise<void>
    hurry(): void
    fail(part: string, error: Error): void
  }
  reload(): void
  report(): void
  /** Something ends the process now. */
  exited(part: string, error: Error): void
  /**
   * The process ends after this, with what is returned, though the worker may not have given back all.
   *
   * @param why for people.
   */
  cutShort(why: string): ExitCode
  /** Handler files, as stacks name them. */
  files(): Iterable<string>
}

export interface WorkerProcessOptions {
  readonly cwd: string
  /** Ends the process at once. */
  exit(code: ExitCode): void
  /** Told of a fault before there is a worker; the process ends with 70 after it. */
  broken(error: Error): void
  /** Whether HUP says that the terminal is gone. Default: where the process was started in one. */
  readonly hangUpStops?: boolean
}

/**
 * After the time for stopping: when the process ends by itself, whatever has not ended, and when a thread of its own ends it, because its
 * event loop stands still. Together they keep it within a second.
 */
const OVERDUE = 600
const KILLED = 950

/**
 * The process around a worker: minds signals and uncaught errors from the moment it is made, while the worker is still to be
 * loaded. Until then nothing is claimed, and leaving is a whole stop.
 */
export class WorkerProcess {
  readonly #options: WorkerProcessOptions
  readonly #releases: readonly (() => void)[]
  #attached: Attached | undefined
  #isLeaving = false
  #isStopping = false

  constructor(options: WorkerProcessOptions) {
    this.#options = options
    const actions = {
      drain: (signal: NodeJS.Signals): void => this.#drain(signal),
      hurry: () => this.#attached?.daemon.hurry(),
      quit: () => this.#cutShort('a third signal ended it'),
      reload: () => this.#attached?.reload(),
      report: () => this.#attached?.report(),
    }
    this.#releases = [
      onSignals(actions, { hangUpStops: options.hangUpStops ?? isInTerminal() }),
      onFault((error) => this.#fault(error)),
      onExit((error) => this.#exited(error)),
    ]
  }

  attach(attached: Attached): void {
    this.#attached = attached
  }

  /**
   * The worker has begun to stop, and has so many milliseconds for it.
   *
   * @param inHand for people: what is held if it comes to nothing.
   */
  stopping(timeout: number, inHand: string): void {
    if (this.#isStopping) return
    this.#isStopping = true
    setTimeout(() => this.#cutShort('it has not ended within shutdown.timeout'), timeout + OVERDUE).unref()
    killAfter(
      timeout + KILLED,
      `clink-worker: code that does not let go of the event loop keeps the worker from stopping: the process is ended. ${inHand}\n`,
    )
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
    else void this.#attached.daemon.stop(signal === 'SIGHUP' ? 'the terminal is gone' : `got ${signal}`)
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

  #cutShort(why: string): void {
    this.#leave(this.#attached?.cutShort(why) ?? EXIT.internal)
  }

  #leave(code: ExitCode): void {
    this.#isLeaving = true
    this.#options.exit(code)
  }

  #partOf(error: Error): string {
    const file = blamed(error, [...(this.#attached?.files() ?? [])])
    return file === undefined ? 'worker' : `code of ${relative(this.#options.cwd, file)}`
  }
}
