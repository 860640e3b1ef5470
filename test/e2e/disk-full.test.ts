import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { SmallDisk } from '../support/small-disk.ts'
import { stillClaimed, story } from '../support/record.ts'
import { until } from '../support/until.ts'
import { Site, type Command } from '../support/command.ts'

const handler = `
import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { defineHandler } from 'clink-worker'

export default defineHandler(async (clink, ctx) => {
  appendFileSync(process.env['NOTES'] ?? '', clink.content + '\\n')
  while (!existsSync('go')) await delay(20, undefined, { signal: ctx.signal })
  return 'x'.repeat(4_000)
})
`

/** The results of so many do not fit into what the journal's files have room for without growing. */
const MANY = 20

async function ready(site: Site): Promise<Command> {
  const command = site.start('health', 'ready')
  await command.exited
  return command
}

it(
  'P5, §3: on a full disk nothing new starts, what runs ends well, the log says why, and space is all it needs to go on',
  { timeout: 60_000 },
  async (context) => {
    using disk = new SmallDisk(context)
    const config = `state: { directory: ${disk.state} }\npoll: { interval: 50ms, maxInterval: 1s }\nconcurrency: ${MANY}\n`
    await using site = await Site.open({ handler, config })
    const { emulator } = site
    const early = site.sendMany(MANY)
    const command = site.start('run')
    await until(
      async () => (await site.noted()).length === MANY,
      () => `all run:\n${command.output}`,
    )
    disk.fill()
    await writeFile(join(site.directory, 'go'), '')
    await until(
      () => early.every((id) => emulator.clink(id)?.status === 'completed'),
      () => `what ran is completed from memory:\n${command.output}`,
    )
    await until(
      () => command.output.includes('journal.failed'),
      () => `the log says why:\n${command.output}`,
    )
    expect(command.output).toMatch(/"event":"journal.failed","problem":"[^"]*the disk is full: free some space/)
    const late = ['late', 'later'].map((text) => emulator.send('ops', text, { from: 'bob' }).clink_id)
    const unready = await ready(site)
    expect(await unready.exited).toBe(1)
    expect(unready.output).toMatch(/^not ready\nthe journal cannot be written: .*full/)
    // Nor claimed: it could not be remembered.
    expect(late.map((id) => emulator.clink(id)?.status)).toEqual(['pending', 'pending'])
    expect(await site.noted()).toHaveLength(MANY)
    expect(command.output).not.toContain('journal.recovered')

    disk.free()
    await until(
      () => late.every((id) => emulator.clink(id)?.status === 'completed'),
      () => `it goes on by itself:\n${command.output}`,
    )
    expect(command.output).toContain('journal.recovered')
    for (const id of [...early, ...late]) expect(story(emulator, id)).toEqual(['created', 'claimed', 'completed'])
    expect(await site.noted()).toHaveLength(MANY + 2)
    command.signal('SIGTERM')
    expect(await command.exited, command.output).toBe(0)
    expect(stillClaimed(emulator)).toEqual([])
  },
)

it(
  'P8, §9: --once on a full disk ends with 75 and the reason when what ran has ended, and leaves the rest in the inbox',
  { timeout: 60_000 },
  async (context) => {
    using disk = new SmallDisk(context)
    const config = `state: { directory: ${disk.state} }\npoll: { interval: 50ms, maxInterval: 1s }\nconcurrency: ${MANY}\n`
    await using site = await Site.open({ handler, config })
    const { emulator } = site
    const ids = site.sendMany(MANY + 2)
    const command = site.start('run', '--once')
    await until(async () => (await site.noted()).length === MANY, 'all but two run')
    disk.fill()
    await site.write('go')

    expect(await command.exited, command.output).toBe(75)
    expect(command.output).toMatch(
      /"event":"worker.stopping","reason":"the journal cannot be written: the disk is full/,
    )
    const count = (status: string): number => ids.filter((id) => emulator.clink(id)?.status === status).length
    expect([count('completed'), count('pending')]).toEqual([MANY, 2])
    expect(stillClaimed(emulator)).toEqual([])
  },
)
