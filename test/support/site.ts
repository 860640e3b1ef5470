import { startEmulator, type Emulator } from '../../src/emulator/emulator.ts'
import { Cli, type Ended } from './cli.ts'
import { inProcess } from './in-process.ts'
import { TempDir } from './temp-dir.ts'

/** An embedded Clink, and a directory in which workers of it are started. */
export class Site implements AsyncDisposable {
  readonly emulator: Emulator
  readonly dir: TempDir

  private constructor(emulator: Emulator, dir: TempDir) {
    this.emulator = emulator
    this.dir = dir
  }

  static async start(files: Readonly<Record<string, string>> = {}): Promise<Site> {
    const dir = new TempDir()
    await dir.write(files)
    return new Site(await startEmulator(), dir)
  }

  env(key = 'worker'): Record<string, string> {
    return { CLINK_API_URL: this.emulator.url, CLINK_API_KEY: this.emulator.keys[key] ?? '' }
  }

  cli(args: readonly string[], { key = 'worker', input }: { key?: string; input?: string } = {}): Cli {
    return new Cli(args, { cwd: this.dir.path, env: this.env(key), ...(input === undefined ? {} : { input }) })
  }

  /** What comes of a command that neither stays nor loads handlers. */
  async say(...args: readonly string[]): Promise<Ended> {
    return await inProcess(args, { cwd: this.dir.path, env: this.env() })
  }

  /** A daemon whose log tells everything, with a short way to what a test waits for. */
  run(...args: readonly string[]): Cli {
    return this.cli(['run', '--log-level', 'debug', '--set', 'poll.interval=50ms', ...args])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.emulator.close()
    this.dir[Symbol.dispose]()
  }
}

/** The log lines of a daemon. */
export function logLines(stdout: string): readonly Readonly<Record<string, unknown>>[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

export function handler(body: string): string {
  return `export default async (clink, ctx) => {\n${body}\n}\n`
}
