import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { mkdir, mkdtemp, rmdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { TestContext } from 'vitest'
import { datagramAddOn } from '../../src/host/notify.ts'
import { until } from './until.ts'

const root = join(import.meta.dirname, '../..')
const NAMESPACES = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--uts', '--ipc']

/** Where the project and Node are in there. */
export const INSIDE = { project: '/srv/clink-worker', node: '/srv/node', cli: '/srv/clink-worker/dist/cli.js' } as const

/** Whole systems that a systemd can be run in: this machine's own, and what `npm run test:prepare` puts there. */
export const TREES = { 'this machine': '/', 'Debian 13': '/var/lib/clink-worker-tests/debian-13' } as const

/** Skips the test where systemd cannot be run in namespaces. */
export function needSystemd(context: TestContext, tree = '/'): void {
  if (process.getuid?.() !== 0) context.skip('only root can run the manager of a system')
  if (!existsSync(join(tree, 'lib/systemd/systemd'))) {
    context.skip(
      tree === '/'
        ? 'there is no systemd here: npm run test:prepare'
        : `there is no system in ${tree}: npm run test:prepare`,
    )
  }
  if (datagramAddOn() === undefined) context.skip('the optional node-unix-socket is not installed here')
  const tried = spawnSync('unshare', [...NAMESPACES, '--cgroup', 'mount', '-t', 'tmpfs', 'tmpfs', '/tmp'], {
    encoding: 'utf8',
  })
  if (tried.status !== 0) context.skip(`no namespaces here: ${tried.error?.message ?? tried.stderr.trim()}`)
}

/**
 * A whole systemd, as process 1 of namespaces of its own: `await using`. It knows no units but those that the test writes. What it writes to is
 * a file system of its own, but for the network nothing is shared with the machine.
 */
export class SystemManager implements AsyncDisposable {
  /** What systemd itself says. */
  said = ''
  readonly #unshare: ChildProcess
  readonly #group: string
  readonly #ended: Promise<unknown>
  #pid = 0

  private constructor(tree: string) {
    this.#group = `clink-worker-test-${process.pid}-${Math.random().toString(36).slice(2, 8)}`
    const script = join(import.meta.dirname, 'system-manager.sh')
    const args = [...NAMESPACES, 'sh', script, this.#group, tree, root, process.execPath]
    this.#unshare = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#unshare.stdout, this.#unshare.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.said += text))
    this.#ended = new Promise((resolve) => this.#unshare.on('close', resolve))
  }

  /** @param tree a directory with a whole system to run it in. Default: this machine's own. */
  static async start(tree = '/'): Promise<SystemManager> {
    const manager = new SystemManager(tree)
    try {
      await until(
        async () => manager.#find() !== 0 && (await manager.run('systemctl', 'is-active', 'tests.target')).code === 0,
        () => `systemd is up:\n${manager.said}`,
      )
    } catch (error) {
      await manager[Symbol.asyncDispose]()
      throw error
    }
    return manager
  }

  /** A path of its file system, as this process reaches it. */
  path(inside: string): string {
    return `/proc/${this.#pid}/root${inside}`
  }

  async write(files: Readonly<Record<string, string>>, mode = 0o644): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(this.path(name)), { recursive: true })
      await writeFile(this.path(name), text, { mode })
    }
  }

  /** Runs a program in there, as root. */
  async run(...command: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const namespaces = ['-t', String(this.#pid), '-m', '-p', '-C', '-u', '-i', '-r', '-w']
    const ran = promisify(execFile)('nsenter', [...namespaces, ...command], {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    })
    return await ran.then(
      ({ stderr, stdout }) => ({ code: 0, stdout, stderr }),
      (error: { code?: unknown; stdout?: string; stderr?: string }) => ({
        code: typeof error.code === 'number' ? error.code : -1,
        stdout: error.stdout ?? '',
        stderr: error.stderr ?? 'it was not run',
      }),
    )
  }

  /** As `run`. @throws what it said where it failed. */
  async must(...command: readonly string[]): Promise<string> {
    const { code, stderr, stdout } = await this.run(...command)
    if (code !== 0)
      throw new Error(`${command.join(' ')}: ${code}\n${stdout}\n${stderr}\n${await this.log('clink-worker')}`)
    return stdout
  }

  async property(unit: string, name: string): Promise<string> {
    return (await this.must('systemctl', 'show', '--value', `--property=${name}`, unit)).trim()
  }

  /** What a service said, line by line. */
  async log(unit: string, ...args: readonly string[]): Promise<string> {
    return (await this.run('journalctl', '--no-pager', '--output=cat', `--unit=${unit}`, ...args)).stdout
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // With process 1 goes all that it started.
    if (this.#find() !== 0) process.kill(this.#pid, 'SIGKILL')
    else this.#unshare.kill('SIGKILL')
    await this.#ended
    await removeGroup(this.#group)
  }

  /** Process 1, once it is systemd. */
  #find(): number {
    const { pid = 0 } = this.#unshare
    try {
      const [child = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
      if (readFileSync(`/proc/${child}/comm`, 'utf8').trim() === 'systemd') this.#pid = Number(child)
    } catch {
      // It has not started, or has ended.
    }
    return this.#pid
  }
}

async function removeGroup(name: string): Promise<void> {
  const mounted = await mkdtemp(join(tmpdir(), 'clink-worker-groups-'))
  spawnSync('mount', ['-t', 'cgroup2', 'cgroup2', mounted])
  try {
    await until(() => isRemoved(join(mounted, name)), `the control groups of ${name} are empty`)
  } finally {
    spawnSync('umount', [mounted])
    await rmdir(mounted)
  }
}

/** Groups go from the innermost outwards, as soon as nothing runs in them. */
function isRemoved(group: string): boolean {
  try {
    const inner = readdirSync(group, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    if (!inner.every(({ name }) => isRemoved(join(group, name)))) return false
    rmdirSync(group)
    return true
  } catch {
    return !existsSync(group)
  }
}
