import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { clinkWorker } from '../support/cli.ts'
import { ROOT } from '../support/documented.ts'
import { answers } from '../support/record.ts'
import { Site } from '../support/site.ts'

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
const [, file = '', code = ''] = /^`(handlers\/\S+)`, run as it is.*?^```ts\n(.*?)^```$/ms.exec(readme) ?? []
const [, block = ''] = /## Run it on your inbox\n\n```sh\n(.*?)^```$/ms.exec(readme) ?? []

/** What follows `npx clink-worker`, as a shell splits it. */
const argsOf = (command: string): readonly string[] =>
  [...command.matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word)
const printed = (text: string): readonly string[] =>
  [...text.matchAll(/npx clink-worker ([^`\n]+)/g)].map(([, command = '']) => command)

it('the commands that the README prints work as printed, with its first handler', async () => {
  await using site = await Site.start({ [file]: code })
  const cwd = site.dir.path
  mkdirSync(join(cwd, 'node_modules'))
  symlinkSync(ROOT, join(cwd, 'node_modules/clink-worker'))
  const [invoke = ''] = printed(readme).filter((command) => command.startsWith('invoke '))
  expect(await clinkWorker(argsOf(invoke), { cwd })).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^done after .*, with the response:\nDeployed web\n$/),
    stderr: '',
  })

  const [check = '', run = ''] = printed(block)
  expect([check, run]).toEqual(['check --online', 'run'])
  const env = site.env()
  expect(await clinkWorker(argsOf(check), { cwd, env })).toMatchObject({ code: 0 })
  expect(await clinkWorker(['send', 'ops', 'deploy web'], { cwd, env: site.env('bob') })).toMatchObject({ code: 0 })
  expect(await clinkWorker([...argsOf(run), '--once'], { cwd, env })).toMatchObject({ code: 0 })
  expect(answers(site.emulator)).toMatchObject([{ content: expect.stringMatching(/^Deployed web/) }])
})

it('init writes beside it what does not stand in its way, as the README says', async () => {
  await using site = await Site.start({ [file]: code })
  const cwd = site.dir.path
  expect(printed(readme)).toContain('init')
  expect(await clinkWorker(['init'], { cwd })).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`left  ${file}`),
  })
  expect(await clinkWorker(['check'], { cwd })).toMatchObject({ code: 0 })
})
