import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { times } from '../worker/record.ts'
import { until } from '../worker/until.ts'
import { Site } from './command.ts'

const cli = join(import.meta.dirname, '../../src/cli.ts')
const NAMESPACE = ['--pid', '--fork', '--kill-child', '--mount-proc']

const handler = `
import { appendFileSync } from 'node:fs'
import { defineHandler } from 'clink-worker'

export default defineHandler(async (clink, ctx) => {
  appendFileSync(process.env['NOTES'] ?? '', process.pid + ' ' + ctx.attempt + '\\n')
  if (ctx.attempt === 1) await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
  return 'done'
})
`

/** A worker as the first process of a container: `await using`. */
class Contained implements AsyncDisposable {
  output = ''
  readonly #unshare: ChildProcess
  readonly #ended: Promise<unknown>

  constructor(site: Site) {
    const { PATH = '' } = process.env
    const env = { PATH, CLINK_API_URL: site.emulator.url, CLINK_API_KEY: site.emulator.key, NOTES: site.notes }
    const args = [...NAMESPACE, process.execPath, cli, 'run']
    this.#unshare = spawn('unshare', args, { cwd: site.directory, env, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#unshare.stdout, this.#unshare.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text))
    this.#ended = new Promise((resolve) => this.#unshare.on('close', resolve))
  }

  /** Kills what is process 1 inside. */
  async kill(): Promise<void> {
    const { pid = 0 } = this.#unshare
    const [child = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
    if (child !== '') process.kill(Number(child), 'SIGKILL')
    await this.#ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#unshare.exitCode === null && this.#unshare.signalCode === null) await this.kill()
  }
}

it(
  'P9, §7: killed as process 1 of a container, the next one is up within 5 s on the same state and holds on to its claims',
  { timeout: 60_000 },
  async (context) => {
    const tried = spawnSync('unshare', [...NAMESPACE, 'true'], { encoding: 'utf8' })
    if (tried.status !== 0) context.skip(`no PID namespace here: ${tried.error?.message ?? tried.stderr.trim()}`)
    await using site = await Site.open({ handler, config: 'concurrency: 5\n' })
    const ids = site.sendMany(3)
    await using first = new Contained(site)
    await until(
      async () => (await site.noted()).length === 3,
      () => `all run:\n${first.output}`,
    )
    await first.kill()
    await using second = new Contained(site)
    await until(
      () => second.output.includes('worker.started'),
      () => `the next one is loaded:\n${second.output}`,
    )
    const start = performance.now()
    await until(
      () => second.output.includes('worker.ready'),
      () => `the next one is up:\n${second.output}`,
    )
    // On top of that, what Node takes to load.
    expect(performance.now() - start).toBeLessThan(5_000)
    await until(
      () => ids.every((id) => site.emulator.clink(id)?.status === 'completed'),
      () => `it does the work:\n${second.output}`,
    )

    for (const id of ids) expect(times(site.emulator, id, 'claimed')).toBe(1)
    expect((await site.noted()).sort()).toEqual(['1 1', '1 1', '1 1', '1 2', '1 2', '1 2'])
  },
)
