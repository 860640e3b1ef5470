import { parentPort, receiveMessageOnPort } from 'node:worker_threads'
import { isError } from '../../base/coded-error.ts'
import { errorFact, type ErrorFact } from '../../base/error-fact.ts'
import { inspected, loggedText } from '../../base/logged-text.ts'
import { isRecord } from '../../base/record.ts'
import type { HandlerLog } from '../../handlers/handler.ts'
import { SHARED, type FromThread, type ServiceName, type ToThread } from './messages.ts'
import { thrownError } from './thrown.ts'

/** So many messages may lie unread: a handler that writes faster than the worker reads has to wait. */
const MOST_UNREAD = 256
/** Milliseconds after which it is looked again whether they were read. */
const LOOK = 100

/** The thread's way to the worker. */
export class Port {
  readonly #shared: Int32Array
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>()
  #count = 0
  #receive: (message: Exclude<ToThread, { call: number }>) => void = () => {}

  constructor(shared: SharedArrayBuffer) {
    this.#shared = new Int32Array(shared)
  }

  /** @param receive is given what is no answer to a call. */
  listen(receive: (message: Exclude<ToThread, { call: number }>) => void): void {
    this.#receive = receive
    parentPort?.on('message', (message: ToThread) => this.#take(message))
    // Nothing that the handler comes to could be told any more.
    parentPort?.on('close', () => process.exit(this.#letGo()))
    // The port keeps the thread up, unless the handler has let go of it.
    process.on('beforeExit', () => this.#letGo())
  }

  /** @returns with which code the thread ends. */
  #letGo(): number {
    Atomics.store(this.#shared, SHARED.letGo, 1)
    return 1
  }

  /** Reads at once what tells of an abort, for code that looks at its signal and does not wait for anything. */
  look(): void {
    if (parentPort === null || Atomics.exchange(this.#shared, SHARED.signals, 0) === 0) return
    for (;;) {
      const next: { readonly message: ToThread } | undefined = receiveMessageOnPort(parentPort)
      if (next === undefined) return
      this.#take(next.message)
    }
  }

  send(message: FromThread): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- it is a thread, and no window
    parentPort?.postMessage(message)
    Atomics.add(this.#shared, SHARED.unread, 1)
    for (let unread = this.#unread; unread > MOST_UNREAD; unread = this.#unread)
      Atomics.wait(this.#shared, SHARED.unread, unread, LOOK)
  }

  log(run: number, level: keyof HandlerLog, message: unknown, fields?: Readonly<Record<string, unknown>>): void {
    const said = { run, say: 'log', level, message: loggedText(message) } as const
    if (!isRecord(fields)) return this.send(said)
    const { errors, others } = parted(fields)
    try {
      this.send({ ...said, fields: others, errors })
    } catch {
      // There is something in it that cannot cross, such as a function.
      this.send({ ...said, fields: mapValues(others, inspected), errors })
    }
  }

  async call(run: number, service: ServiceName, given: readonly unknown[], signal?: AbortSignal): Promise<unknown> {
    const call = (this.#count += 1)
    const answered = Promise.withResolvers<unknown>()
    this.send({ run, say: 'call', call, service, given })
    this.#calls.set(call, answered)
    const cancel = (): void => this.send({ run, say: 'cancel', call })
    if (signal?.aborted === true) cancel()
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      return await answered.promise
    } finally {
      this.#calls.delete(call)
      signal?.removeEventListener('abort', cancel)
    }
  }

  get #unread(): number {
    return Atomics.load(this.#shared, SHARED.unread)
  }

  #take(message: ToThread): void {
    if (message.do === 'answer') this.#calls.get(message.call)?.resolve(message.value)
    else if (message.do === 'refuse') this.#calls.get(message.call)?.reject(thrownError(message.error))
    else this.#receive(message)
  }
}

/** Errors lose their codes on the way, so they cross as data. */
function parted(fields: Readonly<Record<string, unknown>>) {
  const errors: Record<string, ErrorFact> = {}
  const others: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(fields)) {
    if (isError(value)) errors[key] = errorFact(value)
    else others[key] = value
  }
  return { errors, others }
}

function mapValues(record: Readonly<Record<string, unknown>>, map: (value: unknown) => unknown) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}
