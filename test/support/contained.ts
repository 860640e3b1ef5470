import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { TestContext } from 'vitest'
import type { Site } from './command.ts'
import { built } from './program.ts'
import { surroundings } from './surroundings.ts'

const NAMESPACE = ['--pid', '--fork', '--kill-child', '--mount-proc']

/** Skips the test where this machine lets nobody have process numbers of their own. */
export function needContainers(context: TestContext): void {
  const tried = spawnSync('unshare', [...NAMESPACE, 'true'], { encoding: 'utf8' })
  if (tried.status !== 0) context.skip(`no PID namespace here: ${tried.error?.message ?? tried.stderr.trim()}`)
}

/** A worker as the first process of a container: `await using`. */
export class Contained implements AsyncDisposable {
  output = ''
  readonly #unshare: ChildProcess
  readonly ended: Promise<unknown>

  constructor(site: Site) {
    const env = { ...surroundings, ...site.env }
    const args = [...NAMESPACE, process.execPath, built, 'run']
    this.#unshare = spawn('unshare', args, { cwd: site.directory, env, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#unshare.stdout, this.#unshare.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text))
    this.ended = new Promise((resolve) => this.#unshare.on('close', resolve))
  }

  /** Kills what is process 1 inside. */
  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.ended
  }

  signal(name: NodeJS.Signals): void {
    const { pid = 0 } = this.#unshare
    const [child = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
    if (child !== '') process.kill(Number(child), name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#unshare.exitCode === null && this.#unshare.signalCode === null) await this.kill()
  }
}
