import { Worker } from 'node:worker_threads'
import type { Clock } from '../../base/clock.ts'
import { systemCode } from '../../base/coded-error.ts'
import { errorFact, errorOf, type ErrorFact } from '../../base/error-fact.ts'
import { entryModule } from '../../base/installed.ts'
import { isRecord } from '../../base/record.ts'
import { onAbort } from '../../base/on-abort.ts'
import { HandlerAborted } from '../../handlers/handler.ts'
import type { ModuleSnapshot } from '../../handlers/module-snapshot.ts'
import { unavailable, type Outcome } from '../outcome.ts'
import type { Running, Task, TaskServices } from '../runner.ts'
import { hardLimit, MemoryWatch } from './memory-watch.ts'
import { SHARED, type FromThread, type ThreadData, type ToThread } from './messages.ts'
import { thrownFact } from './thrown.ts'

const ENTRY = entryModule('runners/thread/entry')
const MEBIBYTE = 1_048_576
const LET_GO =
  'the handler has closed the port between its thread and the worker, or let go of it (parentPort.close, parentPort.unref)'
const UNCAUGHT = 'nothing caught an error of the handler'

export interface ThreadOptions extends Pick<ThreadData, 'modules' | 'service'> {
  readonly clock: Clock
  /** Bytes. */
  readonly memory: number
}

interface CurrentRun {
  readonly number: number
  readonly ended: (outcome: Outcome) => void
}

type CallOf = Extract<FromThread, { say: 'call' }>

/** One thread, from this side: runs one handler at a time, and does for it what it asks. */
export class Thread {
  readonly modules: ModuleSnapshot
  /** Resolves when nothing of it is left. */
  readonly gone: Promise<void>
  /** By what runs have left behind: nothing else is to run in it. */
  isTainted = false
  readonly #options: ThreadOptions
  readonly #worker: Worker
  readonly #shared: Int32Array
  readonly #memory: MemoryWatch
  readonly #calls = new Map<number, AbortController>()
  #count = 0
  #current: CurrentRun | undefined
  /** By their numbers: the last two, since code of one that has ended may go on. */
  readonly #tasks = new Map<number, Task>()
  /** Addresses of handlers that it has loaded, or begun to. */
  readonly #loaded = new Set<string>()
  /** The handler that is being loaded begins. */
  #begun: () => void = () => {}
  #isUp = false
  /** What has ended the thread. */
  #fatal: Outcome | undefined

  constructor(options: ThreadOptions) {
    this.#options = options
    this.modules = options.modules
    const shared = new SharedArrayBuffer(SHARED.bytes)
    this.#shared = new Int32Array(shared)
    const data: ThreadData = { modules: options.modules, service: options.service, shared }
    const resourceLimits = { maxOldGenerationSizeMb: hardLimit(options.memory) / MEBIBYTE }
    this.#worker = new Worker(ENTRY, { name: 'clink-worker handler', workerData: data, resourceLimits })
    this.#worker.on('message', (message: unknown) => {
      if (isOurs(message)) this.#receive(message)
    })
    this.#worker.on('error', (error) => this.#failed(error))
    this.#memory = new MemoryWatch(options.clock, options.memory, {
      used: async () => (await this.#worker.getHeapStatistics().catch(() => undefined))?.used_heap_size,
      collect: () => this.#post({ do: 'collect', run: this.#count }),
      retire: () => (this.isTainted = true),
      exceeded: () => this.#outgrown(),
    })
    this.gone = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#exited(code)
        resolve()
      })
    })
  }

  start(task: Task, url: string): Running {
    const { envelope, env, signals } = task
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    const number = (this.#count += 1)
    this.#current = { number, ended: resolve }
    this.#tasks.set(number, task)
    this.#tasks.delete(number - 2)
    this.#worker.ref()
    this.#post({ do: 'run', run: number, url, envelope, env })
    this.#memory.begin()
    onAbort(signals.draining, () => this.#signal({ do: 'drain', run: number }))
    onAbort(signals.abort, () => {
      const { reason } = signals.abort
      const { code, message } = reason instanceof HandlerAborted ? reason : new HandlerAborted('cancelled', '')
      this.#signal({ do: 'abort', run: number, code, message })
    })
    const running = { ended: promise, kill: () => void this.end() }
    if (this.#loaded.has(url)) return running
    this.#loaded.add(url)
    const begun = Promise.withResolvers<void>()
    this.#begun = begun.resolve
    return { ...running, begun: begun.promise }
  }

  /** Ends it, whatever it does; a call into the system that it waits for comes to its end before. */
  async end(): Promise<void> {
    this.#fatal ??= failed('the handler was ended')
    await this.#worker.terminate()
  }

  #post(message: ToThread): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- it is a thread, and no window
    this.#worker.postMessage(message)
  }

  /** Code that does not come to read messages sees by this that there is one. */
  #signal(message: ToThread): void {
    this.#post(message)
    Atomics.store(this.#shared, SHARED.signals, 1)
  }

  #receive(message: FromThread): void {
    this.#isUp = true
    Atomics.sub(this.#shared, SHARED.unread, 1)
    Atomics.notify(this.#shared, SHARED.unread)
    const services = this.#tasks.get(message.run)?.services
    switch (message.say) {
      case 'log': {
        const { errors = {}, fields, level, message: text } = message
        const shown = Object.entries(errors).map(([key, fact]) => [key, errorOf(fact)] as const)
        const all = fields === undefined && shown.length === 0 ? undefined : { ...fields, ...Object.fromEntries(shown) }
        return services?.log(level, text, all)
      }
      case 'loaded':
        return this.#begun()
      case 'keepalive':
        return services?.keepalive()
      case 'collected':
        return this.#memory.collected(message.used)
      case 'call':
        return void this.#answer(message, services)
      case 'cancel':
        return this.#calls.get(message.call)?.abort()
      case 'ended':
        return this.#finish(message.outcome)
      case 'uncaught':
        this.isTainted = true
        if (message.isOver)
          this.#fatal ??= { outcome: 'failed', error: message.error, own: UNCAUGHT, said: message.said }
        if (message.run !== this.#current?.number) tellOfLate(message.error, services)
    }
  }

  async #answer({ call, given, service }: CallOf, services: TaskServices | undefined): Promise<void> {
    const cancelled = new AbortController()
    this.#calls.set(call, cancelled)
    try {
      if (services === undefined) throw new Error('this run is over, nothing is done for it any more')
      this.#post({ do: 'answer', call, value: await serve(service, given, services, cancelled.signal) })
    } catch (thrown) {
      this.#post({ do: 'refuse', call, error: thrownFact(thrown) })
    }
    this.#calls.delete(call)
  }

  #failed(error: unknown): void {
    if (systemCode(error) === 'ERR_WORKER_OUT_OF_MEMORY') this.#outgrown()
    else if (this.#isUp) this.#fatal ??= { outcome: 'failed', error: errorFact(error) }
    else this.#fatal ??= unavailable(`no thread could be started: ${errorFact(error).message}`)
  }

  #outgrown(): void {
    const limit = `${Math.round(this.#options.memory / MEBIBYTE)}MiB`
    this.#fatal ??= failed(`the handler needed more memory than a thread may have (handlers.threadMemory: ${limit})`)
    void this.end()
  }

  #exited(code: number): void {
    this.#memory.stop()
    const isKnown = this.#fatal !== undefined
    const isLetGo = Atomics.load(this.#shared, SHARED.letGo) === 1
    const why = isLetGo ? LET_GO : `the handler ended its thread with process.exit(${code})`
    const outcome = this.#fatal ?? failed(why)
    if (this.#current !== undefined) this.#finish(outcome)
    else if (!isKnown && outcome.outcome === 'failed') tellOfLate(outcome.error, this.#tasks.get(this.#count)?.services)
  }

  #finish(outcome: Outcome): void {
    const ended = this.#current?.ended
    this.#memory.end()
    this.#current = undefined
    this.#worker.unref()
    ended?.(outcome)
  }
}

/** Of a run that has ended: it is settled already. */
function tellOfLate(error: ErrorFact, services: TaskServices | undefined): void {
  services?.log('error', `after its end: ${error.message}`, { error: errorOf(error) })
}

async function serve(
  service: CallOf['service'],
  [first, second, third]: CallOf['given'],
  services: TaskServices,
  signal: AbortSignal,
): Promise<unknown> {
  const name = textOf(first) ?? ''
  if (service === 'reply') return await services.reply(first, second === 'group' ? 'group' : 'sender', textOf(third))
  if (service === 'beginStep') return await services.beginStep(name)
  if (service === 'endStep') return await services.endStep(name, textOf(second) ?? '')
  if (service === 'sleep') return await services.sleep(name, Number(second))
  if (service === 'mask') return services.mask(name)
  if (service === 'health') return await services.api.health({ ...Object(first), signal })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what comes by messages has no types: the client looks at it
  return await services.api.call(service, first as never, { ...Object(second), signal })
}

/** A handler may send messages of its own: they are for nobody. */
function isOurs(message: unknown): message is FromThread {
  return isRecord(message) && typeof message['run'] === 'number' && typeof message['say'] === 'string'
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function failed(own: string): Outcome {
  return { outcome: 'failed', error: errorFact(new Error(own)), own }
}
