import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { answers, requests, story } from '../support/record.ts'
import { until } from '../support/until.ts'
import { Site, type Command } from '../support/command.ts'

const handler = `
import { appendFileSync, existsSync } from 'node:fs'
import { defineHandler } from 'clink-worker'

export default defineHandler((clink, ctx) => {
  appendFileSync(process.env['NOTES'] ?? '', clink.content + ' ' + ctx.attempt + '\\n')
  if (clink.content === 'bad' && !existsSync('repaired')) throw new Error('not repaired')
  return 'done at last'
})
`
const config = `
retry: { attempts: 3, backoff: 1s }
poll: { interval: 50ms, maxInterval: 100ms }
`

const told = `retry: { attempts: 1, onExhausted: complete }
poll: { interval: 50ms, maxInterval: 100ms }
`

async function stop(command: Command): Promise<void> {
  command.signal('SIGTERM')
  expect(await command.exited, command.output).toBe(0)
}

it(
  'P10, §5: a clink that fails three times is started three times on one claim, given up over a restart too, and brought back by hand',
  { timeout: 60_000 },
  async () => {
    await using site = await Site.open({ handler, config })
    const { emulator } = site
    const { clink_id: bad } = emulator.send('ops', 'bad', { from: 'bob' })
    const first = site.start('run')
    await until(
      () => first.output.includes('clink.deadLettered') && story(emulator, bad).includes('released'),
      () => `it is given up and released:\n${first.output}`,
    )
    // The next poll claims it again, as soon as a moment later, and parks it.
    expect(story(emulator, bad).slice(0, 3)).toEqual(['created', 'claimed', 'released'])
    expect(await site.noted()).toEqual(['bad 1', 'bad 2', 'bad 3'])
    await stop(first)

    const second = site.start('run')
    const polls = requests(emulator, 'check_inbox').length
    await until(
      () => requests(emulator, 'check_inbox').length > polls + 5,
      () => `the next one polls:\n${second.output}`,
    )
    const { clink_id: good } = emulator.send('ops', 'good', { from: 'bob' })
    await until(
      () => emulator.clink(good)?.status === 'completed',
      () => `others are worked:\n${second.output}`,
    )
    expect(await site.noted()).toEqual(['bad 1', 'bad 2', 'bad 3', 'good 1'])

    await writeFile(join(site.directory, 'repaired'), '')
    const retry = site.start('failed', 'retry', bad)
    expect(await retry.exited, retry.output).toBe(0)
    await until(
      () => emulator.clink(bad)?.status === 'completed',
      () => `it is run again:\n${second.output}`,
    )
    await stop(second)
    expect(await site.noted()).toEqual(['bad 1', 'bad 2', 'bad 3', 'good 1', 'bad 1'])
    expect(answers(emulator).map(({ content }) => content)).toEqual(['done at last', 'done at last'])
  },
)

it.each([
  ['while its claim stands', 300, ['created', 'claimed', 'completed']],
  ['after its claim has run out', 3, ['created', 'claimed', 'expired', 'claimed', 'completed']],
])(
  'P1, §5: a sender that was being told that its clink failed when the process was killed is told by the next one, %s',
  { timeout: 60_000 },
  async (_, defaultTimeout, expected) => {
    await using site = await Site.open({ handler, config: told, emulator: { switches: { defaultTimeout } } })
    const { emulator } = site
    const hangs = site.fault({ operation: 'complete_clink' }, { hang: 'before' })
    const { clink_id: bad } = emulator.send('ops', 'bad', { from: 'bob' })
    const first = site.start('run')
    await until(
      () => hangs.hits > 0,
      () => `its sender is being told:\n${first.output}`,
    )
    first.signal('SIGKILL')
    await first.exited
    hangs.remove()
    const untold = site.start('failed', 'show', bad)
    expect([await untold.exited, untold.output]).toEqual([0, expect.stringContaining('Clink has not confirmed yet')])
    if (expected.includes('expired')) await until(() => emulator.clink(bad)?.status === 'pending', 'its claim runs out')

    const second = site.start('run')
    await until(
      () => emulator.clink(bad)?.status === 'completed',
      () => `the next one tells it:\n${second.output}`,
    )
    await stop(second)
    expect(story(emulator, bad).filter((what) => what !== 'renewed')).toEqual(expected)
    expect(await site.noted()).toEqual(['bad 1'])
    expect(answers(emulator).map(({ content }) => content)).toEqual([
      expect.stringMatching(/^This could not be done \(handler-failed/),
    ])
    const show = site.start('failed', 'show', bad)
    expect([await show.exited, show.output]).toEqual([0, expect.stringContaining('its sender got the answer')])
  },
)
