import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Ended } from '../../support/cli.ts'
import { handler, Site } from '../../support/site.ts'

async function say(site: Site, ...args: string[]): Promise<Ended> {
  await using cli = site.cli(args)
  return await cli.ended
}

const FOR_A = `
console.log('handlers may print while they are loaded')
import { defineHandler } from 'clink-worker'
export default defineHandler({ match: { content: { prefix: 'a' } }, handle: () => 'a' })`

const FILES = {
  'handlers/a.js': FOR_A,
  'handlers/b.js': handler("return 'b'"),
  'clink-worker.yaml': 'server: { enabled: false }\nstate: { directory: ./state }\n',
}

test('where no worker runs, a route that is not there is refused, and one that is there is paused', async () => {
  await using site = await Site.start(FILES)
  const refused = { code: 64, stdout: '', stderr: expect.stringContaining('there is no route "A"; there are: a, b\n') }
  expect(await say(site, 'pause', '--route', 'A')).toMatchObject(refused)
  expect(await say(site, 'pause', '--route', 'a', '--json')).toMatchObject({
    code: 0,
    stdout: '{"routes":["a"],"isRunning":false}\n',
  })
  expect(await say(site, 'resume', '--route', 'A')).toMatchObject(refused)
  expect(await say(site, 'resume', '--route', 'b')).toMatchObject({
    code: 0,
    stdout: 'nothing to resume; still paused: the route a\n',
  })
})

test('a pause whose route is gone is named by check, and by the next worker and its status; it can be ended before', async () => {
  await using site = await Site.start(FILES)
  expect((await say(site, 'pause', '--route', 'a', '--for', '1h')).code).toBe(0)
  expect((await say(site, 'check')).stdout).not.toContain('pauses')
  await rm(join(site.dir.path, 'handlers/a.js'))
  const kept = 'a pause is kept for the route a, which is not there'
  const { code, stdout } = await say(site, 'check')
  expect(code).toBe(0)
  expect(stdout).toMatch(
    new RegExp(`^pauses +warning +${kept} \\(by .*\\)\\n +→ clink-worker resume --route a ends it`, 'm'),
  )
  {
    await using worker = site.run()
    const said = await worker.said(/worker\.stillPaused/)
    expect(JSON.parse(said.input.split('\n').find((line) => line.includes('worker.stillPaused')) ?? '')).toMatchObject({
      handler: 'a',
      advice: expect.stringContaining('`clink-worker resume --route a` ends this pause'),
    })
    await worker.said(/worker\.ready/)
    expect((await say(site, 'status')).stdout).toMatch(
      new RegExp(`\\n${kept} \\(by .*\\)\\n  → clink-worker resume --route a\\n`),
    )
    worker.kill('SIGKILL')
    await worker.ended
  }
  expect(await say(site, 'resume', '--route', 'a')).toMatchObject({ code: 0, stdout: 'resumed\n' })
  expect((await say(site, 'check')).stdout).not.toContain('pauses')
  expect((await say(site, 'resume', '--route', 'a')).code).toBe(64)
})

test('where nobody can look which routes there are, a route is paused with a warning', async () => {
  await using site = await Site.start({ ...FILES, 'handlers/a.js': 'export default (' })
  const paused = await say(site, 'pause', '--route', 'x')
  expect(paused).toMatchObject({ code: 0, stdout: expect.stringMatching(/^paused: the route x, /) })
  expect(paused.stderr).toMatch(/^clink-worker: warning: nobody has looked whether there is a route "x": .*a\.js/)
  expect(await say(site, 'pause', '--route', 'y', '--state', 'state')).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('--state names no configuration, and --config would'),
  })
})
