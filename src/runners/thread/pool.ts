import type { Cancel, Clock } from '../../base/clock.ts'
import { after } from '../../base/clock.ts'
import type { Settings } from '../../config/settings.ts'
import type { ModuleSnapshot } from '../../handlers/module-snapshot.ts'
import { unavailable, type Outcome } from '../outcome.ts'
import type { Runner, Running, Task } from '../runner.ts'
import type { ThreadData } from './messages.ts'
import { Thread } from './thread.ts'

export interface ThreadRunnerOptions {
  readonly clock: Clock
  readonly settings: Pick<Settings, 'current'>
  readonly service: ThreadData['service']
}

/** Milliseconds after which a thread that nothing needs is ended. */
const IDLE = 60_000

/**
 * Runs each handler in a thread: made when one is needed, used for one run after the other, and ended when it was not needed for a
 * minute. How many there are says who starts runs. A thread has the modules of one loading: after a reload others take its place.
 */
export class ThreadRunner implements Runner {
  readonly #options: ThreadRunnerOptions
  readonly #all = new Set<Thread>()
  /** Those that wait for a run, with what ends their wait. The one that was used last is used next, so that others become idle. */
  readonly #idle = new Map<Thread, Cancel>()
  #newest: ModuleSnapshot | undefined
  #isStopped = false

  constructor(options: ThreadRunnerOptions) {
    this.#options = options
  }

  start(task: Task): Running {
    const { target } = task
    if (target.is !== 'thread') return over(unavailable(`a ${target.is} cannot run in a thread`))
    if (this.#isStopped) return over(unavailable('no thread is started any more'))
    this.#renew(target.modules)
    const thread = this.#take(target.modules)
    const running = thread.start(task, target.url)
    return { ...running, ended: this.#ended(thread, running.ended) }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all([...this.#all].map(async (thread) => await this.#end(thread)))
  }

  async #ended(thread: Thread, ended: Promise<Outcome>): Promise<Outcome> {
    const outcome = await ended
    const isOld = thread.modules !== this.#newest
    if (!this.#all.has(thread) || thread.isTainted || isOld || this.#isStopped) void this.#end(thread)
    else
      this.#idle.set(
        thread,
        after(this.#options.clock, IDLE, () => void this.#end(thread)),
      )
    return outcome
  }

  #take(modules: ModuleSnapshot): Thread {
    const waiting = [...this.#idle].findLast(([one]) => one.modules === modules)
    if (waiting === undefined) return this.#make(modules)
    const [thread, cancel] = waiting
    cancel()
    this.#idle.delete(thread)
    return thread
  }

  #make(modules: ModuleSnapshot): Thread {
    const { clock, service, settings } = this.#options
    const thread = new Thread({ clock, modules, service, memory: settings.current.handlers.threadMemory })
    this.#all.add(thread)
    void thread.gone.then(() => this.#forget(thread))
    return thread
  }

  /** Those with modules of an earlier loading are of no use once they have no run. */
  #renew(modules: ModuleSnapshot): void {
    if (this.#newest === modules || Number(this.#newest?.tag ?? 0) > Number(modules.tag)) return
    this.#newest = modules
    for (const thread of this.#idle.keys()) void this.#end(thread)
  }

  async #end(thread: Thread): Promise<void> {
    this.#idle.get(thread)?.()
    this.#idle.delete(thread)
    await thread.end()
  }

  #forget(thread: Thread): void {
    this.#idle.get(thread)?.()
    this.#idle.delete(thread)
    this.#all.delete(thread)
  }
}

function over(outcome: Outcome): Running {
  return { ended: Promise.resolve(outcome) }
}
