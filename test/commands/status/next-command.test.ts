import { expect, test } from 'vitest'
import type { Cli, Ended } from '../../support/cli.ts'
import { handler, Site } from '../../support/site.ts'

async function say(site: Site, ...args: string[]): Promise<Ended> {
  return await site.say(...args)
}

/** A route on which everything fails. */
async function failing(site: Site, ...settings: string[]): Promise<Cli> {
  for (let n = 0; n < 6; n += 1) site.emulator.send('ops', `transfer 4711 to the account ${n}`)
  const worker = site.run('--set', 'retry.backoff=1s', ...settings)
  await worker.said(/route\.paused/)
  return worker
}

test('status says what has failed last on a route that is paused, and names no command that would show nothing', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler("throw new Error('the database is away')") })
  await using _ = await failing(site)
  const { stdout } = await say(site, 'status')
  expect(stdout).toMatch(/\nh: msg_\w+ has failed last: the handler threw an error: the database is away\n/)
  expect(stdout).not.toContain('→')
})

test('and the log of a clink whose handler has said something', async () => {
  const speaks = handler("ctx.log.info('connecting')\n  throw new Error('the database is away')")
  await using site = await Site.start({ 'handlers/h.js': speaks })
  await using _ = await failing(site)
  const [, id = ''] = /\n {2}→ clink-worker logs (msg_\w+)\n/.exec((await say(site, 'status')).stdout) ?? []
  expect(await say(site, 'logs', id)).toMatchObject({ code: 0, stdout: expect.stringContaining('connecting') })
})

test('after two crashes in a row it names no command that has nothing to say of them', async () => {
  const dies = handler(
    "await new Promise((resolve) => setTimeout(resolve, clink.content === 'dies' ? 1_000 : 20_000))\n  process.kill(process.pid, 'SIGKILL')",
  )
  await using site = await Site.start({ 'handlers/h.js': dies })
  site.emulator.send('ops', 'dies')
  site.emulator.send('ops', 'lasts')
  for (let crash = 0; crash < 2; crash += 1) {
    await using worker = site.run()
    await worker.ended
  }
  await site.dir.write({
    'handlers/h.js': handler('await new Promise((resolve) => setTimeout(resolve, 60_000).unref())'),
  })
  await using worker = site.run()
  await worker.said(/worker\.crashed/)
  await worker.said(/clink\.started/)
  const { stdout } = await say(site, 'status')
  expect(stdout).toMatch(
    /\n2 clinks that were in hand when the process ended unexpectedly run alone first, one at a time and for 1m 10s each/,
  )
  expect(stdout).not.toContain('→')
})

test('by HTTP it is not shown where it quotes its clink', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler("throw new Error('cannot ' + clink.content)") })
  await using _ = await failing(site, '--set', 'server.enabled=true', '--set', 'server.port=0')
  const status = JSON.parse((await say(site, 'status', '--json')).stdout)
  expect(status.routes[0].lastFailure.reason).toContain('4711')
  const told = await (await fetch(`${status.server.url}/api/status`)).text()
  expect(told).not.toContain('4711')
  expect(JSON.parse(told).routes[0].lastFailure).toEqual({
    id: expect.stringMatching(/^msg_/),
    reason: expect.stringContaining('it quotes the clink'),
  })
})
