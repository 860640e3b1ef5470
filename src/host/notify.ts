import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { asError } from '../base/coded-error.ts'
import { clearTimeout, setTimeout } from '../base/host-time.ts'
import { tryTo } from '../base/try-to.ts'

/** What the service manager is told, as sd_notify(3) lists it. */
export type Notice = Readonly<Partial<Record<NoticeName, string | number | bigint>>>
type NoticeName = 'READY' | 'RELOADING' | 'MONOTONIC_USEC' | 'STOPPING' | 'STATUS' | 'WATCHDOG' | 'EXTEND_TIMEOUT_USEC'

/** Sends one message. Resolves when the manager has it; rejects with the reason why it has not. */
export type Way = (message: string) => Promise<void>

/** The part of `node-unix-socket` that is used here. Node itself has no datagrams over unix sockets. */
interface DatagramSocket {
  on(event: 'error', listen: (error: Error) => void): unknown
  sendTo(bytes: Buffer, offset: number, length: number, path: string, done: (error?: Error | null) => void): void
  close(): void
}
type DatagramSocketClass = new () => DatagramSocket

/** How long one message may take, in milliseconds: a manager whose queue is full makes the add-on wait for ever. */
const PATIENCE = { socket: 1_000, program: 5_000 }

/** The add-on that sends datagrams. It is an optional dependency: undefined where it was not installed or does not load. */
export function datagramAddOn(): DatagramSocketClass | undefined {
  const loaded: unknown = tryTo(() => createRequire(import.meta.url)('node-unix-socket'))
  if (typeof loaded !== 'object' || loaded === null || !('DgramSocket' in loaded)) return undefined
  const { DgramSocket } = loaded
  return isSocketClass(DgramSocket) ? DgramSocket : undefined
}

function isSocketClass(value: unknown): value is DatagramSocketClass {
  return typeof value === 'function'
}

/**
 * Tells the service manager how the worker is. What cannot be sent is kept and sent with what comes next, the newest of each kind: a manager that
 * starts itself anew is away for a moment.
 */
export class ServiceManager {
  readonly #way: Way
  readonly #trouble: (problem: string | undefined) => void
  readonly #waiting = new Map<string, string>()
  #sending: Promise<void> | undefined
  #isUnheard = false

  /** @param trouble told why nothing arrives, once, and undefined when something does again. */
  constructor(way: Way, trouble: (problem: string | undefined) => void) {
    this.#way = way
    this.#trouble = trouble
  }

  /** Nobody waits for it. */
  tell(notice: Notice): void {
    // In one message they would contradict each other, and the newest of them holds.
    if (['READY', 'RELOADING', 'STOPPING'].some((name) => name in notice)) {
      for (const name of ['READY', 'RELOADING', 'MONOTONIC_USEC', 'STOPPING']) this.#waiting.delete(name)
    }
    for (const [name, value] of Object.entries(notice)) this.#waiting.set(name, oneLine(String(value)))
    this.#sending ??= this.#send()
  }

  /** Resolves when nothing is on its way, though some may not have arrived. */
  async idle(): Promise<void> {
    while (this.#sending !== undefined) await this.#sending
  }

  async #send(): Promise<void> {
    // What is told in one turn goes in one message.
    await Promise.resolve()
    while (this.#waiting.size > 0) {
      const message = new Map(this.#waiting)
      this.#waiting.clear()
      const problem = await this.#way([...message].map(([name, value]) => `${name}=${value}`).join('\n')).then(
        () => undefined,
        (error: unknown) => asError(error).message,
      )
      if (problem === undefined) {
        if (this.#isUnheard) this.#trouble(undefined)
        this.#isUnheard = false
        continue
      }
      this.#keep(message)
      if (!this.#isUnheard) this.#trouble(problem)
      this.#isUnheard = true
      break
    }
    this.#sending = undefined
  }

  /** For the next message, as far as nothing newer waits. A sign of life that is late says nothing. */
  #keep(message: ReadonlyMap<string, string>): void {
    const isOld = ['READY', 'RELOADING', 'STOPPING'].some((name) => this.#waiting.has(name))
    for (const [name, value] of message) {
      if (name === 'WATCHDOG' || name === 'EXTEND_TIMEOUT_USEC' || this.#waiting.has(name)) continue
      if (name === 'STATUS' || !isOld) this.#waiting.set(name, value)
    }
  }
}

/** How messages reach the service manager; undefined where this process has none. */
export function wayToManager(env: NodeJS.ProcessEnv, addOn = datagramAddOn): Way | undefined {
  const address = env['NOTIFY_SOCKET']
  if (address === undefined || address === '') return undefined
  const Socket = address.startsWith('/') ? addOn() : undefined
  // The add-on knows no abstract names, and no sockets of virtual machines.
  return Socket === undefined ? byProgram(address, env['PATH']) : byDatagram(address, Socket)
}

function byDatagram(path: string, Socket: DatagramSocketClass): Way {
  return async (message) => {
    const bytes = Buffer.from(message)
    // A new one each time, as sd_notify does: one that has waited once for a full queue goes on waiting when there is room.
    const socket = new Socket()
    let timer: NodeJS.Timeout | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        timer = setTimeout(() => reject(new Error('it takes nothing')), PATIENCE.socket)
        socket.on('error', reject)
        socket.sendTo(bytes, 0, bytes.length, path, (error) =>
          error === null || error === undefined ? resolve() : reject(error),
        )
      })
    } finally {
      clearTimeout(timer)
      socket.close()
    }
  }
}

/** The unit has to say `NotifyAccess=all`: it is not the main process that speaks. */
function byProgram(address: string, path = '/usr/bin:/bin'): Way {
  return async (message) =>
    await new Promise((resolve, reject) => {
      const options = { env: { PATH: path, NOTIFY_SOCKET: address }, timeout: PATIENCE.program }
      execFile('systemd-notify', message.split('\n'), options, (error) => {
        if (error === null) resolve()
        else reject(new Error(`systemd-notify: ${error.message}`))
      })
    })
}

/** How often the manager wants a sign of life from this process, in milliseconds; undefined: it does not. */
export function watchdogOf(env: NodeJS.ProcessEnv, pid = process.pid): number | undefined {
  const { WATCHDOG_PID: forPid, WATCHDOG_USEC: usec = '' } = env
  if (!/^[1-9]\d*$/.test(usec)) return undefined
  return forPid === undefined || forPid === String(pid) ? Number(usec) / 1_000 : undefined
}

/** A text as the value of a line. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').trim()
}
