import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { clinkWorker } from '../../support/cli.ts'
import { Site } from '../../support/site.ts'
import { TempDir } from '../../support/temp-dir.ts'

const FILES = ['clink-worker.yaml', 'handlers/hello.ts', 'handlers/hello.test.ts', 'clink-worker.service']

test('init writes a worker whose configuration, handler and test work as they stand', async () => {
  using dir = new TempDir()
  const { code, stdout } = await clinkWorker(['init', 'new'], { cwd: dir.path })
  expect(code).toBe(0)
  for (const file of FILES) expect(stdout).toContain(`wrote new/${file}\n`)

  const cwd = join(dir.path, 'new')
  const tested = spawnSync(process.execPath, ['--test', 'handlers/hello.test.ts'], { cwd, encoding: 'utf8' })
  expect(tested).toMatchObject({ status: 0 })
  expect(await clinkWorker(['check'], { cwd })).toMatchObject({ code: 0 })
  const invoked = await clinkWorker(['invoke', 'handlers/hello.ts', '--text', 'hi'], { cwd })
  expect(invoked).toMatchObject({ code: 0 })
  expect(invoked.stdout).toContain('you said: hi')
})

test('init overwrites nothing and says what it left', async () => {
  using dir = new TempDir()
  await dir.write({ 'clink-worker.yaml': 'mine: 1\n', 'handlers/hello.ts': 'mine' })
  const { code, stdout } = await clinkWorker(['init', '--json'], { cwd: dir.path })
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    written: ['handlers/hello.test.ts', 'clink-worker.service'],
    left: ['clink-worker.yaml', 'handlers/hello.ts'],
  })
  expect(readFileSync(join(dir.path, 'clink-worker.yaml'), 'utf8')).toBe('mine: 1\n')
  expect(readFileSync(join(dir.path, 'handlers/hello.ts'), 'utf8')).toBe('mine')
})

test('a directory that cannot be made is named', async () => {
  using dir = new TempDir()
  await dir.write({ taken: 'a file' })
  const { code, stderr } = await clinkWorker(['init', 'taken'], { cwd: dir.path })
  expect(code).toBe(78)
  expect(stderr).toMatch(/^clink-worker: cannot write .*taken\/clink-worker\.yaml: it is not a directory\n$/)
})

test('beside handlers that are there already init writes none, and all of them load', async () => {
  using dir = new TempDir()
  await dir.write({ 'handlers/mine.js': 'export default () => 1' })
  const { code, stdout } = await clinkWorker(['init'], { cwd: dir.path })
  expect(code).toBe(0)
  expect(stdout).toContain('left  handlers/mine.js, which was there already')
  expect(stdout).not.toContain('hello')
  expect(await clinkWorker(['check'], { cwd: dir.path })).toMatchObject({ code: 0 })
})

test('with what init writes, a sender whose clink is given up is told so', async () => {
  await using site = await Site.start({ 'handlers/work.js': "export default () => { throw new Error('no') }" })
  await clinkWorker(['init'], { cwd: site.dir.path })
  const { clink_id: id } = site.emulator.send('ops', 'to be done', { from: 'bob' })
  const args = ['run', '--once', '--max-time', '20s', '--set', 'retry.attempts=1']
  const { code } = await clinkWorker(args, { cwd: site.dir.path, env: site.env() })
  expect(code).toBe(1)
  const { stdout } = await clinkWorker(['inbox'], { cwd: site.dir.path, env: site.env('bob') })
  expect(stdout).toContain(`This could not be done (handler-failed, ${id}).`)
})
