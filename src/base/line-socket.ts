import { chmodSync, existsSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { asError, CodedError } from './coded-error.ts'
import { cutText, LONGEST } from './cut-text.ts'
import { clearInterval, setInterval } from './host-time.ts'
import { parsedOnce } from './repeated-key.ts'
import type { Service } from './service.ts'
import { tryTo } from './try-to.ts'

/** What the kernel takes as the path of a socket, in bytes. */
const LONGEST_PATH = process.platform === 'linux' ? 107 : 103
const LONGEST_REQUEST = 1_000_000
/** A caller that is silent for so long is gone. */
const SILENCE = 30_000
/** How long a stop waits for a caller that does not take its answer. */
const PARTING = 1_000
/** Milliseconds between two looks whether its path still leads to it. */
const LOOK = 5_000

/** What is sent for each request. */
type LineAnswer = { readonly answer: unknown } | { readonly error: string; readonly code?: string }

export interface LineSocketOptions {
  readonly path: () => string
  /** What it throws is told to the caller. */
  readonly answer: (request: unknown) => Promise<unknown>
  /** Whether the directory is still this process's: the socket is made anew where its path was taken away. Default: it is. */
  readonly isOurs?: (() => boolean) | undefined
  /** Told when it was made anew, or could not be. */
  readonly renewed?: ((error: Error | undefined) => void) | undefined
}

/** @throws {CodedError} USAGE, with what to do, when no socket can have this path. */
export function checkSocketPath(path: string, what: string, code: 'USAGE' | 'STATE_UNUSABLE'): string {
  if (Buffer.byteLength(path) <= LONGEST_PATH) return path
  const text = `${what} at ${path}: a socket's path has at most ${LONGEST_PATH} bytes; choose a shorter state.directory`
  throw new CodedError(code, text)
}

/**
 * A unix socket that only its own user may open. A request is a line of JSON, and so is its answer; those of one caller are answered one
 * after the other. Whoever starts this owns the directory.
 */
export class LineSocket implements Service {
  readonly #options: LineSocketOptions
  readonly #sockets = new Set<Socket>()
  readonly #answering = new Set<Promise<void>>()
  #server: Server | undefined
  #inode: number | undefined
  #looks: NodeJS.Timeout | undefined
  #hasFailed = false

  constructor(options: LineSocketOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    await this.#listen()
    this.#looks = setInterval(() => void this.#look(), LOOK)
    this.#looks.unref()
  }

  async #listen(): Promise<void> {
    const path = this.#options.path()
    // Left by a process that was killed: the lock says that nobody listens there.
    rmSync(path, { force: true })
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket))
    await new Promise<void>((resolve, reject) => {
      server.on('error', reject).listen(path, resolve)
      // In the turn in which it was made: nobody else is let in before.
      if (existsSync(path)) chmodSync(path, 0o600)
    })
    this.#server = server
    this.#inode = this.#inodeThere()
  }

  /** Who asks goes by the path: cleaners take it for forgotten, and people for left behind. */
  async #look(): Promise<void> {
    const { isOurs = (): boolean => true, renewed = (): void => {} } = this.#options
    if (this.#server === undefined || this.#inodeThere() === this.#inode || !isOurs()) return
    this.#server.close()
    try {
      await this.#listen()
      this.#hasFailed = false
      renewed(undefined)
    } catch (error) {
      if (!this.#hasFailed) renewed(asError(error))
      this.#hasFailed = true
    }
  }

  #inodeThere(): number | undefined {
    return tryTo(() => statSync(this.#options.path()).ino)
  }

  async stop(): Promise<void> {
    clearInterval(this.#looks)
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    // Closing it removes what its path leads to, which may be another worker's by now.
    const isThere = this.#inodeThere() === this.#inode
    const closed = new Promise<void>((resolve) => (isThere ? server.close(() => resolve()) : resolve()))
    await Promise.all(this.#answering)
    for (const socket of this.#sockets) socket.setTimeout(PARTING).destroySoon()
    await closed
  }

  #serve(socket: Socket): void {
    let read = ''
    let last = Promise.resolve()
    let waiting = 0
    this.#sockets.add(socket)
    // Who waits for an answer is silent, and has not gone.
    socket.setEncoding('utf8').setTimeout(SILENCE, () => (waiting > 0 ? undefined : socket.destroy()))
    // A caller may leave at any moment; that is its own affair.
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket))
    const take = (line: string): void => {
      waiting += 1
      last = last.then(async () => send(socket, await this.#answer(line))).catch(() => void socket.destroy())
      const work = last.finally(() => {
        waiting -= 1
        this.#answering.delete(work)
      })
      this.#answering.add(work)
    }
    // After what it has asked before is answered.
    const part = (line?: string): void => {
      read = ''
      last = last.then(() => {
        if (line !== undefined) send(socket, line)
        socket.end()
      })
    }
    socket.on('data', (text: string) => {
      const lines = (read + text).split('\n')
      read = lines.pop() ?? ''
      for (const line of lines) take(line)
      if (read.length <= LONGEST_REQUEST) return
      // The rest is read and dropped: closed in the middle of its sending, the caller would not see the answer.
      socket.removeAllListeners('data').resume()
      part(written({ error: `a request has at most ${LONGEST_REQUEST} characters` }))
    })
    // Who has asked all that it wants may end its side, and still waits for the answers. Its last line need not have an end.
    socket.on('end', () => {
      if (read !== '') take(read)
      part()
    })
  }

  /** The answer as it is sent. One that JSON does not take is an error like any other. */
  async #answer(line: string): Promise<string> {
    try {
      return written({ answer: await this.#options.answer(parsedOnce(line)) })
    } catch (thrown) {
      const error = asError(thrown)
      const message = cutText(error.message, LONGEST.error)
      return written({ error: message, ...(error instanceof CodedError ? { code: error.code } : {}) })
    }
  }
}

function written(answer: LineAnswer): string {
  return JSON.stringify(answer)
}

function send(socket: Socket, line: string): void {
  if (socket.writable) socket.write(`${line}\n`)
}
