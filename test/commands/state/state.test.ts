import { existsSync, readdirSync, statSync } from 'node:fs'
import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { Site, type Command } from '../../support/command.ts'
import { times } from '../../support/record.ts'
import { until } from '../../support/until.ts'

const handler = `
import { appendFileSync, existsSync } from 'node:fs'

export default ({ content }, { attempt }) => {
  appendFileSync(process.env['NOTES'] ?? '', content + ' ' + attempt + '\\n')
  if (content === 'bad') throw new Error('never')
  if (content === 'long' && !existsSync('over')) return new Promise(() => {})
  return 'done'
}
`
const config = `
retry: { attempts: 1 }
poll: { interval: 50ms, maxInterval: 100ms }
claim: { exclusive: true }
shutdown: { timeout: 2s, drain: 1s }
`

async function ended(command: Command): Promise<Command> {
  await command.exited
  return command
}

/** A worker that has given up one clink. */
async function withLetter(site: Site): Promise<Command> {
  const command = site.start('run')
  site.emulator.send('ops', 'bad', { from: 'bob' })
  await until(
    () => command.output.includes('clink.deadLettered'),
    () => `it is given up:\n${command.output}`,
  )
  return command
}

it('info counts what is there, whether a worker runs or not, and says who holds it', async () => {
  await using site = await Site.open({ handler, config })
  const command = await withLetter(site)
  const held = await ended(site.start('state', 'info'))
  expect(held.output).toMatch(/^held by +pid \d+ on /m)
  expect(held.output).toMatch(/^dead letters +1$/m)
  command.signal('SIGTERM')
  await command.exited
  const { output } = await ended(site.start('state', 'info', '--json'))
  expect(JSON.parse(output)).toMatchObject({ holder: null, journal: { rows: { letters: 1, in_hand: 0 } }, copies: [] })
})

it('a backup is whole and private though a worker writes all the time, and what was settled since runs again after it is restored', async () => {
  await using site = await Site.open({ handler, config })
  const command = await withLetter(site)
  const { clink_id: long } = site.emulator.send('ops', 'long', { from: 'bob' })
  await until(async () => (await site.noted()).includes('long 1'), 'it runs')
  const backup = await ended(site.start('state', 'backup', 'kept.db'))
  expect(await backup.exited, backup.output).toBe(0)
  expect(statSync(join(site.directory, 'kept.db')).mode & 0o777).toBe(0o600)

  const early = await ended(site.start('state', 'restore', 'kept.db'))
  expect(await early.exited).toBe(75)
  expect(early.output).toContain('is held by another worker')
  command.signal('SIGTERM')
  await command.exited
  expect(site.emulator.clink(long)?.status).toBe('pending')
  const letters = readdirSync(join(site.directory, 'state')).filter((name) => name.startsWith('journal.db.before'))
  expect(letters).toEqual([])

  const late = await ended(site.start('state', 'restore', 'kept.db'))
  expect(await late.exited, late.output).toBe(0)
  expect(late.output).toContain('may run again')
  const info = JSON.parse((await ended(site.start('state', 'info', '--json'))).output) as {
    journal: { rows: object }
    copies: readonly { file: string }[]
  }
  expect(info.journal.rows).toMatchObject({ letters: 1, in_hand: 1 })
  expect(info.copies.map(({ file }) => existsSync(file))).toEqual([true])

  await site.write('over')
  const second = site.start('run')
  await until(
    () => site.emulator.clink(long)?.status === 'completed',
    () => `it is worked:\n${second.output}`,
  )
  second.signal('SIGTERM')
  expect(await second.exited, second.output).toBe(0)
  expect(second.output).not.toContain('worker.resumed')
  expect(times(site.emulator, long, 'completed')).toBe(1)
})

it('the copy from before a migration is restored, and brought up to date again by the next worker', async () => {
  await using site = await Site.open({ handler, config })
  const state = join(site.directory, 'state')
  const old = join(import.meta.dirname, '../../journal/fixtures/before-rooms.db')
  const first = await withLetter(site)
  first.signal('SIGTERM')
  await first.exited
  await copyFile(old, join(site.directory, 'old.db'))
  const restored = await ended(site.start('state', 'restore', 'old.db'))
  expect(await restored.exited, restored.output).toBe(0)
  expect((await ended(site.start('state', 'info'))).output).toMatch(/version \d+ \(this clink-worker writes \d+\)/)
  const second = site.start('run')
  await until(
    () => second.output.includes('worker.ready'),
    () => `it starts:\n${second.output}`,
  )
  second.signal('SIGTERM')
  expect(await second.exited, second.output).toBe(0)
  expect(readdirSync(state).filter((name) => /^journal\.db\.v\d+$/.test(name))).toHaveLength(1)
})

it('what is no journal, a newer one, a file that is there and an empty directory are refused, and nothing is changed', async () => {
  await using site = await Site.open({ handler, config })
  const nothing = await ended(site.start('state', 'info'))
  expect([await nothing.exited, nothing.output.includes('holds nothing: no worker has run with it')]).toEqual([
    78,
    true,
  ])
  const command = await withLetter(site)
  command.signal('SIGTERM')
  await command.exited
  await writeFile(join(site.directory, 'text.db'), 'no journal')
  await site.start('state', 'backup', 'newer.db').exited
  const newer = new DatabaseSync(join(site.directory, 'newer.db'))
  newer.exec('PRAGMA user_version = 9999')
  newer.close()
  const refused = [
    [['restore', 'text.db'], 78, 'text.db cannot be read as a worker'],
    [['restore', 'nowhere.db'], 78, 'nowhere.db cannot be read as a worker'],
    [['restore', 'newer.db'], 78, 'was written by a newer clink-worker'],
    [['backup', 'text.db'], 64, 'there is such a file already'],
    [['backup', 'no/such/place.db'], 64, 'no file can be written there'],
    [['backup', 'n'.repeat(300)], 64, 'no file can be written there'],
    [['backup', 'text.db/below'], 64, 'no file can be written there'],
  ] as const
  for (const [args, exit, text] of refused) {
    const one = await ended(site.start('state', ...args))
    expect([await one.exited, one.output.includes(text)], `${args.join(' ')}:\n${one.output}`).toEqual([exit, true])
  }
  const { output } = await ended(site.start('state', 'info', '--json'))
  expect(JSON.parse(output)).toMatchObject({ journal: { rows: { letters: 1 } }, copies: [] })
})
