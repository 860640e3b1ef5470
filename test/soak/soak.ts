import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { cpuOf } from '../../bench/processor-time.ts'
import { linkToWorker, type Link } from '../../src/control/client.ts'
import { TempDir } from '../support/temp-dir.ts'
import { judge, type Growth, type Sample } from './judge.ts'
import { config, files, threadHandler } from './mix.ts'

const MEBI = 1_048_576
/** Of so many dead letters that are run again one is discarded: what is discarded is remembered for a day and `state.keep`. */
const RETRIED = 50
/** What reloads alone leave is measured by `npm run bench:reloads`. */
const RELOADS_A_ROUND = 1

/** Milliseconds after which a round counts as hanging. */
const ROUND_WITHIN = 600_000

type Counts = Readonly<Record<string, number>>

export interface SoakOptions {
  readonly clinks: number
  readonly rounds: number
  /** Numbers that a handler keeps of each clink. */
  readonly leaked?: number
  /** Flags of Node. */
  readonly flags?: readonly string[]
  readonly say?: (sample: Sample) => void
}

export interface Soaked {
  readonly growth: readonly Growth[]
  readonly exitCode: number | null
  /** Dead letters that were run again, those that were discarded, and reloads. */
  readonly acts: { retried: number; discarded: number; reloads: number }
  /** What the service saw: clinks completed, clinks sent, and what it refused. */
  readonly service: Counts
}

/** One worker as it is built, that works a mix of clinks in rounds and is looked at after each, when nothing is left to do. */
export async function soak(options: SoakOptions): Promise<Soaked> {
  const { clinks, leaked = 0, rounds, say = (): void => {} } = options
  using directory = new TempDir()
  const service = fork(new URL('service.ts', import.meta.url))
  const [{ port }] = (await once(service, 'message')) as [{ port: number }]
  const url = `http://127.0.0.1:${port}`
  await directory.write(files(url, leaked))
  const worker = new Soaking(directory.path, url, options.flags ?? [])
  try {
    await worker.begun()
    const samples: Sample[] = []
    let seen: Counts = {}
    for (let round = 1; round <= rounds; round += 1) {
      const many = Math.floor((clinks * round) / rounds) - Math.floor((clinks * (round - 1)) / rounds)
      const before = worker.spent()
      seen = await playRound(worker, service, many)
      const sample = await worker.sample(seen['completed'] ?? 0, many, before)
      samples.push(sample)
      say(sample)
    }
    return { growth: judge(samples), exitCode: await worker.stop(), acts: worker.acts, service: seen }
  } finally {
    await worker.stop()
    service.disconnect()
  }
}

/** Ends when all clinks of the round are completed, those as well that became dead letters and were run again. */
async function playRound(worker: Soaking, service: ChildProcess, clinks: number): Promise<Counts> {
  const late = performance.now() + ROUND_WITHIN
  const completed = once(service, 'message') as Promise<[Counts]>
  const ended: { counts?: Counts } = {}
  void completed.then(([counts]) => (ended.counts = counts))
  service.send(clinks)
  for (let n = 0; n < RELOADS_A_ROUND; n += 1) await worker.reload()
  while (ended.counts === undefined || (await worker.hasLetters())) {
    if (performance.now() > late) throw new Error(`a round does not end; ${await worker.lastWords(service)}`)
    await delay(200)
    await worker.actOnLetters()
  }
  return ended.counts
}

interface Spent {
  readonly cpu: number
  readonly log: number
  readonly clinkLogs: number
}

class Soaking {
  readonly acts = { retried: 0, discarded: 0, reloads: 0 }
  readonly #directory: string
  readonly #url: string
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  #link: Link | undefined
  #logged = 0
  #beginning = ''
  #end = ''

  constructor(directory: string, url: string, flags: readonly string[]) {
    this.#directory = directory
    this.#url = url
    const cli = new URL('../../dist/cli.js', import.meta.url).pathname
    const all = [...flags, '--expose-gc', '--import', join(directory, 'reporter.mjs')]
    this.#child = spawn(process.execPath, [...all, cli, 'run', '--config', 'config.yaml'], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    })
    this.#exited = once(this.#child, 'exit')
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#logged += chunk.length
      this.#end = chunk.toString().slice(-2_000)
      if (this.#beginning.length < 20_000) this.#beginning += chunk.toString()
    })
  }

  get #metricsUrl(): string | undefined {
    return /"event":"server\.listening".*?"url":"([^"]+)"/.exec(this.#beginning)?.[1]
  }

  get #state(): string {
    return join(this.#directory, 'state')
  }

  async begun(): Promise<void> {
    while (this.#metricsUrl === undefined || !existsSync(join(this.#state, 'control.sock'))) {
      this.mustBeThere()
      await delay(50)
    }
    const link = await linkToWorker(this.#state)
    if (link instanceof Error) throw link
    this.#link = link
  }

  mustBeThere(): void {
    const { exitCode, signalCode } = this.#child
    if (exitCode !== null || signalCode !== null)
      throw new Error(`the worker has ended (${exitCode ?? signalCode}); its last words: ${this.#end}`)
  }

  get #asked(): Link {
    if (this.#link === undefined) throw new Error('the worker has not begun')
    return this.#link
  }

  /** The handler of threads is another one, and so is the configuration. */
  async reload(): Promise<void> {
    const version = (this.acts.reloads += 1)
    const changed = { 'handlers/thread.js': threadHandler(version), 'config.yaml': config(this.#url, version) }
    for (const [name, text] of Object.entries(changed)) {
      await writeFile(join(this.#directory, `${name}.new`), text)
      await rename(join(this.#directory, `${name}.new`), join(this.#directory, name))
    }
    const { problem } = await this.#asked.ask('reload', { by: 'soak' })
    if (problem !== null) throw new Error(`a reload fails: ${problem}`)
  }

  /** Nearly all are run again, until they end well. */
  async actOnLetters(): Promise<void> {
    const { rows } = await this.#asked.ask('failed.letters', {})
    const retried = rows.filter(({ rerun }) => rerun === undefined).map(({ clink }) => clink.clink_id)
    const isDiscarded = this.acts.retried >= RETRIED * (this.acts.discarded + 1)
    const discarded = isDiscarded ? retried.splice(0, 1) : []
    this.acts.retried += retried.length
    this.acts.discarded += discarded.length
    if (retried.length > 0) await this.#asked.ask('failed.retry', { by: 'soak', ids: retried.slice(0, 500) })
    if (discarded.length > 0) await this.#asked.ask('failed.discard', { by: 'soak', ids: discarded })
  }

  /** Also such as are being run again. */
  async hasLetters(): Promise<boolean> {
    this.mustBeThere()
    return (await this.#asked.ask('failed.letters', {})).rows.length > 0
  }

  /** What it said last, and what is not completed. */
  async lastWords(service: ChildProcess): Promise<string> {
    service.send('left')
    const [{ left }] = (await once(service, 'message')) as [{ left: readonly string[] }]
    return `left are: ${left.join(', ')}; the worker says: ${this.#end}`
  }

  spent(): Spent {
    return { cpu: cpuOf(this.#child.pid), log: this.#logged, clinkLogs: sizeOf(join(this.#state, 'logs')) }
  }

  async sample(clinks: number, many: number, before: Spent): Promise<Sample> {
    const now = this.spent()
    const metrics = (await (await fetch(new URL('/metrics', this.#metricsUrl))).text()).length
    const answered = once(this.#child, 'message') as Promise<
      [Record<'heapUsed' | 'external' | 'late' | 'timers' | 'handles', number>]
    >
    this.#child.send('read')
    const [{ external, handles, heapUsed, late, timers }] = await answered
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')
    return {
      clinks,
      rss: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024,
      heap: heapUsed / MEBI,
      external: external / MEBI,
      descriptors: readdirSync(`/proc/${this.#child.pid}/fd`).length,
      handles,
      timers,
      threads: Number(/Threads:\s+(\d+)/.exec(status)?.[1]),
      journal: sizeOf(this.#state, 'journal') / MEBI,
      metrics,
      log: (now.log - before.log) / many,
      clinkLogs: (now.clinkLogs - before.clinkLogs) / many,
      late,
      cpu: (now.cpu - before.cpu) / many,
    }
  }

  async stop(): Promise<number | null> {
    void this.#link?.close()
    this.#child.kill('SIGTERM')
    await this.#exited
    return this.#child.exitCode
  }
}

/** Bytes of the files of a directory whose names begin so. */
function sizeOf(directory: string, prefix = ''): number {
  if (!existsSync(directory)) return 0
  const names = readdirSync(directory).filter((name) => name.startsWith(prefix))
  return names.reduce((all, name) => all + (statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0), 0)
}
