import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { clinkWorker } from '../support/cli.ts'
import { built } from '../support/program.ts'
import { TempDir } from '../support/temp-dir.ts'

test.each([
  ['api', '--help'],
  ['init', '--help'],
])('%s %s into a reader that leaves says nothing about it', (...args) => {
  // The reader is gone before anything is written.
  const command = `{ "$0" "$1" "$2" "$3"; echo "code $?" >&2; } | true`
  const { stderr } = spawnSync('sh', ['-c', command, process.execPath, built, ...args], {
    encoding: 'utf8',
  })
  expect(stderr).toBe('code 0\n')
})

test('output that no pipe takes at once arrives whole', async () => {
  using dir = new TempDir()
  const keys = Array.from({ length: 18_000 }, (_, n) => `key${n}: 1`)
  await dir.write({ 'clink-worker.yaml': keys.join('\n') })
  const { code, stdout } = await clinkWorker(['check', '--json'], { cwd: dir.path })
  expect({ code, end: stdout.slice(-2) }).toEqual({ code: 78, end: '}\n' })
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, exit: 78 })
})

test('output that cannot be written is no success', (context) => {
  if (!existsSync('/dev/full')) context.skip('there is no /dev/full')
  const { stderr } = spawnSync(
    'sh',
    ['-c', '"$0" "$1" api --help > /dev/full; echo "code $?" >&2', process.execPath, built],
    {
      encoding: 'utf8',
    },
  )
  expect(stderr).toMatch(/^clink-worker: the output cannot be written: ENOSPC.*\ncode 1\n$/)
})

test.each([
  ['--version', /^\d+\.\d+\.\d+\ncode 0\n$/],
  ['inbox', /^clink-worker: the working directory is gone; start this in one that is there\ncode 64\n$/],
])('%s in a directory that was removed', (command, said) => {
  using dir = new TempDir()
  const script = 'mkdir gone; cd gone; rmdir ../gone; "$0" "$1" "$2" 2>&1; echo "code $?"'
  const { stdout } = spawnSync('sh', ['-c', script, process.execPath, built, command], {
    cwd: dir.path,
    encoding: 'utf8',
  })
  expect(stdout).toMatch(said)
})
