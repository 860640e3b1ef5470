import { chmodSync, existsSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { asError, CodedError } from '../base/coded-error.ts'
import type { Service } from '../base/service.ts'

/** What the kernel takes as the path of a socket, in bytes, on every system that we know. */
const LONGEST_PATH = 103
const LONGEST_REQUEST = 1_000_000
/** A caller that is silent for so long is gone. */
const SILENCE = 30_000
/** How long a stop waits for a caller that does not take its answer. */
const PARTING = 1_000

/** What is sent for each request. */
export type ControlAnswer = { readonly answer: unknown } | { readonly error: string; readonly code?: string }

export interface ControlSocketOptions {
  readonly directory: string
  /** What it throws is told to the caller. */
  readonly answer: (request: unknown) => Promise<unknown>
}

/** @throws {CodedError} USAGE when no socket can have this path. */
export function controlPath(directory: string): string {
  const path = join(directory, 'control.sock')
  if (Buffer.byteLength(path) <= LONGEST_PATH) return path
  const text = `a running worker cannot be reached at ${path}: a socket's path has at most ${LONGEST_PATH} bytes; choose a shorter state.directory`
  throw new CodedError('USAGE', text)
}

/**
 * Where commands reach the running worker: a unix socket that only its own user may open. A request is a line of JSON, and so is
 * its answer. Whoever starts this owns the directory.
 */
export class ControlSocket implements Service {
  readonly #options: ControlSocketOptions
  readonly #sockets = new Set<Socket>()
  readonly #answering = new Set<Promise<void>>()
  #server: Server | undefined

  constructor(options: ControlSocketOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const path = controlPath(this.#options.directory)
    // Left by a process that was killed: the lock says that nobody listens there.
    rmSync(path, { force: true })
    const server = createServer((socket) => this.#serve(socket))
    await new Promise<void>((resolve, reject) => {
      server.on('error', reject).listen(path, resolve)
      // In the turn in which it was made: nobody else is let in before.
      if (existsSync(path)) chmodSync(path, 0o600)
    })
    this.#server = server
  }

  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    await Promise.all(this.#answering)
    for (const socket of this.#sockets) socket.setTimeout(PARTING).destroySoon()
    await closed
  }

  #serve(socket: Socket): void {
    let read = ''
    let last = Promise.resolve()
    this.#sockets.add(socket)
    socket.setEncoding('utf8').setTimeout(SILENCE, () => socket.destroy())
    // A caller may leave at any moment; that is its own affair.
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket))
    socket.on('data', (text: string) => {
      const lines = (read + text).split('\n')
      read = lines.pop() ?? ''
      if (read.length > LONGEST_REQUEST) {
        send(socket, { error: `a request has at most ${LONGEST_REQUEST} characters` })
        // The rest is read and dropped: closed in the middle of its sending, the caller would not see the answer.
        socket.removeAllListeners('data').resume().end()
        return
      }
      for (const line of lines) {
        last = last.then(async () => send(socket, await this.#answer(line)))
        const work = last.finally(() => this.#answering.delete(work))
        this.#answering.add(work)
      }
    })
  }

  async #answer(line: string): Promise<ControlAnswer> {
    try {
      return { answer: await this.#options.answer(JSON.parse(line)) }
    } catch (thrown) {
      const error = asError(thrown)
      return { error: error.message, ...(error instanceof CodedError ? { code: error.code } : {}) }
    }
  }
}

function send(socket: Socket, answer: ControlAnswer): void {
  if (socket.writable) socket.write(`${JSON.stringify(answer)}\n`)
}
