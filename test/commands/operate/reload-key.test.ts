import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Cli } from '../../support/cli.ts'
import { handler, Site } from '../../support/site.ts'
import { until } from '../../support/until.ts'

const config = 'clink: { keyFile: key }\nserver: { port: 0 }\n'

async function withKeyFile() {
  const site = await Site.start({ 'clink-worker.yaml': config, 'handlers/h.js': handler("return 'done'") })
  const { keys, url } = site.emulator
  const put = async (key: string): Promise<void> => void (await site.dir.write({ key }))
  await put(keys['worker'] ?? '')
  const args = ['run', '--log-level', 'debug', '--set', 'poll.interval=50ms']
  const worker = new Cli(args, {
    cwd: site.dir.path,
    env: { CLINK_API_URL: url, CLINK_WORKER_SERVER__ENABLED: 'true' },
  })
  await worker.said(/worker\.ready/)
  const status = async () => {
    const lines = (await site.say('status')).stdout.split('\n')
    const json = JSON.parse((await site.say('status', '--json')).stdout) as {
      key: { unused: string | null }
      server: { url: string } | null
    }
    return { head: lines[0], next: lines.slice(1, 3), unused: json.key.unused, url: json.server?.url }
  }
  const metric = async (): Promise<string | undefined> => {
    const text = await (await fetch(`${(await status()).url}/metrics`)).text()
    return /^clink_worker_reload_failed (\d)$/m.exec(text)?.[1]
  }
  const end = async (): Promise<void> => {
    await worker[Symbol.asyncDispose]()
    await site[Symbol.asyncDispose]()
  }
  return { keys, metric, put, site, status, [Symbol.asyncDispose]: end }
}

it('a reload says why a key cannot be used, and the status until that is mended', { timeout: 60_000 }, async () => {
  await using one = await withKeyFile()
  const { keys, metric, put, site, status } = one
  const bad = [
    ['garbage', 'does not begin with sk_live_'],
    [keys['suspended'], 'the service refuses the key: '],
    [keys['readonly'], 'the key lacks clinks:write'],
    [keys['bob'], 'the key belongs to a user, the one in use to an agent profile'],
    ['', 'is empty'],
    [undefined, 'there is no such file'],
  ] as const
  for (const [key, why] of bad) {
    if (key === undefined) await rm(join(site.dir.path, 'key'))
    else await put(key)
    const { code, stdout } = await site.say('reload')
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/^not reloaded, what was in use stays: the key in the key file cannot be used: /),
    ])
    expect(stdout).toContain(why)
    const { head, next, unused } = await status()
    expect(head).toMatch(/ready/)
    expect(unused).toContain(why)
    expect(next).toEqual([
      `the key in use is not the one in the key file: ${unused}`,
      '  → clink-worker check --online',
    ])
    expect(await metric()).toBe('1')
  }

  await put(keys['worker'] ?? '')
  const { code, stdout } = await site.say('reload')
  expect([code, stdout]).toEqual([0, 'reloaded\n'])
  expect(await status()).toMatchObject({ unused: null })
  expect(await metric()).toBe('0')
})

it(
  'without a reload the status says so too, and not any more once the key in use is back',
  { timeout: 60_000 },
  async () => {
    await using one = await withKeyFile()
    const { keys, put, status } = one
    for (const [key, why] of [
      [keys['suspended'], /refuses the key/],
      ['', /is empty/],
    ] as const) {
      await put(key ?? '')
      await until(async () => why.test((await status()).unused ?? ''), `it says ${String(why)}`)
      await put(keys['worker'] ?? '')
      await until(async () => (await status()).unused === null, 'it is mended')
    }
  },
)

it('a service that does not say whether it takes the key keeps no reload waiting', { timeout: 60_000 }, async () => {
  await using one = await withKeyFile()
  const { keys, put, site, status } = one
  const away = site.emulator.addFault({ operation: 'get_my_permissions', then: { status: 503 } })
  await put(keys['next'] ?? keys['alice'] ?? '')
  const { code, stdout } = await site.say('reload')
  expect([code, stdout]).toEqual([1, expect.stringContaining('the service has not said yet whether it takes the key')])
  expect((await status()).unused).toContain('has not said yet')
  away.remove()
})
