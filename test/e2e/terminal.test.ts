import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { stillClaimed } from '../support/record.ts'
import { until } from '../support/until.ts'
import { isAlive, Site } from '../support/command.ts'
import { built } from '../support/program.ts'
import { surroundings } from '../support/surroundings.ts'

const config = 'poll: { interval: 50ms, maxInterval: 200ms }\nlog: { level: error }\n'
const handler = `
import { appendFile } from 'node:fs/promises'
export default async (clink, ctx) => {
  await appendFile(process.env['NOTES'], clink.clink_id + '\\n')
  if (clink.content === 'quick') return 'done'
  if (!ctx.draining.aborted) await new Promise((resolve) => ctx.draining.addEventListener('abort', resolve))
  return 'drained'
}
`

it.for([
  ['with all streams in it', ''],
  ['though its output goes into a file', '>log 2>&1'],
  ['though only standard error is left in it', '</dev/null >log'],
] as const)(
  '§6: a worker with a quiet log, %s, ends in order when its terminal closes',
  async ([, redirected], context) => {
    if (spawnSync('python3', ['--version']).status !== 0) context.skip('there is no python3 that could make a terminal')
    await using site = await Site.open({ handler, config })
    const held = site.emulator.send('ops', 'held', { from: 'bob' }).clink_id
    const shown = join(site.directory, 'shown')
    const line = `exec "${process.execPath}" "${built}" run ${redirected}`
    const terminal = spawn('python3', [join(import.meta.dirname, 'terminal.py'), shown, 'sh', '-c', line], {
      cwd: site.directory,
      env: { ...surroundings, HOME: site.directory, NO_COLOR: '1', ...site.env },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const answers = createInterface({ input: terminal.stdout })[Symbol.asyncIterator]()
    const { value: pid } = await answers.next()
    try {
      await until(async () => (await site.noted()).includes(held), 'the handler runs')
      terminal.stdin.write('\n')
      const { value: code } = await answers.next()

      expect(code, readFileSync(shown, 'utf8')).toBe('0')
      expect(isAlive(Number(pid))).toBe(false)
      expect(site.emulator.clink(held)?.status).toBe('completed')
      expect(stillClaimed(site.emulator)).toEqual([])
    } finally {
      terminal.kill('SIGKILL')
      if (isAlive(Number(pid))) process.kill(Number(pid), 'SIGKILL')
    }
  },
)

it('§6: HUP reloads a worker that was started in no terminal, and USR2 writes what is in hand at every level of the log', async () => {
  await using site = await Site.open({ handler, config })
  const held = site.emulator.send('ops', 'held', { from: 'bob' }).clink_id
  const command = site.start('run')
  await until(async () => (await site.noted()).includes(held), 'the handler runs')
  command.signal('SIGHUP')
  command.signal('SIGUSR2')
  await until(
    () => command.output.includes('worker.status'),
    () => `it says what is in hand:\n${command.output}`,
  )
  const line = command.output.split('\n').find((text) => text.includes('worker.status')) ?? ''
  expect(JSON.parse(line)).toMatchObject({
    level: 'info',
    ready: true,
    alive: true,
    reasons: [],
    running: 1,
    completed: 0,
  })
  const quick = site.emulator.send('ops', 'quick', { from: 'bob' }).clink_id
  await until(() => site.emulator.clink(quick)?.status === 'completed', 'it goes on working')
  command.signal('SIGTERM')
  expect(await command.exited, command.output).toBe(0)
})
