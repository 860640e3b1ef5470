import { readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { story } from '../support/record.ts'
import { until } from '../support/until.ts'
import { Site, type Command } from '../support/command.ts'

const config = 'concurrency: 2\npoll: { interval: 50ms, maxInterval: 200ms }\nshutdown: { timeout: 6s, drain: 3s }\n'
const handler = `
import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
export default async (clink, ctx) => {
  appendFileSync(process.env['NOTES'], process.pid + ' ' + clink.clink_id + '\\n')
  while (!existsSync('go')) await delay(20, undefined, { signal: ctx.signal })
  return 'done'
}
`
const FILES = ['control.sock', 'journal.db', 'journal.db-shm', 'journal.db-wal', 'lock.db', 'owner']

async function said(command: Command, text: string): Promise<void> {
  await until(
    () => command.output.includes(text),
    () => `it says ${text}:\n${command.output}`,
  )
}

async function ready(site: Site): Promise<Command> {
  const command = site.start('health', 'ready')
  await command.exited
  return command
}

/** A worker that has one clink in hand. */
async function open(): Promise<{ site: Site; command: Command; state: string; id: string }> {
  const site = await Site.open({ handler, config })
  const [id = ''] = site.sendMany(1)
  const command = site.start('run')
  await until(async () => (await site.noted()).length === 1, 'the handler runs')
  await said(command, 'worker.ready')
  return { site, command, state: join(site.directory, 'state'), id }
}

describe.concurrent('P3, §7: a state directory that is changed under its worker', () => {
  it('has its files touched, so that cleaners that go by age leave them', async () => {
    const { site, command, state } = await open()
    await using _ = site
    expect(readdirSync(state).sort()).toEqual(FILES)
    const lastMonth = Date.now() / 1_000 - 30 * 86_400
    for (const name of FILES) utimesSync(join(state, name), lastMonth, lastMonth)
    const ages = (): number[] => FILES.map((name) => Date.now() - statSync(join(state, name)).mtimeMs)
    await until(() => ages().every((age) => age < 60_000), 'all are touched')
    expect(command.output).not.toContain('state.lost')
  })

  it('without its control socket: that is made anew, and said', async () => {
    const { site, command, state } = await open()
    await using _ = site
    rmSync(join(state, 'control.sock'))
    await said(command, 'control.renewed')
    const answered = await ready(site)
    expect(await answered.exited, answered.output).toBe(0)
    expect(statSync(join(state, 'control.sock')).mode & 0o777).toBe(0o600)
  })

  it.for(['lock.db', 'journal.db'])(
    'without its %s: nothing new starts, what runs ends well, it is not ready and says why',
    async (name) => {
      const { site, command, state, id } = await open()
      await using _ = site
      rmSync(join(state, name))
      await said(command, 'state.lost')
      const late = site.emulator.send('ops', 'late', { from: 'bob' }).clink_id
      const unready = await ready(site)
      expect(await unready.exited).toBe(1)
      expect(unready.output).toContain(`${name} has been removed while this worker has it open`)
      await site.write('go')
      await until(() => site.emulator.clink(id)?.status === 'completed', 'what ran is completed')
      command.signal('SIGTERM')
      expect(await command.exited, command.output).toBe(0)
      expect(story(site.emulator, late)).toEqual(['created'])
    },
  )

  it('with another file in the place of its lock: the same', async () => {
    const { site, command, state } = await open()
    await using _ = site
    renameSync(join(state, 'owner'), join(state, 'lock.db'))
    await said(command, 'lock.db is another file now')
  })

  it('without its lock: a second worker is refused while the first one lives, and told its pid', async () => {
    const { site, command, state } = await open()
    await using _ = site
    rmSync(join(state, 'lock.db'))
    const second = site.start('run')
    expect(await second.exited, second.output).toBe(75)
    expect(second.output).toContain(
      `is held by another worker (pid ${command.pid}), although its file lock.db was removed`,
    )
    command.signal('SIGKILL')
    await command.exited
    const third = site.start('run')
    await said(third, 'worker.resumed')
  })

  it('without anything: a second worker owns it, and the first one starts nothing more and leaves what is the other’s alone', async () => {
    const { site, command, state, id } = await open()
    await using _ = site
    for (const name of FILES) rmSync(join(state, name))
    const second = site.start('run')
    await said(second, 'worker.ready')
    await said(command, 'state.lost')
    const late = site.sendMany(6)
    await site.write('go')
    await until(() => [id, ...late].every((one) => site.emulator.clink(one)?.status === 'completed'), 'all are done')
    const runs = (await site.noted()).map((line) => line.split(' '))
    expect(runs).toHaveLength(7)
    expect(runs.filter(([pid]) => Number(pid) === command.pid)).toEqual([[String(command.pid), id]])

    command.signal('SIGTERM')
    expect(await command.exited, command.output).toBe(0)
    expect(readdirSync(state).sort()).toEqual(FILES)
    const answered = await ready(site)
    expect(await answered.exited, answered.output).toBe(0)
    second.signal('SIGTERM')
    expect(await second.exited, second.output).toBe(0)
  })
})
