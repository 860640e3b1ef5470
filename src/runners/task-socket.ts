import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkSocketPath, LineSocket } from '../base/line-socket.ts'
import type { Task } from './runner.ts'
import { answerTask } from './task-requests.ts'
import { TaskTokens, type Pass } from './task-tokens.ts'

export interface TaskSocketOptions {
  /** Where it stands. Left out: in a directory of its own, for as long as it is needed. */
  readonly directory?: string | undefined
  /** Whether the directory is still this process's. */
  readonly isOurs?: (() => boolean) | undefined
}

/** @throws {CodedError} STATE_UNUSABLE when no socket can have this path. */
export function taskSocketPath(directory: string): string {
  return checkSocketPath(join(directory, 'task.sock'), 'programs cannot reach the worker', 'STATE_UNUSABLE')
}

/** Where programs ask for what the worker does for their run, and for nothing else. It listens from the first program on. */
export class TaskSocket {
  readonly #options: TaskSocketOptions
  readonly #tokens = new TaskTokens()
  #listening: Promise<{ readonly path: string; readonly socket: LineSocket; readonly own?: string }> | undefined

  constructor(options: TaskSocketOptions) {
    this.#options = options
  }

  /** @throws {Error} when nothing can listen there. */
  async open(task: Pick<Task, 'services' | 'signals'>): Promise<Pass> {
    this.#listening ??= this.#listen()
    const { path } = await this.#listening.catch((error: unknown) => {
      // Another try with the next program.
      this.#listening = undefined
      throw error
    })
    return this.#tokens.open(task, path)
  }

  async stop(): Promise<void> {
    this.#tokens.endAll()
    const listening = await this.#listening?.catch(() => undefined)
    this.#listening = undefined
    await listening?.socket.stop()
    if (listening?.own !== undefined) await rm(listening.own, { recursive: true, force: true })
  }

  async #listen() {
    const { directory, isOurs } = this.#options
    const own = directory === undefined ? await mkdtemp(join(tmpdir(), 'clink-worker-tasks-')) : undefined
    const path = taskSocketPath(directory ?? own ?? '')
    const answer = async (request: unknown): Promise<unknown> =>
      await answerTask(request, (token) => this.#tokens.taskOf(token))
    const socket = new LineSocket({ path: () => path, answer, isOurs })
    await socket.start()
    return { path, socket, ...(own === undefined ? {} : { own }) }
  }
}
