import { expect, it } from 'vitest'
import { times } from '../support/record.ts'
import { until } from '../support/until.ts'
import { Site } from '../support/command.ts'
import { Contained, needContainers } from '../support/contained.ts'

const handler = `
import { appendFileSync } from 'node:fs'
import { defineHandler } from 'clink-worker'

export default defineHandler(async (clink, ctx) => {
  appendFileSync(process.env['NOTES'] ?? '', process.pid + ' ' + ctx.attempt + '\\n')
  if (ctx.attempt === 1) await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
  return 'done'
})
`

it(
  'P9, §7: killed as process 1 of a container, the next one is up within 5 s on the same state and holds on to its claims',
  { timeout: 60_000 },
  async (context) => {
    needContainers(context)
    await using site = await Site.open({ handler, config: 'concurrency: 5\n' })
    const ids = site.sendMany(3)
    await using first = new Contained(site)
    await until(
      async () => (await site.noted()).length === 3,
      () => `all run:\n${first.output}`,
    )
    await first.kill()
    await using second = new Contained(site)
    await until(
      () => second.output.includes('worker.started'),
      () => `the next one is loaded:\n${second.output}`,
    )
    const start = performance.now()
    await until(
      () => second.output.includes('worker.ready'),
      () => `the next one is up:\n${second.output}`,
    )
    // On top of that, what Node takes to load.
    expect(performance.now() - start).toBeLessThan(5_000)
    await until(
      () => ids.every((id) => site.emulator.clink(id)?.status === 'completed'),
      () => `it does the work:\n${second.output}`,
    )

    for (const id of ids) expect(times(site.emulator, id, 'claimed')).toBe(1)
    expect((await site.noted()).sort()).toEqual(['1 1', '1 1', '1 1', '1 2', '1 2', '1 2'])
  },
)
