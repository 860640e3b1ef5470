import { describe, expect, it } from 'vitest'
import { answers, stillClaimed, story } from '../support/record.ts'
import { until } from '../support/until.ts'
import { Site } from '../support/command.ts'

const handler = (body: string): string => `
import { appendFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { defineHandler } from 'clink-worker'

export default defineHandler(async (clink, ctx) => {
  appendFileSync(process.env['NOTES'] ?? '', clink.content + ' ' + ctx.attempt + '\\n')
  ${body}
})
`
const polls = 'poll: { interval: 50ms, maxInterval: 200ms }\n'

describe.concurrent('§9: run --once', () => {
  it('waits for what is held and tried again, and exits with 0', { timeout: 60_000 }, async () => {
    const fails = handler(`if (ctx.attempt === 1) throw new Error('not yet')\n  return 'done'`)
    await using site = await Site.open({ handler: fails, config: `${polls}retry: { backoff: 1s }\n` })
    const ids = site.sendMany(3)
    const command = site.start('run', '--once')

    expect(await command.exited, command.output).toBe(0)
    for (const id of ids) expect(story(site.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    expect(await site.noted()).toHaveLength(6)
  })

  it('works what came while the last was being settled', { timeout: 60_000 }, async () => {
    await using site = await Site.open({ handler: handler(`return 'done'`), config: polls })
    const slow = site.fault({ operation: 'complete_clink', nth: 1 }, { delayBefore: 1_000 })
    const [first = ''] = site.sendMany(1)
    const command = site.start('run', '--once')
    await until(() => slow.hits > 0, 'it is being completed')
    const { clink_id: second } = site.emulator.send('ops', 'late', { from: 'bob' })

    expect(await command.exited, command.output).toBe(0)
    for (const id of [first, second]) expect(site.emulator.clink(id)?.status).toBe('completed')
  })

  it('exits with 1 where something was given up, after the rest was worked', { timeout: 60_000 }, async () => {
    const rejects = handler(`return clink.content === 'task 1' ? ctx.reject('no') : 'done'`)
    await using site = await Site.open({ handler: rejects, config: polls })
    const ids = site.sendMany(3)
    const command = site.start('run', '--once')

    expect(await command.exited, command.output).toBe(1)
    expect(ids.map((id) => site.emulator.clink(id)?.status)).toEqual(['completed', 'pending', 'completed'])
    expect(stillClaimed(site.emulator)).toEqual([])
  })

  it(
    'exits with 69 when the service goes away on the way, and the next one sends the result that there was',
    { timeout: 60_000 },
    async () => {
      const config = `${polls}shutdown: { timeout: 4s, drain: 2s }\n`
      await using site = await Site.open({ handler: handler(`await delay(500)\n  return 'done'`), config })
      const [id = ''] = site.sendMany(1)
      const command = site.start('run', '--once')
      await until(async () => (await site.noted()).length === 1, 'the handler runs')
      site.emulator.disconnect()

      expect(await command.exited, command.output).toBe(69)
      const stopped = command.output.split('\n').findLast((line) => line.includes('"worker.stopped"')) ?? '{}'
      expect(JSON.parse(stopped)).toMatchObject({ level: 'error', leftBehind: [id] })
      await site.emulator.reconnect()
      const next = site.start('run', '--once')
      expect(await next.exited, next.output).toBe(0)
      expect(story(site.emulator, id)).toEqual(['created', 'claimed', 'completed'])
      expect(await site.noted()).toEqual(['task 0 1'])
      expect(answers(site.emulator).map(({ content }) => content)).toEqual([expect.stringMatching(/^done/)])
    },
  )

  it(
    '--max-time ends it while a clink is held and another runs, and gives both back',
    { timeout: 60_000 },
    async () => {
      const mixed = handler(
        `if (clink.content === 'task 0') throw new Error('later')\n  await delay(60_000, undefined, { signal: ctx.signal })`,
      )
      const config = `${polls}retry: { backoff: 1h, maxBackoff: 1h }\nshutdown: { timeout: 4s, drain: 500ms }\n`
      await using site = await Site.open({ handler: mixed, config })
      const ids = site.sendMany(2)
      const start = performance.now()
      const command = site.start('run', '--once', '--max-time', '5s')

      expect(await command.exited, command.output).toBe(0)
      expect(performance.now() - start).toBeLessThan(30_000)
      for (const id of ids) expect(story(site.emulator, id)).toEqual(['created', 'claimed', 'released'])
      expect((await site.noted()).sort()).toEqual(['task 0 1', 'task 1 1'])
    },
  )
})
