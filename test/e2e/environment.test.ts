import { describe, expect, it } from 'vitest'
import { until } from '../support/until.ts'
import { Site } from '../support/command.ts'

const handler = `
import { execFileSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'

const atLoad = { ...process.env }

export default (clink, ctx) => {
  const child = JSON.parse(execFileSync(process.execPath, ['-p', 'JSON.stringify(process.env)'], { encoding: 'utf8' }))
  const seen = { atLoad, process: { ...process.env }, child, given: ctx.env }
  appendFileSync(process.env['NOTES'], JSON.stringify(seen) + '\\n')
}
`

type Environment = Readonly<Record<string, string>>

async function seen(site: Site): Promise<Readonly<Record<'atLoad' | 'process' | 'child' | 'given', Environment>>[]> {
  return (await site.noted()).map((line) => JSON.parse(line))
}

describe('P13: the environment of handlers, and of what they start', () => {
  it.each([
    ['CLINK_API_KEY', ''],
    ['CLINK_WORKER_CLINK__KEY', ''],
    ['OUR_KEY', 'clink: { key: "${OUR_KEY}" }'],
  ])('has no %s that the key is taken from, also after a reload', async (variable, config) => {
    await using site = await Site.open({ handler, config: `poll: { interval: 50ms, maxInterval: 100ms }\n${config}` })
    const { key, url } = site.emulator
    const command = site.startWith({ CLINK_API_KEY: '', [variable]: key, OTHER: 'stays' }, 'run')
    const [first = ''] = site.sendMany(1)
    await until(
      () => site.emulator.clink(first)?.status === 'completed',
      () => command.output,
    )
    command.signal('SIGHUP')
    await until(
      () => command.output.includes('"generation":2'),
      () => command.output,
    )
    const [second = ''] = site.sendMany(1)
    await until(
      () => site.emulator.clink(second)?.status === 'completed',
      () => command.output,
    )
    const runs = await seen(site)
    expect(runs).toHaveLength(2)
    for (const run of runs) {
      expect(JSON.stringify(run)).not.toContain(key)
      expect([run.child['OTHER'], run.process['CLINK_API_URL'], run.given]).toEqual(['stays', url, {}])
    }
  })

  it('is given the key by a route, or a handler, that says passKey', async () => {
    await using site = await Site.open({
      handler,
      config: `
poll: { interval: 50ms, maxInterval: 100ms }
routes:
  - { name: with, use: ./handlers/work.ts, match: { content: { prefix: with } }, passKey: true }
  - { name: without, use: ./handlers/work.ts }
`,
    })
    const { key, url } = site.emulator
    site.emulator.send('ops', 'with the key', { from: 'bob' })
    site.emulator.send('ops', 'and none', { from: 'bob' })
    const command = site.start('run', '--once', '--max-time', '20s', '--concurrency', '1')
    expect(await command.exited, command.output).toBe(0)
    const given = (await seen(site)).map((run) => run.given)
    expect(given).toEqual([{ CLINK_API_KEY: key, CLINK_API_URL: url }, {}])
  })
})
