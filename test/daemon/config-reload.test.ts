import { rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { configOf } from '../../src/config/load.ts'
import { ConfigReload } from '../../src/daemon/config-reload.ts'
import { handler, logLines, Site } from '../support/site.ts'
import type { Cli } from '../support/cli.ts'
import { until } from '../support/until.ts'

const files = {
  'clink-worker.yaml': 'concurrency: 2\nroutes: [{ name: old, use: handlers/old.js }]\n',
  'handlers/old.js': handler("return 'old'"),
  'others/new.js': handler("return 'new'"),
}
const NEW =
  'concurrency: 3\nserver: { port: 1 }\nroutes: [{ name: new, use: others/new.js }]\nhandlers: { directory: none }\n'

const facts = (worker: Cli, name: string) => logLines(worker.stdout).filter(({ event }) => event === name)

async function answered(site: Site, text: string): Promise<string | undefined> {
  const { clink_id: id } = site.emulator.send('ops', text)
  await until(() => site.emulator.clink(id)?.status === 'completed', 'the answer')
  const answers = site.emulator.clinks().filter(({ for: to, content }) => to !== undefined && content !== text)
  return answers.at(-1)?.content
}

describe('a configuration that has changed before it was looked at', () => {
  const [first, other] = [2, 3].map((concurrency) => configOf({ concurrency }, 'test', '/')) as [Config, Config]

  it.each([
    ['is used', other, [3]],
    ['and one that has not is not, until it is told to be', first, [2]],
  ])('%s', async (_, next, expected) => {
    const used: unknown[] = []
    let reads = 0
    const reload = new ConfigReload({
      file: '/nowhere',
      first,
      read: async () => await Promise.resolve(configOf({ concurrency: next.concurrency }, `read ${(reads += 1)}`, '/')),
      use: async ({ concurrency }) => void (await Promise.resolve(used.push(concurrency))),
      failed: (error) => void used.push(error),
    })
    reload.start()
    if (next === other) await until(() => used.length > 0, 'it is used')
    else await until(() => reads > 0, 'it is read')
    if (next === first) await reload.reload()
    await reload.stop()
    expect(used).toEqual(expected)
  })
})

describe('the configuration is read again (§4)', { timeout: 60_000 }, () => {
  it('by SIGHUP, and used with its routes; what takes a restart is named', async () => {
    await using site = await Site.start(files)
    await using worker = site.run()
    await worker.said(/worker\.ready/)
    expect(await answered(site, 'one')).toMatch(/^old/)
    await site.dir.write({ 'clink-worker.yaml': NEW })
    worker.kill('SIGHUP')
    await worker.said(/handlers\.loaded/)
    expect(facts(worker, 'config.reloaded')).toEqual([
      expect.objectContaining({
        atOnce: ['concurrency'],
        newDeliveries: ['handlers.directory', 'routes'],
        restart: ['server.port'],
      }),
    ])
    expect(await answered(site, 'two')).toMatch(/^new/)
  })

  it('and a bad one changes nothing, and says what is wrong with it until it is mended', async () => {
    await using site = await Site.start(files)
    await using worker = site.run('--set', 'handlers.watch=true')
    await worker.said(/worker\.ready/)
    await site.dir.write({
      'clink-worker.yaml': 'concurrency: 3\nroutes: [{ name: new, use: others/new.js }]\npol: 1\n',
    })
    await worker.said(/config\.failed.*clink-worker\.yaml:3:1: pol/)
    expect(await answered(site, 'one')).toMatch(/^old/)
    await site.dir.write({ 'clink-worker.yaml': NEW })
    await worker.said(/config\.reloaded/)
    expect(await answered(site, 'two')).toMatch(/^new/)
  })

  it('and one whose handlers cannot be loaded is used as soon as they can', async () => {
    await using site = await Site.start(files)
    await using worker = site.run('--set', 'handlers.watch=true')
    await worker.said(/worker\.ready/)
    await rename(join(site.dir.path, 'others/new.js'), join(site.dir.path, 'others/new.js.off'))
    await site.dir.write({ 'clink-worker.yaml': NEW })
    await worker.said(/handlers\.failed.*clink-worker\.yaml:3: routes\[0\]\.use: others\/new\.js does not exist/)
    expect(facts(worker, 'config.reloaded')).toEqual([])
    expect(await answered(site, 'one')).toMatch(/^old/)
    await rename(join(site.dir.path, 'others/new.js.off'), join(site.dir.path, 'others/new.js'))
    await worker.said(/config\.reloaded/)
    expect(await answered(site, 'two')).toMatch(/^new/)
  })

  it('when its file is exchanged behind a symbolic link, put in its place, or gone for a while', async () => {
    await using site = await Site.start(files)
    const path = (name: string): string => join(site.dir.path, name)
    await site.dir.write({ 'v1/c.yaml': 'concurrency: 2\n', 'v2/c.yaml': 'concurrency: 3\n' })
    await symlink('v1', path('data'))
    await symlink('data/c.yaml', path('linked.yaml'))
    await using worker = site.run('--config', 'linked.yaml', '--set', 'handlers.watch=true')
    await worker.said(/worker\.ready/)
    const reloads = async (count: number): Promise<void> =>
      await until(() => facts(worker, 'config.reloaded').length === count, `reload ${count}`)
    await symlink('v2', path('data.new'))
    await rename(path('data.new'), path('data'))
    await reloads(1)
    await writeFile(path('v2/new'), 'concurrency: 4\n')
    await rename(path('v2/new'), path('v2/c.yaml'))
    await reloads(2)
    await rm(path('v2/c.yaml'))
    await worker.said(/config\.failed.*there is no such file/)
    await writeFile(path('v2/c.yaml'), 'concurrency: 5\n')
    await reloads(3)
    expect(facts(worker, 'config.reloaded').map((fact) => fact['atOnce'])).toEqual([
      ['concurrency'],
      ['concurrency'],
      ['concurrency'],
    ])
  })
})
