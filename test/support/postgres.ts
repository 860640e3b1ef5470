import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, type TestContext } from 'vitest'

const run = promisify(execFile)
const DEBIAN = '/usr/lib/postgresql'
const USER = 'postgres'
/** What each of a cluster's servers does without: speed is all that a test wants of a disk. */
const SETTINGS = ['fsync=off', 'shared_buffers=16MB', 'max_connections=60', 'listen_addresses=', 'timezone=UTC']

/** Where the programs of a server are; undefined: none is installed. */
function programs(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : []
  return versions.map((version) => join(DEBIAN, version, 'bin')).find((path) => existsSync(join(path, 'initdb')))
}

/** Whether a server can be run here. */
const hasPostgres = programs() !== undefined && process.getuid?.() === 0

/** Debian's package `postgresql` has it (`npm run test:prepare`). Without it, or without root to leave for its user, the test is skipped. */
export function needPostgres(context: Pick<TestContext, 'skip'>): void {
  if (programs() === undefined) context.skip('PostgreSQL is not there: npm run test:prepare installs it')
  if (process.getuid?.() !== 0) context.skip('only root can run a server of PostgreSQL as its user')
}

/** One that runs while the tests of a file do, where a server can be run. */
export function clusterOfFile(): Cluster {
  const cluster = new Cluster()
  beforeAll(async () => (hasPostgres ? await cluster.start() : undefined), 60_000)
  afterAll(async () => await cluster.remove())
  return cluster
}

export interface ClusterOptions {
  readonly settings?: readonly string[]
  /** The command by which its server is started, in a network of its own, say. */
  readonly through?: readonly string[]
}

/**
 * A cluster of its own in a temporary directory, reached by a socket in it without a password. It ends with `stop`, and is gone with `remove`.
 */
export class Cluster {
  readonly directory = mkdtempSync(join(tmpdir(), 'clink-worker-postgres-'))
  readonly #options: ClusterOptions
  #server: ChildProcess | undefined
  #ended: Promise<unknown> = Promise.resolve()
  #databases = 0

  constructor(options: ClusterOptions = {}) {
    this.#options = options
  }

  /** Of the process that has started the others. */
  get pid(): number | undefined {
    return this.#server?.pid
  }

  async start(): Promise<void> {
    const bin = programs() ?? ''
    const data = join(this.directory, 'data')
    if (!existsSync(data)) {
      chmodSync(this.directory, 0o755)
      await run('chown', [USER, this.directory])
      const login = ['--auth-local=trust', '--auth-host=scram-sha-256']
      await this.#as(join(bin, 'initdb'), ['--no-sync', ...login, '--encoding=UTF8', '--locale=C', '-D', data])
    }
    const settings = [...SETTINGS, ...(this.#options.settings ?? [])].flatMap((setting) => ['-c', setting])
    const args = [...asUser, join(bin, 'postgres'), '-D', data, '-k', this.directory, ...settings]
    const [program, ...before] = [...(this.#options.through ?? []), 'setpriv']
    const server = spawn(program, [...before, ...args], { stdio: 'ignore' })
    this.#server = server
    this.#ended = new Promise((resolve) => server.once('exit', resolve))
    for (;;) {
      const isReady = await run(join(bin, 'pg_isready'), ['-h', this.directory, '-U', USER]).then(
        () => true,
        () => false,
      )
      if (isReady) return
      if (server.exitCode !== null) throw new Error(`postgres has ended with ${server.exitCode}`)
      await delay(20)
    }
  }

  /** A database that nobody has used. */
  async database(): Promise<string> {
    this.#databases += 1
    const name = `test_${this.#databases}`
    await this.sql(`CREATE DATABASE ${name}`, 'postgres')
    return `postgresql://${USER}@/${name}?host=${this.directory}`
  }

  async sql(text: string, database: string): Promise<string> {
    const url = database.includes('://') ? database : `postgresql://${USER}@/${database}?host=${this.directory}`
    const { stdout } = await run(join(programs() ?? '', 'psql'), ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-c', text, url])
    return stdout.trim()
  }

  /** @param how SIGINT: its clients are cut off; SIGQUIT: as by a crash. */
  async stop(how: 'SIGINT' | 'SIGQUIT' = 'SIGQUIT'): Promise<void> {
    this.#server?.kill(how)
    await this.#ended
  }

  async remove(): Promise<void> {
    await this.stop()
    rmSync(this.directory, { recursive: true, force: true })
  }

  async #as(program: string, args: readonly string[]): Promise<void> {
    await run('setpriv', [...asUser, program, ...args])
  }
}

const asUser = [`--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', '--']
