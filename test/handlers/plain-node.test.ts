import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { directoryWith } from '../support/handler-files.ts'

const run = promisify(execFile)
const SOURCE = new URL('../../src/', import.meta.url).href

/** What the script writes, run by Node itself: no test runner has transformed any of it. */
async function node(script: string, cwd: string): Promise<unknown> {
  const prelude = `
    import { loadConfig } from '${SOURCE}config/load.ts'
    import { loadHandlers } from '${SOURCE}handlers/registry.ts'
    import { defineHandler, HandlerAborted } from '${SOURCE}index.ts'
    const cwd = ${JSON.stringify(cwd)}
    const { config } = await loadConfig({ cwd, env: {} })
    const load = async (generation) => await loadHandlers({ config, cwd, generation })`
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', `${prelude}\n${script}`], {
    cwd,
  })
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

describe('loading under plain Node', () => {
  it('gives handlers the very modules of the running worker, and prints no warning', async () => {
    const cwd = await directoryWith({
      'package.json': '{ "type": "commonjs" }',
      'handlers/a.js': `
        import { defineHandler, HandlerAborted } from 'clink-worker'
        import { text } from './parts/text.ts'
        export default defineHandler({ handle: () => ({ text, defineHandler, HandlerAborted }) })`,
      'handlers/parts/text.ts': 'export const text: string = "typed"',
    })
    const script = `
      const [route] = (await load(1)).routes
      const { text, ...own } = await route.target.handle({}, {})
      const same = own.defineHandler === defineHandler && own.HandlerAborted === HandlerAborted
      console.log(JSON.stringify({ text, same }))`
    expect(await node(script, cwd)).toEqual({ text: 'typed', same: true })
  })

  it('loads each generation anew', async () => {
    const cwd = await directoryWith({
      'handlers/a.ts': "import { text } from './_text.ts'\nexport default () => text",
      'handlers/_text.ts': 'export const text = "old"',
    })
    const script = `
      import { writeFile } from 'node:fs/promises'
      const first = await load(1)
      await writeFile('handlers/_text.ts', 'export const text = "new"')
      const second = await load(2)
      console.log(JSON.stringify(await Promise.all([first, second].map(({ routes }) => routes[0].target.handle({}, {})))))`
    expect(await node(script, cwd)).toEqual(['old', 'new'])
  })
})
