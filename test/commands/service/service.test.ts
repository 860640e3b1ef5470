import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { judge, unitFor } from '../../../src/commands/service/unit.ts'
import { Cli, type Ended } from '../../support/cli.ts'
import { TempDir } from '../../support/temp-dir.ts'

/** A place for the services of a user, and a `systemctl` that only notes what it is asked. */
async function service(dir: TempDir, ...args: readonly string[]): Promise<Ended> {
  return await serviceWith(dir, {}, ...args)
}

/** @param own what its environment has beside, or instead of, the usual. Nothing can be shown. */
async function serviceWith(dir: TempDir, own: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const bin = join(dir.path, 'bin')
  await mkdir(bin, { recursive: true })
  const fails = 'case "$*" in *show*) echo "Failed to connect to bus: No medium found" >&2; exit 1;; esac'
  await writeFile(
    join(bin, 'systemctl'),
    `#!/bin/sh\necho "$@" >> ${dir.path}/asked\necho "$XDG_RUNTIME_DIR" > ${dir.path}/reached\n${fails}\n`,
  )
  await chmod(join(bin, 'systemctl'), 0o755)
  const env = { PATH: bin, HOME: dir.path, ...own }
  await using cli = new Cli(['service', ...args], { cwd: dir.path, env })
  return await cli.ended
}

it('writes a unit of a user below their configuration, once', async () => {
  using dir = new TempDir()
  const file = join(dir.path, '.config/systemd/user/clink-worker.service')
  const first = await service(dir, 'install', '--user')
  expect(first).toMatchObject({ code: 0 })
  expect(first.stdout).toContain(`wrote ${file}`)
  expect(first.stdout).toContain('loginctl enable-linger')
  // Nothing is running there that could be told.
  expect(first.stderr).toContain('systemd does not run here')
  const text = readFileSync(file, 'utf8')
  expect(judge(text)).toBe('ours')
  expect(text).toContain(`ExecStart=${process.execPath} `)
  expect(text).toContain(`run --config ${dir.path}/.config/clink-worker/config.yaml\n`)
  expect((await service(dir, 'install', '--user')).stdout).toContain('is as it has to be')
  const removed = await service(dir, 'uninstall', '--user')
  expect(removed.code).toBe(0)
  expect(existsSync(file)).toBe(false)
  expect(await service(dir, 'uninstall', '--user')).toMatchObject({
    code: 0,
    stdout: `nothing to uninstall: there is no service clink-worker.service (${file} is not there)\n`,
    stderr: '',
  })
  expect(readFileSync(join(dir.path, 'asked'), 'utf8')).toContain('--user disable clink-worker.service')
})

it.each([
  [['install', 'Ops'], '"Ops" cannot be the name of a service'],
  [['install', 'a-name-that-is-too-long'], 'at most 18'],
  [['install', 'ops', '--user'], 'names are for services of the system'],
  [['install', 'ops', '--config', 'x.yaml'], '/etc/clink-worker/ops/config.yaml'],
])('P14: refuses %j and says what to do', async (args, message) => {
  using dir = new TempDir()
  expect(await service(dir, ...args)).toMatchObject({ code: 64, stdout: '', stderr: expect.stringContaining(message) })
})

it('a service that is not there does not run: status ends with 1', async () => {
  using dir = new TempDir()
  const stderr = expect.stringContaining('"clink-worker service install --user" makes it')
  expect(await service(dir, 'status', '--user')).toMatchObject({ code: 1, stdout: '', stderr })
  const { code, stdout } = await service(dir, 'status', '--user', '--json')
  const file = join(dir.path, '.config/systemd/user/clink-worker.service')
  expect([code, JSON.parse(stdout)]).toEqual([1, { unit: 'clink-worker.service', file, unitFile: 'missing' }])
})

it.each(['', 'relative/config'])('XDG_CONFIG_HOME=%j counts as not set, and so do the others', async (path) => {
  using dir = new TempDir()
  const own = { XDG_CONFIG_HOME: path, XDG_STATE_HOME: path, XDG_RUNTIME_DIR: path }
  const { code, stderr, stdout } = await serviceWith(dir, own, 'install', '--user')
  expect([code, stdout]).toEqual([0, expect.stringContaining(`wrote ${dir.path}/.config/systemd/user/`)])
  expect(stderr).toContain('systemd does not run here')
  expect(readdirSync(dir.path).toSorted()).toEqual(['.config', 'asked', 'bin', 'reached'])
})

it('systemd of a user is reached from a session that is not told where', async () => {
  using dir = new TempDir()
  await service(dir, 'install', '--user')
  await service(dir, 'status', '--user')
  expect(readFileSync(join(dir.path, 'reached'), 'utf8')).toBe(`/run/user/${process.getuid?.()}\n`)
})

it('the paths of a configuration in any directory can be typed as they are printed', async () => {
  using dir = new TempDir()
  const root = await service(dir, 'install', '--user', '--config', '/no-such.yaml')
  expect(root.stdout).toContain('mkdir -p /handlers\n')
  expect(root.stdout).toContain('/dev/stdin /clink-api-key ')
  const text = readFileSync(join(dir.path, '.config/systemd/user/clink-worker.service'), 'utf8')
  expect(text).toContain('LoadCredential=clink-api-key:/clink-api-key\n')
  const { stdout } = await service(dir, 'install', '--user', '--config', '/no such/it.yaml')
  expect(stdout).toContain("mkdir -p '/no such/handlers'\n")
  expect(stdout).toContain("touch '/no such/it.yaml' ")
  expect(stdout).toContain("/dev/stdin '/no such/clink-api-key' ")
})

it('what systemd cannot answer is said without all that it was asked for', async () => {
  using dir = new TempDir()
  await service(dir, 'install', '--user')
  expect(await service(dir, 'status', '--user')).toEqual({
    code: 69,
    signal: null,
    stdout: '',
    stderr: 'clink-worker: systemctl --user show clink-worker.service: Failed to connect to bus: No medium found\n',
  })
})

it('P14: says that there is no systemd', async () => {
  using dir = new TempDir()
  await using cli = new Cli(['service', 'install'], { cwd: dir.path, env: { PATH: '/nowhere', HOME: dir.path } })
  expect(await cli.ended).toMatchObject({
    code: 69,
    stdout: '',
    stderr: expect.stringContaining('there is no systemd here'),
  })
})

it('names paths as systemd reads them', () => {
  const shipped = '# about\n[Unit]\n[Service]\nNotifyAccess=main\nExecStart=x\nLoadCredential=clink-api-key:x\n'
  const paths = { node: '/opt/my node/50%/node', cli: '/opt/$HOME/cli.js', config: '/etc/a b/config.yaml' }
  const text = unitFor(shipped, { ...paths, speaks: false })
  expect(text).toContain('ExecStart="/opt/my node/50%%/node" /opt/$$HOME/cli.js run --config "/etc/a b/config.yaml"\n')
  expect(text).toContain('LoadCredential=clink-api-key:/etc/a b/clink-api-key\n')
  expect(text).toContain('NotifyAccess=all\n')
  expect(judge(text)).toBe('ours')
  expect(judge(text.replace('=all', '=main'))).toBe('changed')
  expect(judge(shipped)).toBe('foreign')
})
