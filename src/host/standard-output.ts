import { constants, fstatSync, openSync, writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { tryTo } from '../base/try-to.ts'
import { Outlet, type OutletFacts } from './outlet.ts'
import { isUnread } from './unread.ts'

export type StandardStream = 'stdout' | 'stderr'

/** As the facts of an outlet, for each of the two. */
export type OutputFacts = {
  [Fact in keyof OutletFacts]: (stream: StandardStream, ...told: Parameters<OutletFacts[Fact]>) => void
}

type Written = (error?: Error | null) => void

const FD = { stdout: 1, stderr: 2 } as const
/** How long the end of the process waits for a reader that takes nothing. */
const PATIENCE = 1_000
/** As that, where code ends the process and nothing can be waited for: so many tries, so far apart. */
const LAST_TRIES = { count: 10, apart: 20 }

/**
 * Standard output and standard error of a process that must not wait for whoever reads them, and must not end because nobody does. All
 * that is written through `process.stdout` and `process.stderr` goes through it, so the log and `console.log` stay in order.
 *
 * A regular file is written to at once. Programs that inherit a stream write to it themselves.
 */
export class StandardOutput {
  readonly #outlets: Readonly<Record<StandardStream, Outlet>>
  readonly #early: ((facts: OutputFacts) => void)[] = []
  #facts: OutputFacts | undefined

  constructor() {
    const stdout = this.#take('stdout')
    // One reader gets both in the order in which they were written.
    this.#outlets = { stdout, stderr: isSame(1, 2) ? stdout : this.#take('stderr') }
    writeThrough(process.stdout, this.#outlets.stdout)
    writeThrough(process.stderr, this.#outlets.stderr)
    process.on('exit', () => {
      for (const outlet of Object.values(this.#outlets)) flushAtExit(outlet)
    })
  }

  /** Tells what happens from now on, and what has happened before. */
  attach(facts: OutputFacts): void {
    this.#facts = facts
    for (const tell of this.#early.splice(0)) tell(facts)
  }

  /** As `Outlet.together`, for standard output. */
  together(write: () => void): void {
    this.#outlets.stdout.together(write)
  }

  flush(): void {
    this.#outlets.stdout.flush()
  }

  /** Resolves when all is written, or nobody takes it. */
  async finish(): Promise<void> {
    const { stdout, stderr } = this.#outlets
    await stdout.finish(PATIENCE)
    const { dropped, waiting } = stdout.behind
    if (dropped > 0 || waiting > 0) {
      process.stderr.write('clink-worker: the last lines of the output are missing: nobody took them\n')
    }
    await stderr.finish(PATIENCE)
  }

  #take(name: StandardStream): Outlet {
    const fd = FD[name]
    const target = ownDescription(fd)
    const isFile = fstatSync(fd).isFile()
    const tell = (told: (facts: OutputFacts) => void): void => {
      if (this.#facts === undefined) this.#early.push(told)
      else told(this.#facts)
    }
    const facts: OutletFacts = {
      closed: () => tell((to) => to.closed(name)),
      failed: (problem) => tell((to) => to.failed(name, problem)),
      resumed: (dropped) => tell((to) => to.resumed(name, dropped)),
    }
    return new Outlet({
      put: (bytes) => writeSync(target, bytes),
      isClosedBy: (error) => !isFile && isUnread(error),
      facts,
    })
  }
}

/** Whoever wrote to the stream before goes on as before, and never fails. */
function writeThrough(stream: NodeJS.WriteStream, outlet: Outlet): void {
  stream.removeAllListeners('error').on('error', () => {})
  stream.write = (chunk: string | Uint8Array, second?: BufferEncoding | Written, third?: Written): boolean => {
    const encoding = typeof second === 'string' ? second : 'utf8'
    const done = typeof second === 'function' ? second : third
    const hasRoom = outlet.write(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk))
    if (done !== undefined) process.nextTick(done)
    return hasRoom
  }
  outlet.onDrained(() => stream.emit('drain'))
}

/**
 * The same pipe or terminal, opened once more: whether writes wait is a property of what was opened, and a program that inherits ours makes
 * them wait again. Where it cannot be opened, as a socket, Node's own setting counts.
 */
function ownDescription(fd: number): number {
  if (!isatty(fd) && !fstatSync(fd).isFIFO()) return fd
  const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY
  return tryTo(() => openSync(`/proc/self/fd/${fd}`, flags)) ?? fd
}

function flushAtExit(outlet: Outlet): void {
  const asleep = new Int32Array(new SharedArrayBuffer(4))
  for (let n = 0; n < LAST_TRIES.count && outlet.behind.waiting > 0; n += 1) {
    if (n > 0) Atomics.wait(asleep, 0, 0, LAST_TRIES.apart)
    outlet.flush()
  }
}

function isSame(one: number, other: number): boolean {
  const [a, b] = [fstatSync(one), fstatSync(other)]
  return a.dev === b.dev && a.ino === b.ino
}
