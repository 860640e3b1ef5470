import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { projectOf, ROOT, snippetsOf } from '../support/documented.ts'

const run = promisify(execFile)
/** The files that docs/testing.md shows, beside an installed package. */
async function documented(): Promise<{ readonly cwd: string; readonly tests: readonly string[] }> {
  const snippets = await snippetsOf('testing.md')
  const tests = snippets.flatMap(({ name }) => (name?.startsWith('test/') === true ? [name] : []))
  return { cwd: await projectOf(snippets), tests }
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
