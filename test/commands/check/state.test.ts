import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { clinkWorker, type Ended } from '../../support/cli.ts'
import { handler } from '../../support/site.ts'
import { SmallDisk } from '../../support/small-disk.ts'
import { TempDir } from '../../support/temp-dir.ts'

const KEY = { CLINK_API_KEY: 'sk_live_u_0123456789abcdef', CLINK_API_URL: 'http://127.0.0.1:9' }
const LONG = `./${'a'.repeat(110)}`

async function both(directory: string, more = ''): Promise<{ check: Ended; run: Ended; cwd: string }> {
  using dir = new TempDir()
  const config = `log: { level: info }\nstate:\n  directory: ${directory}\n${more}`
  await dir.write({ 'clink-worker.yaml': config, 'handlers/h.js': handler(''), taken: 'a file' })
  mkdirSync(join(dir.path, 'odd/journal.db'), { recursive: true })
  const check = await clinkWorker(['check'], { cwd: dir.path })
  expect(readdirSync(dir.path).sort()).toEqual(['clink-worker.yaml', 'handlers', 'odd', 'taken'])
  const run = await clinkWorker(['run', '--once', '--max-time', '5s'], { cwd: dir.path, env: KEY })
  return { check, run, cwd: dir.path }
}

test.each([
  ['that is a file', './taken', '', /"\.\/taken" cannot be used: it is not a directory/],
  ['below a file', './taken/state', '', /"\.\/taken\/state" cannot be used: it is not a directory/],
  ['that cannot be made', '/proc/none', '', /"\/proc\/none" cannot be used: /],
  ['whose journal is no file', './odd', '', /"\.\/odd" cannot be used: \S+\/odd\/journal\.db is not a file/],
  [
    'that is too long for the socket that programs need',
    LONG,
    'routes: [{ name: program, exec: [cat] }]\n',
    /"\.\/a+… is too long: .* at most 107 bytes; choose a shorter state\.directory/,
  ],
])(
  'a state directory %s is refused as run would refuse it, by file, line and value',
  async (_, directory, more, why) => {
    const { check, run } = await both(directory, more)
    expect(check.stdout).toMatch(
      new RegExp(`^state +failed +\\S+clink-worker\\.yaml:3:14: state\\.directory: ${why.source}`, 'm'),
    )
    expect([check.code, run.code]).toEqual([78, 78])
  },
)

test('one that is too long for a socket that only commands need is a warning: the worker works', async () => {
  const { check } = await both(LONG)
  expect(check).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^state +warning +\S+:3:14: state\.directory: /m),
  })
})

test('one on a full disk is refused for now, as run would refuse it', async (context) => {
  using disk = new SmallDisk(context)
  disk.fill()
  const { check, run } = await both(disk.state)
  expect(check.stdout).toMatch(/^state +failed +\S+:3:14: state\.directory: "\S+" cannot be used: the disk is full: /m)
  expect([check.code, run.code]).toEqual([75, 75])
})

test('one that is not there yet is in order, and is not made', async () => {
  const { check, cwd } = await both('./new/state')
  expect(check.stdout).toContain(`${cwd}/new/state`)
})

test('a state directory that nobody has chosen is named, and said to be written nowhere', async () => {
  using dir = new TempDir()
  await dir.write({ 'clink-worker.yaml': 'log: { level: info }\n', 'handlers/h.js': handler(''), state: 'a file' })
  expect(await clinkWorker(['check'], { cwd: dir.path })).toMatchObject({
    code: 78,
    stdout: expect.stringMatching(
      /^state +failed +state\.directory: \S+\/state cannot be used: it is not a directory$/m,
    ),
  })
})

test('a link that leads nowhere is refused as run would refuse it', async () => {
  using dir = new TempDir()
  await dir.write({ 'handlers/h.js': handler('') })
  symlinkSync('/none/at/all', join(dir.path, 'state'))
  const check = await clinkWorker(['check'], { cwd: dir.path })
  expect(check.stdout).toMatch(/^state +failed .*cannot be used: it is a link that leads nowhere$/m)
  const run = await clinkWorker(['run', '--once', '--max-time', '5s'], { cwd: dir.path, env: KEY })
  expect([check.code, run.code]).toEqual([78, 78])
})
