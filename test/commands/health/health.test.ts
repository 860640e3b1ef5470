import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { until } from '../../support/until.ts'
import type { Ended } from '../../support/cli.ts'
import { handler, Site } from '../../support/site.ts'

async function health(site: Site, ...args: string[]): Promise<Ended> {
  return await site.say('health', ...args)
}

const POLLS = ['--set', 'poll.maxInterval=100ms']

test('P12: a worker that runs is alive and ready, by exit code', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('') })
  await using worker = site.run()
  await worker.said(/worker\.ready/)

  expect(await health(site, 'live')).toMatchObject({ code: 0, stdout: 'alive\n', stderr: '' })
  expect(await health(site, 'ready')).toMatchObject({ code: 0, stdout: 'ready\n', stderr: '' })
  expect(JSON.parse((await health(site, 'ready', '--json')).stdout)).toEqual({ ready: true, reasons: [] })
})

test('P12: while the service is away it is alive and not ready, with the reason, and ready again afterwards', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('') })
  await using worker = site.run(...POLLS)
  await worker.said(/worker\.ready/)
  site.emulator.disconnect()
  await worker.said(/"failures":3/)

  expect(await health(site, 'live')).toMatchObject({ code: 0, stdout: 'alive\n' })
  const away = await health(site, 'ready')
  expect(away.code).toBe(1)
  expect(away.stdout).toMatch(/^not ready\nthe service does not answer as it should: .*ECONNREFUSED/)
  await site.emulator.reconnect()
  await until(async () => (await health(site, 'ready')).code === 0, 'it is ready again')
})

test('P12: with a key that is refused it is alive and not ready, and says what to look at', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('') })
  await using worker = site.cli(['run'], { key: 'suspended' })
  await worker.said(/worker\.notReady/)

  expect(await health(site, 'live')).toMatchObject({ code: 0 })
  const refused = await health(site, 'ready')
  expect(refused.code).toBe(1)
  expect(refused.stdout).toMatch(/^not ready\n.*the service refuses the key: check/)
})

test('P12: a worker whose handler does not let go is not alive: it does not answer', async () => {
  await using site = await Site.start({
    'handlers/h.js': handler(`for (const end = Date.now() + 20_000; Date.now() < end; );`),
  })
  await using worker = site.run()
  await worker.said(/worker\.ready/)
  site.emulator.send('ops', 'hello')
  await worker.said(/clink\.claimed/)

  const blocked = await health(site, 'live', '--timeout', '1s')
  expect(blocked).toMatchObject({ code: 1, stdout: expect.stringMatching(/^not alive\nno answer within 1s/) })
})

test('P12: where no worker runs none is alive', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('') })
  const none = await health(site, 'live')
  expect(none).toMatchObject({ code: 1, stdout: expect.stringMatching(/^not alive\nno worker listens in /) })
  expect(await health(site, 'ready', '--state', 'elsewhere')).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('elsewhere'),
  })
  expect(await health(site, 'live', '--timeout', 'soon')).toMatchObject({ code: 64 })
})

test('P12: mistakes made in the configuration since its start do not make a worker that runs seem dead, nor keep operators from it', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler(''), 'clink-worker.yaml': 'concurrency: 2\n' })
  const say = async (...args: string[]): Promise<Ended> => {
    return await site.say(...args)
  }
  {
    await using worker = site.run()
    await worker.said(/worker\.ready/)
    await site.dir.write({ 'clink-worker.yaml': 'concurency: 2\nroutes: 7\n' })
    const warned = expect.stringMatching(/^clink-worker: warning: the configuration cannot be used.*\n$/)
    expect(await health(site, 'live')).toMatchObject({ code: 0, stdout: 'alive\n', stderr: warned })
    for (const command of [['status'], ['pause'], ['resume'], ['failed', 'list'], ['state', 'info']])
      expect(await say(...command), command.join(' ')).toMatchObject({ code: 0, stderr: warned })
    expect(await say('reload')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        /^not reloaded, what was in use stays:\n {2}\S+:1:1: concurency: unknown key.*\n {2}\S+:2:\d+: routes: .*\n$/,
      ),
    })
    expect(await say('stop', '--wait')).toMatchObject({ code: 0, stdout: 'stopped\n' })
  }
  for (const command of [['health', 'live'], ['status'], ['pause']])
    expect(await say(...command)).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('concurency: unknown key'),
    })
})

test('P12: a configuration that is gone or cannot be read does not make a worker that runs seem dead', async () => {
  await using site = await Site.start({
    'handlers/h.js': handler(''),
    'etc/worker.yaml': 'handlers: { directory: ../handlers }\n',
  })
  const file = ['--config', 'etc/worker.yaml']
  await using worker = site.run(...file)
  await worker.said(/worker\.ready/)
  const path = join(site.dir.path, 'etc/worker.yaml')
  const warned = expect.stringMatching(/^clink-worker: warning: the configuration cannot be used.*\n$/)
  for (const spoil of [() => writeFile(path, Buffer.from([0xff, 0xfe, 0x00])), () => rm(path), () => mkdir(path)]) {
    await spoil()
    expect(await health(site, 'live', ...file)).toMatchObject({ code: 0, stdout: 'alive\n', stderr: warned })
  }
  worker.kill('SIGTERM')
  await worker.ended
  expect(await health(site, 'live', ...file)).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('is a directory'),
  })
})
