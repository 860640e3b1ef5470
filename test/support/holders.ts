import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

const script = join(import.meta.dirname, 'holder.ts')
const NAMESPACE = ['unshare', '-p', '-f', '--mount-proc', '--kill-child'] as const

/** Another process on a state directory: `await using`. */
export class Holder implements AsyncDisposable {
  /** The first line that it said: `holding`, or why not. */
  said = ''
  readonly child: ChildProcessByStdio<Writable, Readable, null>
  readonly #exited: Promise<unknown>

  private constructor(command: string, args: readonly string[]) {
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#exited = once(this.child, 'exit')
  }

  /**
   * @param options.written facts that it notes before it says that it holds.
   * @param options.asFirst it is the first process (PID 1) of a PID namespace.
   */
  static async start(
    directory: string,
    options: { written?: readonly string[]; asFirst?: boolean } = {},
  ): Promise<Holder> {
    const [command, ...before] = options.asFirst === true ? [...NAMESPACE, process.execPath] : [process.execPath]
    const holder = new Holder(command, [...before, script, directory, ...(options.written ?? [])])
    const [line] = (await once(createInterface(holder.child.stdout), 'line')) as [string]
    holder.said = line
    return holder
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.#exited
  }

  /** Closes the state and ends. */
  async close(): Promise<void> {
    this.child.stdin.end()
    await this.#exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
