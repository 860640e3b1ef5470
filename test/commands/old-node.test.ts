import { execFileSync, spawnSync } from 'node:child_process'
import { stripTypeScriptTypes } from 'node:module'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { TempDir } from '../support/temp-dir.ts'

const source = readFileSync(new URL('../../src/cli.ts', import.meta.url), 'utf8')

test('the program has no static imports, so that an older Node gets as far as its own sentence', () => {
  expect(source).not.toMatch(/^import /m)
})

test.each([
  ['20.20.2', false],
  ['14.21.3', false],
  ['22.21.9', false],
  ['22.22.0', true],
  ['24.0.0', true],
])('Node %s is taken: %s', async (version, taken) => {
  using dir = new TempDir()
  await dir.write({
    'package.json': '{"type":"module"}',
    'cli.js': stripTypeScriptTypes(source).replace('./commands/program.ts', './program.js'),
    'program.js': 'export const main = async () => console.log("started")',
    'pretend.cjs': `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`,
  })
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-r', './pretend.cjs', 'cli.js'], {
    cwd: dir.path,
    encoding: 'utf8',
  })
  if (taken) {
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'started\n', stderr: '' })
  } else {
    expect({ status, stdout }).toEqual({ status: 78, stdout: '' })
    expect(stderr).toMatch(/^clink-worker: this is Node \S+, and .*npm install node@24.*npx clink-worker.*\n$/)
    expect(stderr).toContain(`Node ${version}`)
  }
})

test('a real older Node says it too', async (context) => {
  const version = olderNode()
  if (version === undefined) context.skip('there is no /usr/bin/node older than 22.22 here')
  using dir = new TempDir()
  await dir.write({
    'package.json': '{"type":"module"}',
    'cli.js': stripTypeScriptTypes(source),
  })
  const { status, stderr } = spawnSync('/usr/bin/node', ['cli.js', 'run'], { cwd: dir.path, encoding: 'utf8' })
  expect(status).toBe(78)
  expect(stderr).toContain(`this is Node ${version}`)
  expect(stderr.trimEnd().split('\n')).toHaveLength(1)
})

function olderNode(): string | undefined {
  try {
    const version = execFileSync('/usr/bin/node', ['--version'], { encoding: 'utf8' }).trim().slice(1)
    return Number(version.split('.')[0]) < 22 ? version : undefined
  } catch {
    return undefined
  }
}
