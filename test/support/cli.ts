import { spawn, type ChildProcess } from 'node:child_process'
import { built } from './program.ts'
import { surroundings } from './surroundings.ts'

export interface CliOptions {
  readonly cwd?: string
  /** All of the environment, beside what every process has. */
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** Instead of the built command. */
  readonly program?: string
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** The program as a process of its own, as people run it. Kill it when the test is over: `await using`. */
export class Cli implements AsyncDisposable {
  readonly ended: Promise<Ended>
  readonly #child: ChildProcess
  readonly #waiting = new Set<() => void>()
  #stdout = ''
  #stderr = ''

  constructor(args: readonly string[], { cwd, env = {}, input, program = built }: CliOptions = {}) {
    const child = spawn(process.execPath, [program, ...args], { cwd, env: { ...surroundings, ...env }, stdio: 'pipe' })
    this.#child = child
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#read(() => (this.#stdout += text)))
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#read(() => (this.#stderr += text)))
    child.stdin.on('error', () => {}).end(input ?? '')
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => {
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr })
        this.#read(() => {})
      })
    })
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  /** Resolves with the match once the output holds it; rejects when the process ends without. */
  async said(pattern: RegExp, where: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this[where])
      if (found !== null) return found
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`ended without saying ${pattern}:\n${this.#stdout}\n${this.#stderr}`)
      }
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Stops reading what it writes. */
  closeOutput(): void {
    this.#child.stdout?.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }

  #read(take: () => void): void {
    take()
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resolve of waiting) resolve()
  }
}

/** Runs it to its end. */
export async function clinkWorker(args: readonly string[], options?: CliOptions): Promise<Ended> {
  await using cli = new Cli(args, options)
  return await cli.ended
}
