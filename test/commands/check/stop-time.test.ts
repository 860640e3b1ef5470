import { chmodSync } from 'node:fs'
import { expect, test } from 'vitest'
import { stopFinding, type Host } from '../../../src/commands/check/stop-time.ts'
import { clinkWorker } from '../../support/cli.ts'
import { handler } from '../../support/site.ts'
import { TempDir } from '../../support/temp-dir.ts'

const systemd = (waits: number, listens: boolean): Host => {
  return { is: 'systemd', unit: 'clink-worker.service', scope: 'system', waits, listens }
}

test.each<[Host, number, string, RegExp, RegExp | undefined]>([
  [{ is: 'nobody' }, 25_000, 'ok', /nothing on this machine/, undefined],
  [systemd(40_000, false), 25_000, 'ok', /kills clink-worker\.service after 40\.0s$/, undefined],
  [systemd(10_000, true), 25_000, 'ok', /after 10\.0s, and later while the worker drains$/, undefined],
  [systemd(Infinity, false), 25_000, 'ok', /after no time$/, undefined],
  [systemd(10_000, false), 25_000, 'warning', /after 10\.0s$/, /systemctl edit .*TimeoutStopSec=30 /],
  [{ is: 'container' }, 25_000, 'unknown', /Docker kills a container after 10\.0s/, /--stop-timeout 30/],
  [{ is: 'container' }, 5_000, 'ok', /Docker/, undefined],
  [{ is: 'kubernetes' }, 60_000, 'unknown', /Kubernetes kills it after 30\.0s/, /terminationGracePeriodSeconds: 65/],
  [{ is: 'kubernetes' }, 25_000, 'ok', /Kubernetes/, undefined],
])('under %j a stop of %i ms is %s', (host, timeout, result, detail, advice) => {
  const found = stopFinding(timeout, host)
  expect(found).toMatchObject({ what: 'stop', result, detail: expect.stringMatching(detail) })
  expect(found.advice ?? '').toMatch(advice ?? /^$/)
})

test('check --online asks systemd for the unit that runs this configuration', async () => {
  using dir = new TempDir()
  await dir.write({
    'clink-worker/config.yaml': 'handlers: { directory: ./handlers }\n',
    'clink-worker/handlers/h.js': handler(''),
    'bin/systemctl': '#!/bin/sh\nprintf "TimeoutStopUSec=1min 5s\\nType=exec\\n"\n',
  })
  chmodSync(`${dir.path}/bin/systemctl`, 0o755)
  const file = `${dir.path}/clink-worker/config.yaml`
  const check = async () => {
    const env = { XDG_CONFIG_HOME: dir.path, PATH: `${dir.path}/bin:${process.env['PATH'] ?? ''}` }
    const { stdout } = await clinkWorker(['check', '--online', '--json', '--config', file], { cwd: dir.path, env })
    return JSON.parse(stdout).findings.find(({ what }: { what: string }) => what === 'stop').detail
  }
  expect(await check()).not.toContain('systemd')
  await dir.write({ 'systemd/user/clink-worker.service': `[Service]\nExecStart=node cli.js run --config ${file}\n` })
  expect(await check()).toMatch(/systemd kills clink-worker\.service after 1m 05s$/)
})
