import { describe, expect, it } from 'vitest'
import { stillClaimed, times } from '../worker/record.ts'
import { until } from '../worker/until.ts'
import { Site } from './command.ts'

const NOTE = `
import { appendFileSync } from 'node:fs'
import { defineHandler } from 'clink-worker'
const note = (text: string): void => appendFileSync(process.env['NOTES'] ?? '', text + '\\n')
`

const slow = `${NOTE}
export default defineHandler(async (clink, ctx) => {
  note(clink.content + ' ' + ctx.attempt)
  if (ctx.attempt === 1) await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
  return 'done'
})
`

const poison = `${NOTE}
export default defineHandler(async (clink, ctx) => {
  note(clink.content)
  await new Promise((resolve) => setTimeout(resolve, 300))
  if (clink.content === 'poison') process.kill(process.pid, 'SIGKILL')
  return 'done'
})
`

describe('P9, §7: after a kill -9', () => {
  it(
    'the next start holds on to the claims at once, and runs their clinks as attempt 2',
    { timeout: 60_000 },
    async () => {
      await using site = await Site.open({ handler: slow, config: 'concurrency: 10\n' })
      const ids = site.sendMany(10)
      const first = site.start('run')
      await until(
        async () => (await site.noted()).length === 10,
        () => `all ten run:\n${first.output}`,
      )
      first.signal('SIGKILL')
      await first.exited
      const second = site.start('run')
      await until(
        () => ids.every((id) => site.emulator.clink(id)?.status === 'completed'),
        () => `the next one completes them:\n${second.output}`,
      )
      second.signal('SIGTERM')

      expect(await second.exited, second.output).toBe(0)
      const attempts = (await site.noted()).map((line) => line.split(' ').at(-1) ?? '')
      expect(attempts.sort()).toEqual([
        ...Array.from({ length: 10 }, () => '1'),
        ...Array.from({ length: 10 }, () => '2'),
      ])
      for (const id of ids) expect(times(site.emulator, id, 'claimed')).toBe(1)
    },
  )

  it('P5: a result that was journalled is sent without running its handler again', { timeout: 60_000 }, async () => {
    const quick = slow.replace('if (ctx.attempt === 1)', 'if (ctx.attempt > 9)')
    await using site = await Site.open({ handler: quick, config: 'concurrency: 1\n' })
    const away = site.fault({ operation: 'complete_clink' }, { status: 503 })
    const [id = ''] = site.sendMany(1)
    const first = site.start('run')
    await until(
      () => away.hits > 0,
      () => `it tries to complete:\n${first.output}`,
    )
    first.signal('SIGKILL')
    await first.exited
    away.remove()
    const second = site.start('run')
    await until(
      () => site.emulator.clink(id)?.status === 'completed',
      () => `the next one sends the result:\n${second.output}`,
    )

    expect(await site.noted()).toEqual(['task 0 1'])
  })

  it(
    'a clink that kills the process is found and given up, and those beside it lose nothing',
    { timeout: 120_000 },
    async () => {
      await using site = await Site.open({ handler: poison, config: 'concurrency: 10\nretry: { attempts: 2 }\n' })
      const innocent = site.sendMany(9)
      const id = site.emulator.send('ops', 'poison', { from: 'bob' }).clink_id
      let output = ''
      let exit: number | null = null
      for (let starts = 0; starts < 12 && exit === null; starts += 1) {
        const command = site.start('run', '--once')
        exit = await command.exited
        output += command.output
      }

      expect(exit, output).toBe(1)
      const ran = await site.noted()
      // Two crashes in company, then three alone.
      expect(ran.filter((line) => line === 'poison')).toHaveLength(5)
      expect(output.split('"event":"clink.deadLettered"')).toHaveLength(2)
      expect(output).toMatch(new RegExp(`"event":"clink.deadLettered","clink":"${id}"`))
      for (const one of innocent) expect(site.emulator.clink(one)?.status).toBe('completed')
      expect(site.emulator.clink(id)?.status).toBe('pending')
      expect(stillClaimed(site.emulator)).toEqual([])
    },
  )

  it(
    'a second worker on the same state directory is refused with 75 and told who has it',
    { timeout: 60_000 },
    async () => {
      await using site = await Site.open({ handler: slow, config: 'concurrency: 1\n' })
      const first = site.start('run')
      await until(
        () => first.output.includes('worker.ready'),
        () => `the first is ready:\n${first.output}`,
      )
      const second = site.start('run')

      expect(await second.exited).toBe(75)
      expect(second.output).toMatch(/held by another worker \(pid \d+ on /)
    },
  )
})
