import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { stillClaimed, story } from '../support/record.ts'
import { Site, type Command } from '../support/command.ts'
import { wishIsOver } from '../support/wish.ts'
import { until } from '../support/until.ts'

const handler = (body: string): string => `
import { appendFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { defineHandler } from 'clink-worker'

export default defineHandler(async (clink, ctx) => {
  await appendFile(process.env['NOTES']!, clink.clink_id + '\\n')
  ${body}
})
`
const heeds = handler('await delay(60_000, undefined, { signal: ctx.signal })')
const ignores = handler('await delay(60_000)')

async function running(site: Site, count: number): Promise<{ ids: string[]; command: Command }> {
  const ids = site.sendMany(count)
  const command = site.start('run')
  await until(async () => (await site.noted()).length === count, `${count} handlers run`)
  return { ids, command }
}

describe.concurrent('P8, §6: a signal to the command', () => {
  it.for([
    ['heed their abort', heeds, 'SIGTERM'],
    ['ignore their abort', ignores, 'SIGTERM'],
    ['heed their abort', heeds, 'SIGINT'],
  ] as const)(
    'with 20 handlers that %s has all released in time and exits with 0',
    { timeout: 60_000 },
    async ([, code, name]) => {
      const config = 'concurrency: 20\nshutdown: { timeout: 6s, drain: 2s }\n'
      await using site = await Site.open({ handler: code, config })
      const { ids, command } = await running(site, 20)
      const start = performance.now()
      command.signal(name)
      const exit = await command.exited
      const took = performance.now() - start

      expect(exit, command.output).toBe(0)
      expect(took).toBeLessThan(8_000)
      expect(took).toBeGreaterThan(1_900)
      for (const id of ids) expect(story(site.emulator, id)).toEqual(['created', 'claimed', 'released'])
      expect(await site.noted()).toHaveLength(20)
    },
  )

  it('completes what finishes within the drain', { timeout: 60_000 }, async () => {
    const config = 'concurrency: 5\nshutdown: { timeout: 8s, drain: 6s }\n'
    await using site = await Site.open({ handler: handler('await delay(1_500)\n  return "done"'), config })
    const { ids, command } = await running(site, 5)
    command.signal('SIGTERM')

    expect(await command.exited, command.output).toBe(0)
    for (const id of ids) expect(story(site.emulator, id)).toEqual(['created', 'claimed', 'completed'])
  })

  it.for(['SIGTERM', 'SIGINT'] as const)(
    'whenever it comes while the program is still loading, ends it (%s)',
    { timeout: 60_000 },
    async (name) => {
      await using site = await Site.open({ handler: heeds, config: '' })
      // When modules load depends on the machine, so there are many moments.
      const moments = Array.from({ length: 12 }, (_, n) => 40 + 50 * n)
      for (const ms of moments) {
        const command = site.start('run')
        await delay(ms)
        command.signal(name)
        // Before the program's first line the kernel ends it, and the code is null.
        expect([0, null], `after ${ms} ms: ${command.output}`).toContain(await command.exited)
      }
    },
  )

  it('a second time cuts the drain short', { timeout: 60_000 }, async () => {
    const config = 'concurrency: 5\nshutdown: { timeout: 40s, drain: 35s }\n'
    await using site = await Site.open({ handler: heeds, config })
    const { ids, command } = await running(site, 5)
    command.signal('SIGTERM')
    await until(
      () => command.output.includes('stopping'),
      () => `it says that it stops:\n${command.output}`,
    )
    expect(stillClaimed(site.emulator)).toHaveLength(5)
    await wishIsOver()
    const start = performance.now()
    command.signal('SIGTERM')

    expect(await command.exited, command.output).toBe(0)
    expect(performance.now() - start).toBeLessThan(10_000)
    for (const id of ids) expect(story(site.emulator, id)).toEqual(['created', 'claimed', 'released'])
  })

  it('a third time exits at once', { timeout: 60_000 }, async () => {
    const config = 'concurrency: 5\nshutdown: { timeout: 40s, drain: 35s }\n'
    await using site = await Site.open({ handler: ignores, config })
    site.fault({ operation: 'release_clink' }, { hang: 'before' })
    const { command } = await running(site, 5)
    const start = performance.now()
    command.signal('SIGTERM')
    await until(
      () => command.output.includes('stopping'),
      () => `it says that it stops:\n${command.output}`,
    )
    await wishIsOver()
    command.signal('SIGTERM')
    await until(
      () => command.output.includes('aborting'),
      () => `it says that it aborts:\n${command.output}`,
    )
    await wishIsOver()
    command.signal('SIGTERM')

    expect(await command.exited, command.output).toBe(70)
    const named = /a third signal ended it. Claims that it may leave behind: (.*?)"/.exec(command.output)?.[1] ?? ''
    expect(named.split(', ').sort(), command.output).toEqual(stillClaimed(site.emulator).sort())
    expect(performance.now() - start).toBeLessThan(10_000)
  })

  it.for([
    ['with the same signal', 'SIGINT', 'SIGINT'],
    ['with another', 'SIGINT', 'SIGTERM'],
  ] as const)(
    'that arrives twice within a second, %s, as from a terminal and npm, is one wish',
    { timeout: 60_000 },
    async ([, first, second]) => {
      const config = 'concurrency: 5\nshutdown: { timeout: 20s, drain: 18s }\n'
      await using site = await Site.open({ handler: handler('await delay(1_500)\n  return "done"'), config })
      const { ids, command } = await running(site, 5)
      command.signal(first)
      command.signal(second)
      command.signal(second)

      expect(await command.exited, command.output).toBe(0)
      for (const id of ids) expect(story(site.emulator, id)).toEqual(['created', 'claimed', 'completed'])
      expect(command.output).not.toContain('worker.aborting')
    },
  )

  it('while the service is away ends it in time too', { timeout: 60_000 }, async () => {
    const config = 'concurrency: 5\nshutdown: { timeout: 4s, drain: 1s }\n'
    await using site = await Site.open({ handler: heeds, config })
    const { command } = await running(site, 5)
    site.emulator.disconnect()
    const start = performance.now()
    command.signal('SIGTERM')
    await command.exited

    expect(performance.now() - start).toBeLessThan(7_000)
    await site.emulator.reconnect()
  })
})
