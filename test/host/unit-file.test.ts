import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test, type TestContext } from 'vitest'
import { parseDuration } from '../../src/base/duration.ts'
import { errorCodes, EXIT } from '../../src/base/coded-error.ts'
import { loadConfig } from '../../src/config/load.ts'
import { TempDir } from '../support/temp-dir.ts'

const read = (name: string): string => readFileSync(new URL(`../../systemd/${name}`, import.meta.url), 'utf8')
const unit = read('clink-worker.service')
const NAMES = ['clink-worker.service', 'clink-worker@.service', 'user/clink-worker.service']

function setting(name: string): string | undefined {
  return new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1]
}

function needAnalyze(context: TestContext): void {
  if (spawnSync('systemd-analyze', ['--version']).error === undefined) return
  context.skip('there is no systemd-analyze here: npm run test:prepare')
}

/** A unit whose program is there. An instance of it, where it is a template: otherwise nothing of it is looked at. */
function copied(name: string, dir: TempDir): string {
  const program = join(dir.path, 'clink-worker')
  writeFileSync(program, '#!/bin/sh\n')
  chmodSync(program, 0o755)
  const copy = join(dir.path, basename(name).replace('@', '@ops'))
  writeFileSync(copy, read(name).replace('/usr/bin/clink-worker', program))
  return copy
}

test.for(NAMES)('systemd has nothing to say about %s', (name, context) => {
  needAnalyze(context)
  using dir = new TempDir()
  const scope = name.startsWith('user/') ? ['--user'] : []
  const env = { ...process.env, XDG_RUNTIME_DIR: dir.path }
  const args = [...scope, 'verify', '--man=no', copied(name, dir)]
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8', env })
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
})

test.for(NAMES.slice(0, 2))('%s is shut off as far as Node and its work allow', (name, context) => {
  needAnalyze(context)
  using dir = new TempDir()
  const args = ['security', '--offline=yes', '--threshold=11', copied(name, dir)]
  const { status, stderr, stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
  expect(stdout, `${status} ${stderr}`).toMatch(/Overall exposure level for clink-worker.*: [\d.]+/)
  expect(Number(/Overall exposure level.*: ([\d.]+)/.exec(stdout)?.[1])).toBeLessThanOrEqual(1.1)
  expect(status).toBe(0)
})

test('an instance differs from the one service by its name only', () => {
  const settings = (text: string): string[] =>
    text
      .split('\n')
      .filter(
        (line) => /^[\w[]/.test(line) && !/^(Description|User|Environment=CLINK_WORKER_SERVER__ENABLED)=/.test(line),
      )
  const ofAll = settings(read('clink-worker@.service')).map((line) => line.replaceAll(/[-/]%i/g, ''))
  expect(ofAll).toEqual(settings(unit))
  expect(read('clink-worker@.service')).toContain('\nUser=clink-worker-%i\n')
})

test('systemd waits longer than the worker takes to stop', async () => {
  using dir = new TempDir()
  const { config } = await loadConfig({ env: {}, cwd: dir.path })
  const wait = parseDuration(`${setting('TimeoutStopSec')}s`) ?? 0
  expect(wait).toBeGreaterThan(config.shutdown.timeout)
})

test('it is not started again for what starting again cannot mend', () => {
  const codes = (setting('RestartPreventExitStatus') ?? '').split(' ').map(Number)
  const { USAGE, CONFIG_INVALID } = errorCodes
  expect(codes).toEqual([USAGE, EXIT.refused, CONFIG_INVALID])
  expect(codes).toContain(errorCodes.STATE_UNUSABLE)
  for (const passing of [errorCodes.STATE_UNAVAILABLE, errorCodes.STATE_BUSY]) expect(codes).not.toContain(passing)
  expect(setting('Restart')).toBe('on-failure')
})

test('the key is a credential and signals reach the worker first', () => {
  expect(setting('LoadCredential')).toMatch(/^clink-api-key:/)
  expect(unit).not.toContain('CLINK_API_KEY')
  expect(setting('KillMode')).toBe('mixed')
  expect(setting('ExecReload')).toBe("/bin/sh -c 'kill -HUP $MAINPID'")
})

test('P12: the worker itself says how it is, and is ended where it says nothing', () => {
  expect(setting('Type')).toBe('notify')
  expect(setting('NotifyAccess')).toBe('main')
  expect(Number(setting('WatchdogSec'))).toBe(60)
  expect(unit).toContain('\nEnvironment=CLINK_WORKER_BOOT_ID=%b\n')
})

test('P13: no core shows the key', () => {
  for (const name of NAMES) expect(read(name)).toContain('\nLimitCORE=0\n')
})
