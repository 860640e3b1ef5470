import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { packageVersion } from '../../src/clink/version.ts'
import { loadText } from '../support/config-files.ts'

const FIXTURES = join(import.meta.dirname, 'fixtures')
const versions = readdirSync(FIXTURES).flatMap((name) => /^version-(.+)\.yaml$/.exec(name)?.[1] ?? [])
const textOf = (version: string): string => readFileSync(join(FIXTURES, `version-${version}.yaml`), 'utf8')

/** The names of all settings, `retry.attempts` among them; those of routes are their own. */
function keysOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path]
  return Object.entries(value).flatMap(([key, inner]) => keysOf(inner, path === '' ? key : `${path}.${key}`))
}

describe('configurations of earlier versions', () => {
  it('there is one of this version, with every key that it knows', () => {
    expect(versions).toContain(packageVersion())
    const example: unknown = parse(readFileSync(new URL('../../config.example.yaml', import.meta.url), 'utf8'))
    const shown = new Set(keysOf(parse(textOf(packageVersion()))))
    // Of two ways to give a secret it can have only one.
    const either = ['clink.key', 'state.url']
    expect(keysOf(example).filter((key) => !shown.has(key))).toEqual(either)
  })

  // Never change what is expected of one that was released. A key that was renamed may be a warning for one minor version.
  it.each(versions)('that of %s loads, and means what it meant', async (version) => {
    const { config, warnings } = await loadText(textOf(version))
    if (version === packageVersion()) expect(warnings).toEqual([])
    expect(config).toMatchObject({
      clink: { url: 'https://clink.example/api', session: 'worker-7', identity: 'ap_worker', timeout: 20_000 },
      inbox: { for: 'me', groups: ['ops', 'support'], maxAge: 604_800_000, claim: 'select', maxHops: 4 },
      poll: { interval: 500, maxInterval: 20_000, warm: { interval: 100, for: 10_000 }, sweep: 600_000 },
      claim: { timeout: 600_000, maxHold: 7_200_000, exclusive: true, trustRenewals: true },
      concurrency: 20,
      handlers: { watch: true, runner: 'thread', threads: 4, timeout: 300_000, idle: 60_000, grace: 10_000 },
      retry: { attempts: 7, backoff: 1_000, maxBackoff: 60_000, cooldown: 1_800_000, onExhausted: 'complete' },
      replies: { mark: '— our bot' },
      shutdown: { timeout: 60_000, drain: 45_000 },
      state: { sync: 'full', keep: 2_592_000_000, fleet: 'ops' },
      server: { enabled: false, host: '0.0.0.0', port: 7718, allowedHosts: ['worker.example'], pickupSlo: 30_000 },
      log: { level: 'debug', format: 'json', content: true },
    })
    expect(config.routes.map(({ name }) => name)).toEqual(['deploy', 'program', 'application'])
    expect(config.routes[0]).toMatchObject({
      concurrency: 2,
      weight: 2,
      serial: 'group',
      timeout: 1_200_000,
      mark: 'never',
    })
  })
})
