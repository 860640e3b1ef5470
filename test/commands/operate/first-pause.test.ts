import { chownSync, existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Ended } from '../../support/cli.ts'
import { story } from '../../support/record.ts'
import { handler, Site } from '../../support/site.ts'
import { until } from '../../support/until.ts'

const FILES = { 'handlers/h.js': handler("return 'done'"), 'clink-worker.yaml': 'server: { enabled: false }\n' }

async function say(site: Site, ...args: string[]): Promise<Ended> {
  await using cli = site.cli(args)
  return await cli.ended
}

test('a pause before the first start keeps the first worker from claiming', async () => {
  await using site = await Site.start(FILES)
  const id = site.emulator.send('ops', 'work').clink_id
  expect(await say(site, 'pause', '--note', 'not yet')).toMatchObject({
    code: 0,
    stdout:
      'paused: everything, until it is resumed; no worker has run with this state directory yet, the first one goes by it\n',
    stderr: '',
  })
  expect(await say(site, 'pause')).toMatchObject({ stdout: expect.stringContaining('no worker runs, the next one') })
  await using worker = site.run()
  await worker.said(/worker\.stillPaused/)
  expect((await say(site, 'health', 'ready')).code).toBe(1)
  expect(story(site.emulator, id)).toEqual(['created'])
  expect(await say(site, 'resume')).toMatchObject({ code: 0, stdout: 'resumed\n' })
  await until(() => site.emulator.clink(id)?.status === 'completed', 'it goes on')
})

test('nothing is made where nobody wrote down that this is the place, and by nothing but a pause', async () => {
  await using bare = await Site.start({ 'handlers/h.js': handler('') })
  const directory = join(bare.dir.path, 'elsewhere')
  for (const args of [['pause'], ['pause', '--state', directory]])
    expect(await say(bare, ...args)).toMatchObject({ code: 78, stderr: expect.stringContaining('holds nothing') })
  await using site = await Site.start(FILES)
  for (const args of [['resume'], ['failed', 'list'], ['failed', 'retry', '--all'], ['status', '--audit']])
    expect(await say(site, ...args)).toMatchObject({ code: 78, stderr: expect.stringContaining('holds nothing') })
  for (const { dir } of [bare, site]) expect(readdirSync(dir.path)).not.toContain('state')
  expect(existsSync(directory)).toBe(false)
  // As under systemd: the environment says where it is.
  await using cli = bare.cli(['pause', '--set', `state.directory=${directory}`])
  expect((await cli.ended).code).toBe(0)
})

test('what root makes is of whoever owns what is above it', async (context) => {
  if (process.getuid?.() !== 0) context.skip('only root makes files for others')
  await using site = await Site.start({ ...FILES, 'clink-worker.yaml': 'state: { directory: a/b }\n' })
  chownSync(site.dir.path, 4711, 4712)
  expect((await say(site, 'pause')).code).toBe(0)
  for (const path of ['a', 'a/b', 'a/b/journal.db', 'a/b/lock.db'])
    expect(statSync(join(site.dir.path, path)), path).toMatchObject({ uid: 4711, gid: 4712 })
})

test.each([
  [['pause', '--for', 'soon'], '--for: "soon" is not a duration above 0'],
  [['pause', '--for', '9000h'], '--for: a year is the longest'],
  [['log-level', 'loud'], '"loud" is no level'],
  [['log-level', 'info', '--for', 'soon'], '--for: "soon" is not a duration above 0'],
  [['drain', '--timeout', '1m'], '--timeout is for --wait'],
  [['drain', '--wait', '--timeout', 'soon'], '--timeout: "soon" is not a duration above 0'],
  [['stop', '--wait', '--timeout', 'soon'], '--timeout: "soon" is not a duration above 0'],
  [['cancel', 'msg_1', '--release', '--reject'], '--release or --reject, not both'],
  [['failed', 'list', '--since', 'yesterday'], '--since: "yesterday" is no time'],
  [['failed', 'list', '--late', '--since', 'yesterday'], '--since: "yesterday" is no time'],
  [['failed', 'discard', '--since', 'yesterday'], '--since: "yesterday" is no time'],
  [['failed', 'retry', '--all', '--route', 'x'], 'failed retry: --all or --route x, not both'],
])('%j is wrong usage, whatever the configuration and the state directory are like', async (args, problem) => {
  await using site = await Site.start({ 'clink-worker.yaml': 'concurency: 2\n' })
  const expected = { code: 64, stdout: '', stderr: expect.stringContaining(problem) }
  expect(await say(site, ...args)).toMatchObject(expected)
})
