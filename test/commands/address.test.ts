import { expect, it } from 'vitest'
import { Front } from '../support/front.ts'
import { clinkWorker } from '../support/cli.ts'
import { handler, Site } from '../support/site.ts'

const HANDLERS = { 'handlers/answer.ts': handler("return 'worked'") }

it('run works below a prefix, with a slash, a blank or a line end after its address in file, environment or flag', async () => {
  await using site = await Site.start(HANDLERS)
  await using front = await Front.before(site.emulator.url, '/clink/v1')
  const key = { CLINK_API_KEY: site.emulator.key }
  await site.dir.write({ 'file.yaml': `clink: { url: ${JSON.stringify(` ${front.url}/\n`)} }` })
  const ways = [
    { args: ['--config', 'file.yaml'], env: key },
    { args: [], env: { ...key, CLINK_API_URL: `\uFEFF${front.url}\r\n` } },
    { args: ['--set', `clink.url=${front.url}///`], env: key },
  ]
  for (const { args, env } of ways) {
    const clink = site.emulator.send('ops', 'to be worked', { from: 'bob' })
    const ended = await clinkWorker(['run', '--once', '--max-time', '20s', ...args], { cwd: site.dir.path, env })
    expect(ended, ended.stdout).toMatchObject({ code: 0 })
    expect(site.emulator.clink(clink.clink_id)).toMatchObject({ status: 'completed' })
  }
})

it('every command reads the address as run does', async () => {
  await using site = await Site.start(HANDLERS)
  await using front = await Front.before(site.emulator.url, '/clink')
  site.emulator.send('ops', 'waits', { from: 'bob' })
  const env = { CLINK_API_URL: ` ${front.url}//\n`, CLINK_API_KEY: ` ${site.emulator.key}\n` }
  const options = { cwd: site.dir.path, env }
  for (const args of [['inbox'], ['send', 'ops', 'hello'], ['api', 'list_groups'], ['run', '--dry-run']]) {
    const ended = await clinkWorker(args, options)
    expect([args, ended.code, ended.stderr]).toEqual([args, 0, ''])
  }
  const { code, stdout } = await clinkWorker(['check', '--online'], options)
  expect([code, stdout]).toEqual([0, expect.stringContaining(`${front.url} answers`)])
})
