import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseDuration } from '../../src/base/duration.ts'
import { errorCodes, EXIT } from '../../src/base/coded-error.ts'
import { loadConfig } from '../../src/config/load.ts'
import { TempDir } from '../support/temp-dir.ts'

const unit = readFileSync(new URL('../../systemd/clink-worker.service', import.meta.url), 'utf8')

function setting(name: string): string | undefined {
  return new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1]
}

test('systemd has nothing to say about the unit', (context) => {
  if (spawnSync('systemd-analyze', ['--version']).error !== undefined) context.skip('there is no systemd-analyze here')
  using dir = new TempDir()
  const program = join(dir.path, 'clink-worker')
  writeFileSync(program, '#!/bin/sh\n')
  chmodSync(program, 0o755)
  const copy = join(dir.path, 'clink-worker.service')
  writeFileSync(copy, unit.replace('/usr/bin/clink-worker', program))
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', copy], { encoding: 'utf8' })
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
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
  expect(setting('ExecReload')).toBe('/bin/kill -HUP $MAINPID')
})
