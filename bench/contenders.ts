import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { endsWithThis } from './children.ts'
import { cpuOf } from './processor-time.ts'

export interface Sample {
  readonly perSecond: number
  /** Microseconds of CPU a clink, of all threads. */
  readonly cpu: number
  readonly polls: number
  readonly rss: number
}

/** One worker, or several, or a loop, and the service that is its own. */
export class Contender {
  readonly name: string
  readonly #service: ChildProcess
  readonly #clients: readonly ChildProcess[]

  private constructor(name: string, service: ChildProcess, clients: readonly ChildProcess[]) {
    this.name = name
    this.#service = service
    this.#clients = clients
  }

  /** @param lease seconds that the service gives a claim. @param latency milliseconds that it takes to answer. @param senders so many there are. */
  static async start(
    name: string,
    begin: (url: string) => ChildProcess | readonly ChildProcess[],
    {
      latency = 0,
      lease = 300,
      senders = 1,
    }: { readonly latency?: number; readonly lease?: number; readonly senders?: number } = {},
  ): Promise<Contender> {
    const server = new URL('work-server.ts', import.meta.url)
    const service = endsWithThis(fork(server, [String(lease), String(latency), String(senders)]))
    const [{ port }] = (await once(service, 'message')) as [{ port: number }]
    return new Contender(name, service, [begin(`http://127.0.0.1:${port}`)].flat())
  }

  /** Microseconds of CPU that the clients have used. */
  get cpu(): number {
    return sum(this.#clients, ({ pid }) => cpuOf(pid))
  }

  /** MiB. */
  get rss(): number {
    return (
      sum(this.#clients, ({ pid }) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])) /
      1_024
    )
  }

  async work(clinks: number): Promise<Sample> {
    const before = this.cpu
    this.#service.send(clinks)
    const [{ seconds, polls }] = (await once(this.#service, 'message')) as [{ seconds: number; polls: number }]
    return { perSecond: clinks / seconds, cpu: (this.cpu - before) / clinks, polls: polls / clinks, rss: this.rss }
  }

  /** Gives so many out, which it does not complete. */
  async hold(clinks: number): Promise<void> {
    this.#service.send(clinks)
    while ((await this.#counts()).held < clinks) await sleep(100)
  }

  /** How many there were. */
  async renewals(): Promise<number> {
    return (await this.#counts()).renewals
  }

  async #counts(): Promise<{ readonly held: number; readonly renewals: number }> {
    this.#service.send('counts')
    const [counts] = (await once(this.#service, 'message')) as [{ held: number; renewals: number }]
    return counts
  }

  async end(): Promise<void> {
    const ended = this.#clients.map(async (client) => await once(client, 'exit'))
    for (const client of this.#clients) client.kill('SIGTERM')
    await Promise.all(ended)
    this.#service.disconnect()
  }
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((all, item) => all + of(item), 0)
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

/** Where everything of one run is. */
export const directory = mkdtempSync(join(tmpdir(), 'clink-worker-bench-'))
writeFileSync(join(directory, 'package.json'), '{"type":"module"}')

export interface WorkerOptions {
  /** Of Node's own. */
  readonly flags?: readonly string[]
  readonly runner?: 'inline' | 'thread'
  /** `off`: it has no HTTP server; `watched`: it has one, and a page of the dashboard is open. Default: as it is by default, with a port of its own. */
  readonly server?: 'on' | 'off' | 'watched'
  /** What its handlers do. Default: nothing. */
  readonly handler?: string
  /** How long claims are to last, and how often it polls. */
  readonly claim?: string
  readonly poll?: string
  /** How it claims. */
  readonly inbox?: 'auto' | 'batch'
  /** The address of the store that it shares. */
  readonly store?: string
}

const NOTHING = 'export default () => undefined\n'

/** The built worker with its journal, and its log in a file. */
export function worker(
  url: string,
  atOnce: number,
  {
    flags = [],
    runner = 'inline',
    server = 'on',
    handler = NOTHING,
    claim = '5m',
    poll = '20ms',
    inbox = 'auto',
    store,
  }: WorkerOptions = {},
): ChildProcess {
  const home = mkdtempSync(join(directory, 'worker-'))
  mkdirSync(join(home, 'handlers'))
  writeFileSync(join(home, 'handlers', 'all.js'), handler)
  writeFileSync(
    join(home, 'config.yaml'),
    `clink: { url: ${url}, key: sk_live_u_1 }
concurrency: ${atOnce}
handlers: { runner: ${runner} }
claim: { timeout: ${claim} }
poll: { interval: ${poll}, maxInterval: ${poll} }
inbox: { claim: ${inbox} }
state: { directory: ${join(home, 'state')}${store === undefined ? '' : `, url: ${JSON.stringify(store)}`} }
server: { enabled: ${server !== 'off'}, port: 0 }
log: { format: json }
`,
  )
  const log = openSync(join(home, 'log'), 'w')
  const cli = new URL('../dist/cli.js', import.meta.url).pathname
  const args = [...flags, cli, 'run', '--config', join(home, 'config.yaml')]
  const child = endsWithThis(spawn(process.execPath, args, { stdio: ['ignore', log, 'inherit'] }))
  if (server === 'watched') void watch(join(home, 'log'))
  return child
}

/** Reads all that an open page is told, and does nothing with it. */
async function watch(log: string): Promise<void> {
  let url: string | undefined
  while (url === undefined) {
    await sleep(50)
    url = /"event":"server\.listening".*?"url":"([^"]+)"/.exec(readFileSync(log, 'utf8'))?.[1]
  }
  const { body } = await fetch(`${url}/api/events`)
  // It ends with the worker.
  await body?.pipeTo(new WritableStream()).catch(() => {})
}

/** A loop of nothing but requests. */
export function loop(client: string, url: string, atOnce: number): ChildProcess {
  const script = new URL('work-loops.ts', import.meta.url).pathname
  return endsWithThis(spawn(process.execPath, [script, client, url, String(atOnce)], { stdio: 'inherit' }))
}
