import { Worker } from 'node:worker_threads'
import { entryModule } from '../base/installed.ts'
import { isRecord } from '../base/record.ts'
import { EndedWhileLoading } from './load-exit.ts'
import { explainFailure } from './load-failure.ts'
import type { FromLoading, LoadedThere, ToLoading } from './loading-thread.ts'
import type { ModuleLoad } from './module-hooks.ts'
import type { ModuleSnapshot } from './module-snapshot.ts'

const ENTRY = entryModule('handlers/loading-thread')

/**
 * Loads modules in a thread, one after the other. Node unloads no module, and a thread takes all of its modules with it when it ends. What
 * they import is noted as if this thread had imported it.
 */
export class ThreadLoader {
  readonly #load: ModuleLoad
  readonly #worker: Worker
  readonly #up = Promise.withResolvers<boolean>()
  #count = 0
  #answered: (loaded: LoadedThere) => void = () => {}
  isOver = false

  constructor(load: ModuleLoad, beginning: ModuleSnapshot) {
    this.#load = load
    this.#worker = new Worker(ENTRY, { name: 'clink-worker loading', workerData: beginning })
    // A module may send something as well.
    this.#worker.on('message', (message: unknown) => isFromLoading(message) && this.#receive(message))
    this.#worker.on('error', (error) => this.#over(error))
    this.#worker.on('exit', () => this.#over(new EndedWhileLoading()))
  }

  /** False: it could not be started. */
  get started(): Promise<boolean> {
    return this.#up.promise
  }

  async load(url: string): Promise<LoadedThere> {
    const { promise, resolve } = Promise.withResolvers<LoadedThere>()
    this.#answered = resolve
    this.#count += 1
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, and no window
    this.#worker.postMessage({ url, number: this.#count } satisfies ToLoading)
    return await promise
  }

  end(): void {
    this.isOver = true
    void this.#worker.terminate()
  }

  #receive(message: FromLoading): void {
    if ('met' in message) this.#load.note(message.met)
    else if ('up' in message) this.#up.resolve(true)
    else if (message.number === this.#count) this.#answered(message.loaded)
  }

  #over(why: unknown): void {
    this.isOver = true
    this.#up.resolve(false)
    this.#answered({ failures: [explainFailure(why, this.#load)] })
  }
}

function isFromLoading(message: unknown): message is FromLoading {
  return isRecord(message) && ['met', 'up', 'loaded'].some((key) => key in message)
}
