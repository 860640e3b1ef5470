/**
 * What a clink costs: the built worker, with its journal and its log, beside bare loops that claim and complete and do nothing else, each
 * against a cheap service in a process of its own. In turn, several rounds; the ratios are what to look at. Run: npm run bench
 */
import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const {
  quick,
  rounds: wanted,
  clinks: many,
} = parseArgs({
  options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' }, clinks: { type: 'string' } },
}).values
const ROUNDS = Number(wanted ?? (quick ? 3 : 5))
const CLINKS = Number(many ?? (quick ? 2_000 : 10_000))
/** Of these processors' time the system counts hundredths of seconds. */
const TICK_MICROSECONDS = 10_000

interface Sample {
  readonly perSecond: number
  /** Microseconds of CPU a clink, of all threads. */
  readonly cpu: number
  readonly polls: number
  readonly rss: number
}

/** One worker, or loop, and the service that is its own. */
class Contender {
  readonly name: string
  readonly #service: ChildProcess
  readonly #client: ChildProcess

  private constructor(name: string, service: ChildProcess, client: ChildProcess) {
    this.name = name
    this.#service = service
    this.#client = client
  }

  static async start(name: string, begin: (url: string) => ChildProcess): Promise<Contender> {
    const service = fork(new URL('work-server.ts', import.meta.url))
    const [{ port }] = (await once(service, 'message')) as [{ port: number }]
    return new Contender(name, service, begin(`http://127.0.0.1:${port}`))
  }

  /** Microseconds of CPU that the client has used. */
  get #cpu(): number {
    const fields = readFileSync(`/proc/${this.#client.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * TICK_MICROSECONDS
  }

  get #rss(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.#client.pid}/status`, 'utf8'))?.[1]) / 1_024
  }

  async work(clinks: number): Promise<Sample> {
    const before = this.#cpu
    this.#service.send(clinks)
    const [{ seconds, polls }] = (await once(this.#service, 'message')) as [{ seconds: number; polls: number }]
    return { perSecond: clinks / seconds, cpu: (this.#cpu - before) / clinks, polls: polls / clinks, rss: this.#rss }
  }

  end(): void {
    this.#client.kill('SIGTERM')
    this.#client.once('exit', () => this.#service.disconnect())
  }
}

const directory = mkdtempSync(join(tmpdir(), 'clink-worker-bench-'))
writeFileSync(join(directory, 'package.json'), '{"type":"module"}')

function worker(url: string, atOnce: number): ChildProcess {
  const home = mkdtempSync(join(directory, 'worker-'))
  mkdirSync(join(home, 'handlers'))
  writeFileSync(join(home, 'handlers', 'all.js'), 'export default () => undefined\n')
  writeFileSync(
    join(home, 'config.yaml'),
    `clink: { url: ${url}, key: sk_live_u_1 }
concurrency: ${atOnce}
poll: { interval: 20ms, maxInterval: 20ms }
state: { directory: ${join(home, 'state')} }
log: { format: json }
`,
  )
  const log = openSync(join(home, 'log'), 'w')
  const cli = new URL('../dist/cli.js', import.meta.url).pathname
  return spawn(process.execPath, [cli, 'run', '--config', join(home, 'config.yaml')], {
    stdio: ['ignore', log, 'inherit'],
  })
}

function loop(client: string, url: string, atOnce: number): ChildProcess {
  const script = new URL('work-loops.ts', import.meta.url).pathname
  return spawn(process.execPath, [script, client, url, String(atOnce)], { stdio: 'inherit' })
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

for (const atOnce of [10, 50]) {
  const contenders = await Promise.all([
    Contender.start('undici loop', (url) => loop('undici', url, atOnce)),
    Contender.start('got loop', (url) => loop('got', url, atOnce)),
    Contender.start('clink-worker', (url) => worker(url, atOnce)),
  ])
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const contender of contenders) {
      const sample = await contender.work(CLINKS)
      if (round > 0) samples.get(contender.name)?.push(sample)
    }
  }
  for (const contender of contenders) contender.end()
  const of = (name: string, what: keyof Sample): number =>
    median((samples.get(name) ?? []).map((sample) => sample[what]))
  console.log(
    `\n${atOnce} at once, ${CLINKS} clinks, ${ROUNDS} rounds   per second    CPU µs   polls a clink   RSS MiB   of the undici loop`,
  )
  for (const { name } of contenders) {
    const rate = of(name, 'perSecond') / of('undici loop', 'perSecond')
    const cost = of(name, 'cpu') / of('undici loop', 'cpu')
    const spread = (samples.get(name) ?? []).map(({ perSecond }) => perSecond)
    console.log(
      name.padEnd(40),
      of(name, 'perSecond').toFixed(0).padStart(10),
      of(name, 'cpu').toFixed(0).padStart(9),
      of(name, 'polls').toFixed(2).padStart(15),
      of(name, 'rss').toFixed(0).padStart(9),
      `  ${rate.toFixed(2)} of its rate, ${cost.toFixed(1)} × its CPU (${Math.min(...spread).toFixed(0)}–${Math.max(...spread).toFixed(0)} a second)`,
    )
  }
}
rmSync(directory, { recursive: true })
