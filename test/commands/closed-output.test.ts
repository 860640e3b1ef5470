import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

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
