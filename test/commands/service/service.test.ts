import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { judge, unitFor } from '../../../src/commands/service/unit.ts'
import { Cli, type Ended } from '../../support/cli.ts'
import { TempDir } from '../../support/temp-dir.ts'

/** A place for the services of a user, and a `systemctl` that only notes what it is asked. */
async function service(dir: TempDir, ...args: readonly string[]): Promise<Ended> {
  const bin = join(dir.path, 'bin')
  await mkdir(bin, { recursive: true })
  await writeFile(join(bin, 'systemctl'), `#!/bin/sh\necho "$@" >> ${dir.path}/asked\n`)
  await chmod(join(bin, 'systemctl'), 0o755)
  const env = { PATH: bin, HOME: dir.path }
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
  expect(readFileSync(join(dir.path, 'asked'), 'utf8')).toContain('--user disable clink-worker.service')
})

it.each([
  [['install', 'Ops'], '"Ops" cannot be the name of a service'],
  [['install', 'a-name-that-is-too-long'], 'at most 18'],
  [['install', 'ops', '--user'], 'names are for services of the system'],
  [['install', 'ops', '--config', 'x.yaml'], '/etc/clink-worker/ops/config.yaml'],
  [['status', '--user'], '"clink-worker service install --user" makes it'],
])('P14: refuses %j and says what to do', async (args, message) => {
  using dir = new TempDir()
  expect(await service(dir, ...args)).toMatchObject({ code: 64, stdout: '', stderr: expect.stringContaining(message) })
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
