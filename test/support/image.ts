import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestContext } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
/** Made once and kept: what a base image and the layers of the build are. */
const cache = join(root, 'node_modules/.cache/clink-worker-image')
const tree = join(cache, 'base')
const BASE = 'localhost/clink-worker-base:test'
const TAG = 'localhost/clink-worker:test'
const TOOLS = ['buildah', 'debootstrap', 'unshare', 'chroot']
/** The user of official Node images. */
export const USER = 1_000

/** Skips the test where this machine cannot build an image. */
export function needImages(context: TestContext): void {
  if (process.getuid?.() !== 0) context.skip('only root can build and run an image here')
  const missing = TOOLS.filter((tool) => spawnSync('which', [tool]).status !== 0)
  if (missing.length > 0) context.skip(`${missing.join(', ')} not installed: npm run test:prepare`)
}

/** An image, built by the repository's own command: its configuration and its files. */
export interface Image {
  readonly config: ImageConfig
  readonly files: string
  /** What the command printed last. */
  readonly printed: string
}

interface ImageConfig {
  readonly User: string
  readonly Env: readonly string[]
  readonly Entrypoint: readonly string[]
  readonly Cmd: readonly string[]
  readonly Volumes: object
  readonly Labels: Readonly<Record<string, string>>
  readonly Healthcheck: { readonly Test: readonly string[] }
}

export function buildImage(): Image {
  makeBase()
  const npmrc = join(cache, 'npmrc')
  const registry = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim()
  writeFileSync(npmrc, `registry=${registry}\ncafile=${CERTIFICATES}\n`)
  const args = ['.ci/image.js', '--base', BASE, '--tag', TAG, '--storage', cache, '--npmrc', npmrc]
  const output = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  const { Docker } = JSON.parse(buildah('inspect', '--type', 'image', TAG)) as { Docker: { config: ImageConfig } }
  const container = buildah('from', TAG).trim()
  const files = buildah('mount', container).trim()
  return { config: Docker.config, files, printed: output.trim().split('\n').at(-1) ?? '' }
}

function buildah(...args: readonly string[]): string {
  const place = ['--root', join(cache, 'root'), '--runroot', join(cache, 'run'), '--storage-driver', 'vfs']
  return execFileSync('buildah', [...place, ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, BUILDAH_ISOLATION: 'chroot' },
  })
}

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'

/** A small Debian with this Node and this npm, as an official Node image has them. */
function makeBase(): void {
  const made = join(cache, 'made')
  if (existsSync(made)) return
  rmSync(cache, { recursive: true, force: true })
  mkdirSync(cache, { recursive: true })
  execFileSync('debootstrap', ['--variant=minbase', 'bookworm', tree, ...mirror()], { stdio: 'ignore' })
  for (const name of ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/locale', 'usr/share/man']) {
    rmSync(join(tree, name), { recursive: true, force: true })
  }
  const local = join(tree, 'usr/local')
  copyFileSync(process.execPath, join(local, 'bin/node'))
  const npm = realpathSync(execFileSync('which', ['npm'], { encoding: 'utf8' }).trim())
  cpSync(dirname(dirname(npm)), join(local, 'lib/node_modules/npm'), { recursive: true })
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin/npm'))
  if (existsSync(CERTIFICATES)) {
    mkdirSync(join(tree, dirname(CERTIFICATES)), { recursive: true })
    copyFileSync(CERTIFICATES, join(tree, CERTIFICATES))
  }
  execFileSync('chroot', [tree, 'useradd', '--create-home', '--uid', String(USER), 'node'])
  writeFileSync(join(cache, 'Dockerfile'), 'FROM scratch\nCOPY base /\n')
  buildah(
    'build',
    '--isolation',
    'chroot',
    '--format',
    'docker',
    '--tag',
    BASE,
    '--file',
    join(cache, 'Dockerfile'),
    cache,
  )
  writeFileSync(made, '')
}

/** Where this machine gets its own packages. */
function mirror(): readonly string[] {
  const directory = '/etc/apt/sources.list.d'
  const lists = ['/etc/apt/sources.list', ...readdirSync(directory).map((name) => join(directory, name))]
  const lines = lists.filter((list) => existsSync(list)).flatMap((list) => readFileSync(list, 'utf8').split('\n'))
  const found = lines.map((line) => /^(?:URIs:|deb(?: \[.*\])?) +(\S+\/debian)\/?(?: |$)/.exec(line)?.[1])
  return found.filter((address) => address !== undefined).slice(0, 1)
}

/** How an engine runs it: the worker as process 1, not root, on a root file system that cannot be written, with one volume. */
const START = `
set -e
mount --bind "$FILES" "$FILES"
mount --rbind /dev "$FILES/dev"
mount -t proc proc "$FILES/proc"
mount -t tmpfs -o uid=${USER},gid=${USER},mode=700 tmpfs "$FILES/var/lib/clink-worker"
mount --bind "$MOUNTED" "$FILES/etc/clink-worker"
mount -o remount,ro,bind "$FILES"
exec chroot --userspec=${USER}:${USER} "$FILES" /usr/bin/env -i --chdir=/etc/clink-worker "$@"
`

/** A container of the image: `await using`. */
export class Container implements AsyncDisposable {
  output = ''
  readonly ended: Promise<number | null>
  readonly #environment: readonly string[]
  readonly #unshare: ChildProcess

  /** @param mounted the directory of its configuration. @param env what it has beside the environment of the image. */
  constructor({ config, files }: Image, mounted: string, env: Readonly<Record<string, string>>) {
    this.#environment = [...config.Env, ...Object.entries(env).map((entry) => entry.join('='))]
    const command = [...this.#environment, ...config.Entrypoint, ...config.Cmd]
    const args = ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', START, 'sh', ...command]
    this.#unshare = spawn('unshare', args, {
      env: { PATH: process.env['PATH'], FILES: files, MOUNTED: mounted },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#unshare.stdout, this.#unshare.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text))
    this.ended = new Promise((resolve) => this.#unshare.on('close', resolve))
  }

  /** A command inside, as its user. */
  exec(...command: readonly string[]): { readonly status: number | null; readonly output: string } {
    const inside = ['--mount', '--pid', '--root', '--wd', '--setuid', String(USER), '--setgid', String(USER)]
    const args = ['--target', String(this.pid), ...inside, '/usr/bin/env', '-i', ...this.#environment, ...command]
    const { status, stderr, stdout } = spawnSync('nsenter', args, { encoding: 'utf8' })
    return { status, output: stdout + stderr }
  }

  /** Of process 1, as it is outside. */
  get pid(): number {
    const { pid = 0 } = this.#unshare
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#unshare.exitCode === null && this.#unshare.signalCode === null) process.kill(this.pid, 'SIGKILL')
    await this.ended
  }
}
