import { clearInterval, kernelMicroseconds, monotonicNow, setInterval } from '../base/host-time.ts'
import type { Service } from '../base/service.ts'
import type { WorkerEvent } from '../events.ts'
import { ServiceManager, watchdogOf, wayToManager, type Way } from '../host/notify.ts'
import type { Daemon } from './daemon.ts'
import { statusLine } from './status-line.ts'

type Supervised = Pick<Daemon, 'liveness' | 'readiness' | 'snapshot' | 'totals'>

export interface SupervisionOptions {
  readonly daemon: Supervised
  readonly way: Way
  /** Takes secrets out of what is said: everybody on the machine may ask for it. */
  readonly redact: (text: string) => string
  /** Milliseconds after which the manager ends a worker that shows no sign of life. */
  readonly watchdog?: number | undefined
  /** Told why the manager hears nothing, and undefined when it hears again. */
  readonly trouble: (problem: string | undefined) => void
}

/** How often it is looked whether there is something to say, in milliseconds. */
const LOOK = 2_000
/** How often a line is sent that differs from the last one in numbers only. */
const COUNTS = 10_000
/** How much time a stop asks for at each look, and for how long beyond its own: then something else has to end the process. */
const MORE = 10_000
const BEYOND = 2_000

/**
 * Tells the service manager how the worker is: what it does, that it reloads, that it stops and still needs time, and, as long as its
 * loops make progress, that it is alive. Where Clink is away it waits, which is progress.
 */
export class Supervision implements Service {
  readonly #options: SupervisionOptions
  readonly #manager: ServiceManager
  #timer: NodeJS.Timeout | undefined
  #isReady = false
  #stopsBy: number | undefined
  #reloads = 0
  #reloadFailed = false
  #isKeyUnused = false
  #aliveAt = -Infinity
  #said: { readonly kind: string; readonly text: string; readonly at: number } | undefined

  constructor(options: SupervisionOptions) {
    this.#options = options
    this.#manager = new ServiceManager(options.way, options.trouble)
  }

  start(): void {
    const { watchdog = Infinity } = this.#options
    this.#timer = setInterval(() => this.#look(), Math.min(LOOK, watchdog / 4)).unref()
  }

  /** What has to be there before it can work is there. */
  ready(): void {
    if (this.#stopsBy !== undefined) return
    this.#isReady = true
    this.#manager.tell({ READY: 1 })
    this.#look()
  }

  /** @param work reads again what the worker goes by, and says itself what is wrong with it. */
  async reload(work: () => Promise<unknown>): Promise<void> {
    this.#reloads += 1
    if (this.#isReady && this.#stopsBy === undefined) {
      this.#manager.tell({ RELOADING: 1, MONOTONIC_USEC: kernelMicroseconds() })
      // Without this one message would be both, and the manager would see no reload.
      await this.#manager.idle()
    }
    try {
      await work()
    } finally {
      this.#reloads -= 1
      if (this.#reloads === 0 && this.#isReady) this.ready()
    }
  }

  /** @param timeout milliseconds that the stop may take. */
  stopping(timeout: number): void {
    this.#stopsBy ??= monotonicNow() + timeout
    this.#manager.tell({ STOPPING: 1 })
    this.#look()
  }

  /** What is only seen from events: it is told, and nothing acts on it. */
  note(of: WorkerEvent): void {
    const { event } = of
    if (event === 'config.failed' || event === 'handlers.failed') this.#reloadFailed = true
    if (event === 'handlers.loaded') this.#reloadFailed = false
    if (event === 'key.unusable' && of.isReadOnce !== true) this.#isKeyUnused = true
    if (event === 'key.refused' && of.goesOn) this.#isKeyUnused = true
    if (event === 'key.changed' || event === 'key.unchanged') this.#isKeyUnused = false
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#manager.idle()
  }

  #look(): void {
    const { daemon, watchdog } = this.#options
    const now = monotonicNow()
    const liveness = daemon.liveness()
    if (watchdog !== undefined && liveness.alive && now - this.#aliveAt >= watchdog / 2 - LOOK / 2) {
      this.#aliveAt = now
      this.#manager.tell({ WATCHDOG: 1 })
    }
    if (this.#stopsBy !== undefined && now < this.#stopsBy + BEYOND) {
      this.#manager.tell({ EXTEND_TIMEOUT_USEC: MORE * 1_000 })
    }
    const { kind, text } = statusLine({
      liveness,
      readiness: daemon.readiness(),
      isStopping: this.#stopsBy !== undefined,
      reloadFailed: this.#reloadFailed || this.#isKeyUnused,
      counts: daemon.snapshot(),
      totals: daemon.totals(),
    })
    const isNew = text !== this.#said?.text && (kind !== this.#said?.kind || now - this.#said.at >= COUNTS)
    if (isNew) {
      this.#said = { kind, text, at: now }
      this.#manager.tell({ STATUS: this.#options.redact(text) })
    }
    // What did not arrive is sent again.
    this.#manager.tell({})
  }
}

/** Undefined where no service manager waits for news. */
export function supervise(
  env: NodeJS.ProcessEnv,
  options: Pick<SupervisionOptions, 'daemon' | 'redact' | 'trouble'>,
): Supervision | undefined {
  const way = wayToManager(env)
  return way === undefined ? undefined : new Supervision({ ...options, way, watchdog: watchdogOf(env) })
}
