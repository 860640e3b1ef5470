import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestContext } from 'vitest'
import { parse } from 'yaml'
import { built } from './program.ts'
import { Cluster, needPostgres } from './postgres.ts'
import { surroundings } from './surroundings.ts'
import { TempDir } from './temp-dir.ts'
import { until } from './until.ts'

interface Service {
  readonly image?: string
  readonly build?: { readonly context: string }
  readonly entrypoint?: readonly string[]
  readonly command?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly deploy?: { readonly replicas: number }
  readonly environment?: Readonly<Record<string, string>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly stop_grace_period?: string
  readonly volumes?: readonly string[]
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const deploy = join(root, 'deploy')

/** What deploy/compose.yaml says where nobody sets a variable. */
export function composedServices(): Readonly<Record<string, Service>> {
  const text = readFileSync(join(deploy, 'compose.yaml'), 'utf8')
  const plain = text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1').replaceAll('$$', '$')
  return (parse(plain) as { services: Record<string, Service> }).services
}

/** Skips the test where this machine cannot play an engine. */
export function needComposed(context: TestContext): void {
  needPostgres(context)
  const tried = spawnSync('unshare', ['--net', '--mount', '--uts', 'ip', 'link', 'set', 'lo', 'up'], {
    encoding: 'utf8',
  })
  if (tried.status !== 0) context.skip(`no network namespace here: ${tried.error?.message ?? tried.stderr.trim()}`)
}

/** What the image has of its own. */
function ofImage(word: string): readonly string[] {
  const text = readFileSync(join(root, 'Dockerfile'), 'utf8')
  return JSON.parse(new RegExp(`^${word} .*?(\\[.*\\])$`, 'm').exec(text)?.[1] ?? '[]') as string[]
}

/** What a process was told to write, and how it ended. */
interface Ended {
  readonly code: number | null
  readonly output: string
}

async function endOf(command: readonly string[]): Promise<Ended> {
  const [program = '', ...args] = command
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  return await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
  })
}

/** A container of a service as a process, with a name of its own for its host. */
export class Replica {
  output = ''
  readonly ended: Promise<number | null>
  readonly name: string
  /** What each command in it begins with. */
  readonly #inside: readonly string[]
  readonly #process: ChildProcess

  /** @param through the command by which it is started. */
  constructor(name: string, service: Service, directory: string, through: readonly string[]) {
    this.name = name
    const mounted = service.volumes?.map((volume) => volume.split(':')).find(([, to]) => to === '/etc/clink-worker')
    const place = join(deploy, mounted?.[0] ?? '.')
    const state = join(directory, name)
    mkdirSync(state)
    const env = {
      ...surroundings,
      PATH: `${directory}:${dirname(process.execPath)}:${process.env['PATH']}`,
      STATE_DIRECTORY: state,
      ...(existsSync(join(place, 'config.yaml')) && { CLINK_WORKER_CONFIG: join(place, 'config.yaml') }),
      ...service.environment,
    }
    const pairs = Object.entries(env).map((pair) => pair.join('='))
    const host = ['unshare', '--uts', 'sh', '-c', 'hostname "$0" && exec "$@"', name]
    this.#inside = [...through, ...host, 'env', '-i', `--chdir=${place}`, ...pairs]
    const entry = service.entrypoint ?? ofImage('ENTRYPOINT').with(1, built)
    const [program = '', ...args] = [...this.#inside, ...entry, ...(service.command ?? ofImage('CMD'))]
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process = child
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text))
    this.ended = new Promise((resolve) => child.on('close', resolve))
  }

  /** As `docker compose exec`. @param env what its environment has beside, or instead of, the usual. */
  async exec(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    return await endOf([...this.#inside, ...Object.entries(env).map((pair) => pair.join('=')), ...command])
  }

  signal(name: 'SIGTERM' | 'SIGKILL'): void {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill(name)
  }
}

/**
 * deploy/compose.yaml on a machine without an engine: `await using`. Each service is a process with the command, the environment and the check of the file,
 * in a network of its own where services find each other by name. What an engine shuts off, and where it mounts, is not looked at.
 */
export class Composed implements AsyncDisposable {
  readonly #replicas = new Map<string, readonly Replica[]>()
  readonly #directory = new TempDir()
  readonly #network: ChildProcess
  readonly #cluster: Cluster
  readonly #through: readonly string[]

  private constructor(network: ChildProcess) {
    this.#network = network
    this.#through = ['nsenter', '--target', String(network.pid), '--net', '--mount']
    this.#cluster = new Cluster({ through: this.#through, settings: ['listen_addresses=*'] })
    const program = join(this.#directory.path, 'clink-worker')
    writeFileSync(program, `#!/bin/sh\nexec node ${built} "$@"\n`, { mode: 0o755 })
  }

  static async up(): Promise<Composed> {
    using files = new TempDir()
    const services = Object.entries(composedServices())
    const names = services.map(([name]) => name).join(' ')
    const hosts = join(await files.write({ hosts: `127.0.0.1 localhost ${names}\n` }), 'hosts')
    const script = 'ip link set lo up && mount --bind "$0" /etc/hosts && echo made && exec sleep infinity'
    const network = spawn('unshare', ['--net', '--mount', 'sh', '-c', script, hosts], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(network.stdout, 'data')
    const composed = new Composed(network)
    try {
      for (const [name, service] of services) {
        for (const other of Object.keys(service.depends_on ?? {})) await composed.#healthy(other)
        await composed.#start(name, service)
      }
    } catch (error) {
      await composed[Symbol.asyncDispose]()
      throw error
    }
    return composed
  }

  /** @param index from 1 on, as an engine counts. */
  replica(name: string, index = 1): Replica {
    const found = this.#replicas.get(name)?.[index - 1]
    if (found === undefined) throw new Error(`there is no ${name} ${index}`)
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#replicas.values()].flat()
    for (const replica of all) replica.signal('SIGKILL')
    await Promise.all(all.map(async ({ ended }) => await ended))
    await this.#cluster.remove()
    this.#network.kill('SIGKILL')
    this.#directory[Symbol.dispose]()
  }

  async #start(name: string, service: Service): Promise<void> {
    if (service.image !== undefined) return await this.#startDatabase(service)
    const numbers = Array.from({ length: service.deploy?.replicas ?? 1 }, (_, index) => index + 1)
    const made = numbers.map((n) => new Replica(`${name}-${n}`, service, this.#directory.path, this.#through))
    this.#replicas.set(name, made)
  }

  /** As the image of PostgreSQL does: the role and the database that its environment names. */
  async #startDatabase({ environment = {} }: Service): Promise<void> {
    await this.#cluster.start()
    const { POSTGRES_DB, POSTGRES_PASSWORD, POSTGRES_USER } = environment
    await this.#cluster.sql(`CREATE ROLE ${POSTGRES_USER} LOGIN SUPERUSER PASSWORD '${POSTGRES_PASSWORD}'`, 'postgres')
    await this.#cluster.sql(`CREATE DATABASE ${POSTGRES_DB} OWNER ${POSTGRES_USER}`, 'postgres')
  }

  async #healthy(name: string): Promise<void> {
    const { healthcheck } = composedServices()[name] ?? {}
    const [kind, ...command] = healthcheck?.test ?? ['CMD', ...ofImage('HEALTHCHECK')]
    if (kind !== 'CMD') throw new Error(`the check of ${name} is no list of arguments`)
    const replicas = this.#replicas.get(name)
    const asks = replicas?.map((one) => async () => await one.exec(command)) ?? [
      async () => await endOf([...this.#through, ...command]),
    ]
    for (const ask of asks) {
      let last: Ended | undefined
      const isWell = async (): Promise<boolean> => (last = await ask()).code === 0
      const said = (): string =>
        `${name} is healthy: ${last?.output}\n${replicas?.map(({ output }) => output).join('\n')}`
      await until(isWell, said)
    }
  }
}
