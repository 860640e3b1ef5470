import { expect, test } from 'vitest'
import { clinkWorker } from '../support/cli.ts'
import { TempDir } from '../support/temp-dir.ts'

const KEY = { CLINK_API_KEY: 'sk_live_u_0123456789abcdef', CLINK_API_URL: 'http://127.0.0.1:9' }

test.each([
  ['does not exist', './nowhere', /"\.\/nowhere": there is no such directory; put a file into it/],
  ['is a file', './taken', /"\.\/taken": it is not a directory/],
])('a handlers.directory that %s is named by check and by run with file, line and key', async (_, directory, why) => {
  using dir = new TempDir()
  await dir.write({ 'clink-worker.yaml': `concurrency: 2\nhandlers:\n  directory: ${directory}\n`, taken: '' })
  const said = new RegExp(`clink-worker\\.yaml:3:14: handlers\\.directory: ${why.source}`)
  const check = await clinkWorker(['check'], { cwd: dir.path })
  expect(check).toMatchObject({ code: 78, stdout: expect.stringMatching(said) })
  for (const more of [[], ['--dry-run']]) {
    const run = await clinkWorker(['run', ...more], { cwd: dir.path, env: KEY })
    expect(run).toMatchObject({ code: 78, stderr: expect.stringMatching(said) })
  }
})

test('so is one of the command line; one that nobody wrote is named as it is', async () => {
  using dir = new TempDir()
  const given = await clinkWorker(['check', '--handlers', './nowhere'], { cwd: dir.path })
  expect(given.stdout).toContain('command line: handlers.directory: "./nowhere": there is no such directory')
  const none = await clinkWorker(['check'], { cwd: dir.path })
  expect(none.stdout).toMatch(/^handlers +failed +handlers: there is no such directory/m)
})
