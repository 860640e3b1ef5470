import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CodedError } from '../base/coded-error.ts'
import { checkSocketPath, LineSocket } from '../base/line-socket.ts'
import { Recent } from '../base/recent.ts'
import type { Outcome } from './outcome.ts'
import type { Task } from './runner.ts'
import { answerTask, type Asked } from './task-requests.ts'

/** With what a program asks for one run. */
export interface Pass {
  readonly socket: string
  readonly token: string
  /** Until when the run was told to sleep. */
  readonly asleep: Extract<Outcome, { outcome: 'asleep' }> | undefined
  /** The run is over: from now on nothing is done for whoever has the token. */
  end(): void
}

export interface TaskSocketOptions {
  /** Where it stands. Left out: in a directory of its own, for as long as it is needed. */
  readonly directory?: string | undefined
  /** Whether the directory is still this process's. */
  readonly isOurs?: (() => boolean) | undefined
}

/** How many runs that are over are told from tokens that never were. */
const REMEMBERED = 10_000

/** @throws {CodedError} USAGE when no socket can have this path. */
export function taskSocketPath(directory: string): string {
  return checkSocketPath(join(directory, 'task.sock'), 'programs cannot reach the worker')
}

/** Where programs ask for what the worker does for their run, and for nothing else. It listens from the first program on. */
export class TaskSocket {
  readonly #options: TaskSocketOptions
  readonly #open = new Map<string, Asked & { readonly over: AbortController }>()
  readonly #over = new Recent<true>(REMEMBERED)
  #listening: Promise<{ readonly path: string; readonly socket: LineSocket; readonly own?: string }> | undefined

  constructor(options: TaskSocketOptions) {
    this.#options = options
  }

  /** @throws {Error} when nothing can listen there. */
  async open({ services, signals }: Pick<Task, 'services' | 'signals'>): Promise<Pass> {
    this.#listening ??= this.#listen()
    const { path } = await this.#listening.catch((error: unknown) => {
      // Another try with the next program.
      this.#listening = undefined
      throw error
    })
    const token = randomBytes(16).toString('hex')
    const over = new AbortController()
    const draining = AbortSignal.any([signals.draining, over.signal])
    let asleep: Pass['asleep']
    const fellAsleep: Asked['fellAsleep'] = (outcome) => {
      asleep = outcome
    }
    this.#open.set(token, { services, signals: { abort: signals.abort, draining }, fellAsleep, over })
    return {
      socket: path,
      token,
      get asleep() {
        return asleep
      },
      end: () => this.#end(token),
    }
  }

  async stop(): Promise<void> {
    for (const token of this.#open.keys()) this.#end(token)
    const listening = await this.#listening?.catch(() => undefined)
    this.#listening = undefined
    await listening?.socket.stop()
    if (listening?.own !== undefined) await rm(listening.own, { recursive: true, force: true })
  }

  #end(token: string): void {
    this.#open.get(token)?.over.abort()
    if (this.#open.delete(token)) this.#over.set(token, true)
  }

  #taskOf(token: string): Asked {
    const task = this.#open.get(token)
    if (task !== undefined) return task
    const why = this.#over.has(token)
      ? 'the run of this token is over: nothing is done for it any more'
      : 'no run of this worker has this token'
    throw new CodedError('USAGE', why)
  }

  async #listen() {
    const { directory, isOurs } = this.#options
    const own = directory === undefined ? await mkdtemp(join(tmpdir(), 'clink-worker-tasks-')) : undefined
    const path = taskSocketPath(directory ?? own ?? '')
    const answer = async (request: unknown): Promise<unknown> =>
      await answerTask(request, (token) => this.#taskOf(token))
    const socket = new LineSocket({ path: () => path, answer, isOurs })
    await socket.start()
    return { path, socket, ...(own === undefined ? {} : { own }) }
  }
}
