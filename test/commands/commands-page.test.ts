import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Cli } from '../support/cli.ts'
import { ROOT } from '../support/documented.ts'
import { handler, Site } from '../support/site.ts'
import { until } from '../support/until.ts'

const page = readFileSync(join(ROOT, 'docs/commands.md'), 'utf8')

/** What follows `clink-worker` in the blocks of the page, in its order, as a shell splits it. */
const commands = [...page.matchAll(/^```sh\n(.*?)^```$/gms)]
  .flatMap(([, block = '']) => block.trim().split('\n'))
  .map((line) => {
    expect(line).toMatch(/^clink-worker /)
    return [...line.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word).slice(1)
  })

const WORK = `
  if (clink.content === 'fails') throw new Error('connect ECONNREFUSED 127.0.0.1:5432')
  await new Promise((resolve, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)))`

it('every command of docs/commands.md works as it stands there', { timeout: 120_000 }, async () => {
  expect(commands.length).toBeGreaterThan(15)
  const config = 'retry: { attempts: 1 }\nclaim: { exclusive: true }\nroutes: [{ name: deploy, use: handlers/h.js }]\n'
  await using site = await Site.start({ 'handlers/h.js': handler(WORK), 'clink-worker.yaml': config })
  const run = (args: readonly string[]): Cli => site.cli(args)
  await using worker = site.run()
  await worker.said(/worker\.ready/)
  for (let n = 0; n < 2; n += 1) site.emulator.send('ops', 'fails')
  await until(() => worker.stdout.split('clink.deadLettered').length > 2, 'two are given up')
  for (const words of commands) {
    const text = words.join(' ')
    // Those of a fleet need one: test/e2e/fleet-page.test.ts runs them.
    if (words[0] === 'run' || words.includes('--fleet')) continue
    const { clink_id: id } = words[0] === 'cancel' ? site.emulator.send('ops', 'runs') : { clink_id: '' }
    if (id !== '') await until(() => worker.stdout.includes(`"clink.started","clink":"${id}"`), `${id} runs`)
    await using command = run(words.map((word) => (word === 'msg_…' ? id : word)))
    const ended = await command.ended
    expect(ended, text).toMatchObject({ code: 0, stderr: '' })
    if (words[1] === 'retry') expect(ended.stdout).toMatch(/^2 dead letters to be run again$/m)
  }
  expect((await worker.ended).code).toBe(0)
  const [forever = []] = commands.filter(([name]) => name === 'run')
  await using last = run(forever.map((word) => (word === '10m' ? '1s' : word)))
  expect(await last.ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/worker\.stopping.*--idle-exit/) })
})
