import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  startEmulator,
  type Emulator,
  type EmulatorOptions,
  type FaultAction,
  type FaultHandle,
  type FaultRule,
} from '../../src/emulator/emulator.ts'
import { built } from './program.ts'
import { surroundings } from './surroundings.ts'

/** Whether there is such a process, and it is more than what its parent has not asked for yet. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** The command as a process of its own. */
export class Command {
  readonly exited: Promise<number | null>
  output = ''
  /** Standard error alone; it is part of the output too. */
  errors = ''
  readonly #child: ChildProcess
  #hasExited = false

  /** @param options.stdout a file that standard output goes to. @param options.program another version of the command. */
  constructor(
    args: readonly string[],
    options: { cwd: string; env: Readonly<Record<string, string>>; stdout?: number; program?: string },
  ) {
    const { HOME = options.cwd } = process.env
    this.#child = spawn(process.execPath, [options.program ?? built, ...args], {
      cwd: options.cwd,
      env: { ...surroundings, HOME, NO_COLOR: '1', ...options.env },
      stdio: ['ignore', options.stdout ?? 'pipe', 'pipe'],
    })
    const { stdout, stderr } = this.#child
    for (const stream of [stdout, stderr]) {
      stream?.setEncoding('utf8')
      stream?.on('data', (text: string) => (this.output += text))
    }
    stderr?.on('data', (text: string) => (this.errors += text))
    this.exited = new Promise((resolve, reject) => {
      this.#child.on('error', reject)
      this.#child.on('close', (code) => {
        this.#hasExited = true
        resolve(code)
      })
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGUSR2' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(name)
  }

  /** Its reader stands still: what it writes to standard output is not read any more. */
  stopReading(): void {
    this.#child.stdout?.pause()
  }

  readOn(): void {
    this.#child.stdout?.resume()
  }

  /** Its reader leaves. */
  closeOutput(): void {
    this.#child.stdout?.destroy()
  }

  async close(): Promise<void> {
    if (!this.#hasExited) this.signal('SIGKILL')
    await this.exited
  }
}

/** A directory with a configuration and one handler, an emulator, and the commands that run on them. */
export class Site implements AsyncDisposable {
  readonly emulator: Emulator
  readonly directory: string
  /** Each line is what a handler wrote. */
  readonly notes: string
  readonly #commands: Command[] = []

  private constructor(emulator: Emulator, directory: string) {
    this.emulator = emulator
    this.directory = directory
    this.notes = join(directory, 'notes.txt')
  }

  static async open(files: { config: string; handler: string; emulator?: EmulatorOptions }): Promise<Site> {
    const directory = await mkdtemp(join(tmpdir(), 'clink-worker-e2e-'))
    const site = new Site(await startEmulator(files.emulator), directory)
    await mkdir(join(directory, 'handlers'))
    await writeFile(join(directory, 'handlers/work.ts'), files.handler)
    await writeFile(join(directory, 'clink-worker.yaml'), files.config)
    await writeFile(site.notes, '')
    return site
  }

  start(...args: string[]): Command {
    return this.startWith({}, ...args)
  }

  /** @param own what its environment has beside, or instead of, the usual. */
  startWith(own: Readonly<Record<string, string>>, ...args: string[]): Command {
    return this.startOf(built, own, ...args)
  }

  /** @param program another version of the command. */
  startOf(program: string, own: Readonly<Record<string, string>>, ...args: string[]): Command {
    const command = new Command(args, { cwd: this.directory, env: { ...this.env, ...own }, program })
    this.#commands.push(command)
    return command
  }

  /** @param file an open file that its standard output goes to. */
  startInto(file: number, ...args: string[]): Command {
    const command = new Command(args, { cwd: this.directory, env: this.env, stdout: file })
    this.#commands.push(command)
    return command
  }

  /** What the environment of its commands has. */
  get env(): Readonly<Record<string, string>> {
    return { CLINK_API_URL: this.emulator.url, CLINK_API_KEY: this.emulator.key, NOTES: this.notes }
  }

  fault(where: Omit<FaultRule, 'then'>, what: FaultAction): FaultHandle {
    return this.emulator.addFault({ ...where, then: what })
  }

  /** An empty file beside the configuration, for a handler to see. */
  async write(name: string): Promise<void> {
    await writeFile(join(this.directory, name), '')
  }

  async noted(): Promise<string[]> {
    return (await readFile(this.notes, 'utf8')).split('\n').filter((line) => line !== '')
  }

  sendMany(count: number): string[] {
    return Array.from({ length: count }, (_, n) => this.emulator.send('ops', `task ${n}`, { from: 'bob' }).clink_id)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#commands.map(async (command) => await command.close()))
    await this.emulator.close()
    await rm(this.directory, { recursive: true, force: true })
  }
}
