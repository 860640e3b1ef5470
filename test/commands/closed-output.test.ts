import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { clinkWorker } from './cli.ts'
import { TempDir } from './temp-dir.ts'

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

test.each([
  ['api', '--help'],
  ['init', '--help'],
])('%s %s into a reader that leaves says nothing about it', (...args) => {
  // The reader is gone before anything is written.
  const command = `{ "$0" "$1" "$2" "$3"; echo "code $?" >&2; } | true`
  const { stderr } = spawnSync('sh', ['-c', command, process.execPath, CLI, ...args], {
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
