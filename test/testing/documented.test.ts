import { execFile } from 'node:child_process'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { directoryWith } from '../support/handler-files.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The files that docs/testing.md shows, beside an installed package. */
async function documented(): Promise<{ readonly cwd: string; readonly tests: readonly string[] }> {
  const text = await readFile(join(ROOT, 'docs/testing.md'), 'utf8')
  const files = [...text.matchAll(/```js\n\/\/ (\S+)\n(.*?)```/gs)].map(
    ([, name = '', code = '']) => [name, code] as const,
  )
  const cwd = await directoryWith({ 'package.json': '{ "type": "module" }', ...Object.fromEntries(files) })
  await mkdir(join(cwd, 'node_modules'))
  await symlink(ROOT, join(cwd, 'node_modules/clink-worker'))
  return { cwd, tests: files.flatMap(([name]) => (name.startsWith('test/') ? [name] : [])) }
}

it('what docs/testing.md shows passes under node:test', async () => {
  const { cwd, tests } = await documented()
  expect(tests).toHaveLength(2)
  const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap', ...tests], { cwd, env: {} })
  expect(stdout).toContain('# pass 5')
  expect(stdout).toContain('# fail 0')
})

it('and under vitest', async () => {
  const { cwd, tests } = await documented()
  for (const name of tests) {
    const code = await readFile(join(cwd, name), 'utf8')
    await writeFile(join(cwd, name), code.replace("from 'node:test'", "from 'vitest'"))
  }
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs')
  const { stdout } = await run(process.execPath, [vitest, 'run', '--root', cwd, '--no-cache'], {
    cwd,
    env: { PATH: dirname(process.execPath), NO_COLOR: '1' },
  })
  expect(stdout).toMatch(/Tests +5 passed \(5\)/)
})
