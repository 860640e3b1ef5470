import { describe, expect, it } from 'vitest'
import { mostClaimed, story, times } from '../support/record.ts'
import { Site } from '../support/command.ts'
import { until } from '../support/until.ts'

const handler = `
import { appendFile } from 'node:fs/promises'
import { defineHandler } from 'clink-worker'

export default defineHandler(async (clink) => {
  await appendFile(process.env['NOTES']!, clink.clink_id + '\\n')
  return 'done ' + clink.content
})
`

describe('P1, P6: the command', () => {
  it(
    'works 500 clinks with --once, each handled once, never more than 20 claimed, and exits with 0',
    { timeout: 120_000 },
    async () => {
      await using site = await Site.open({ handler, config: 'concurrency: 20\n' })
      const ids = site.sendMany(500)
      const command = site.start('run', '--once')

      expect(await command.exited, command.output).toBe(0)
      expect((await site.noted()).sort()).toEqual([...ids].sort())
      for (const id of ids) expect(story(site.emulator, id)).toEqual(['created', 'claimed', 'completed'])
      expect(mostClaimed(site.emulator)).toBeLessThanOrEqual(20)
    },
  )

  it('loses nothing when it is killed: the next one does the work', { timeout: 60_000 }, async () => {
    const config = 'concurrency: 5\nclaim: { timeout: 2s }\npoll: { interval: 50ms, maxInterval: 200ms }\n'
    const slow = handler.replace('return ', 'await new Promise((done) => setTimeout(done, 100))\n  return ')
    await using site = await Site.open({ handler: slow, config, emulator: { switches: { defaultTimeout: 2 } } })
    const ids = site.sendMany(60)
    const first = site.start('run')
    await until(
      async () => (await site.noted()).length > 10,
      () => `the first works:\n${first.output}`,
    )
    first.signal('SIGKILL')
    await first.exited
    const cut = ids.filter((id) => site.emulator.clink(id)?.status === 'claimed')
    const second = site.start('run')
    await until(
      () => ids.every((id) => site.emulator.clink(id)?.status === 'completed'),
      () => `the second works the rest:\n${second.output}`,
    )

    expect(cut.length).toBeGreaterThan(0)
    for (const id of ids) expect(times(site.emulator, id, 'completed')).toBe(1)
    // Its journal knows them; a claim that ran out before it was up is made again.
    const again = ids.filter((id) => times(site.emulator, id, 'claimed') > 1)
    expect(cut).toEqual(expect.arrayContaining(again))
  })
})
