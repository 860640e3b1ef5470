import { describe, expect, it } from 'vitest'
import { answers, requestsFor, story, when } from '../support/record.ts'
import { until } from '../support/until.ts'
import { Site } from '../support/command.ts'

// Long enough for a slow machine to claim again and renew in time.
const config = `
concurrency: 5
claim: { timeout: 5s }
poll: { interval: 50ms, maxInterval: 200ms }
`
const emulator = { switches: { defaultTimeout: 5 } }

const handler = (first: string): string => `
import { appendFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { defineHandler } from 'clink-worker'

export default defineHandler(async (clink, ctx) => {
  appendFileSync(process.env['NOTES'] ?? '', clink.clink_id + '\\n')
  if (ctx.attempt > 1) return 'second'
  ${first}
  return 'first'
})
`

/**
 * That nothing was sent about a clink from a moment until it was claimed for the second time, and no first result ever.
 *
 * A poll that was on its way when the worker came to stand still may claim as soon as it goes on: such a claim cannot be
 * trusted for as long as the worker stood still, and is left to expire, which is said. Where the answer comes too late, that the poll was lost is
 * said in its place.
 */
function expectFailedClosed(site: Site, output: string, id: string, since: number): void {
  const again = when(site.emulator, id, 'claimed', 2)
  expect(requestsFor(site.emulator, id).filter(({ at }) => at >= since && at < again)).toEqual([])
  const lines = output.split('\n')
  const left = lines.filter((line) => line.includes('"clink.leftToExpire"') && line.includes(id)).length
  const lost = lines.filter((line) => line.includes('"poll.lost"')).length
  const told = story(site.emulator, id)
  const untrusted = told.filter((moment) => moment === 'claimed').length - 2
  expect(untrusted).toBeGreaterThanOrEqual(left)
  expect(untrusted).toBeLessThanOrEqual(left + lost)
  const between = Array.from({ length: untrusted }).flatMap(() => ['claimed', 'expired'])
  expect(told).toEqual(['created', 'claimed', 'expired', ...between, 'claimed', 'completed'])
}

describe.concurrent('P2, §2: a worker that stands still for longer than its leases', () => {
  it(
    'because a handler does not let go, sends nothing for what it lost, names the handler file, and does the work again',
    { timeout: 60_000 },
    async () => {
      const blocks = `
        await delay(300)
        if (clink.content === 'block') for (const end = Date.now() + 12_000; Date.now() < end; );
        else await delay(1_000)
      `
      await using site = await Site.open({ handler: handler(blocks), config, emulator })
      const ids = ['other', 'block', 'another'].map((text) => site.emulator.send('ops', text).clink_id)
      const command = site.start('run')
      await until(
        () => ids.every((id) => site.emulator.clink(id)?.status === 'completed'),
        () => `all are done in the end:\n${command.output}`,
      )
      const letGo = when(site.emulator, ids[1] ?? '', 'claimed') + 12_000
      command.signal('SIGTERM')

      expect(await command.exited, command.output).toBe(0)
      for (const id of ids) expectFailedClosed(site, command.output, id, letGo)
      expect(answers(site.emulator).map(({ content }) => content)).toEqual(['second', 'second', 'second'])
      expect(await site.noted()).toHaveLength(6)
      const said = command.output.split('\n').filter((line) => line.includes('"worker.stoodStill"'))
      expect(said).toHaveLength(1)
      expect(JSON.parse(said[0] ?? '')).toMatchObject({
        level: 'warn',
        handlers: ['handlers/work.ts'],
        advice: expect.stringContaining('run it in a thread (runner: thread'),
      })
      expect(command.output.split('"event":"clink.lost"')).toHaveLength(4)
    },
  )

  it('because it was stopped and continued, sends nothing for what it lost, and does it once more', async () => {
    await using site = await Site.open({ handler: handler('await delay(3_000)'), config, emulator })
    const ids = site.sendMany(3)
    const command = site.start('run')
    await until(async () => (await site.noted()).length === 3, 'the handlers run')
    command.signal('SIGSTOP')
    await until(() => ids.every((id) => site.emulator.clink(id)?.status === 'pending'), 'the claims run out')
    const continued = site.emulator.now()
    command.signal('SIGCONT')
    await until(
      () => ids.every((id) => site.emulator.clink(id)?.status === 'completed'),
      () => `all are done in the end:\n${command.output}`,
    )
    command.signal('SIGTERM')

    expect(await command.exited, command.output).toBe(0)
    for (const id of ids) expectFailedClosed(site, command.output, id, continued)
    expect(await site.noted()).toHaveLength(6)
    expect(answers(site.emulator).map(({ content }) => content)).toEqual(['second', 'second', 'second'])
  })
})
